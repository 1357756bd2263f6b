import { AppError } from '../../base/errors.ts';
import { micros, parseInstant, type Micros } from '../../base/time.ts';
import { TRAFFIC_STRETCHES_MAX } from './traffic-contract.ts';

export interface TrafficQuery {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly every: 'hour' | 'day';
}

const HOUR = 3_600_000_000;
const EVERY = { hour: HOUR, day: 24 * HOUR } as const;
/** Stretches shown when no start is given. */
const SHOWN = 28;

/** The whole stretches that hold what was asked for; `INVALID_INPUT` when they are too many. */
export function stretchesOf(
  { from, until, every }: TrafficQuery,
  now: Micros,
): { readonly from: Micros; readonly until: Micros; readonly everyMicros: number } {
  const everyMicros = EVERY[every];
  // The running stretch included.
  const next = (Math.floor(now / everyMicros) + 1) * everyMicros;
  const end = (until === undefined ? null : parseInstant(until)) ?? next;
  const asked = from === undefined ? null : parseInstant(from);
  const start = asked ?? end - SHOWN * everyMicros;
  const first = Math.floor(start / everyMicros) * everyMicros;
  const count = Math.ceil((end - first) / everyMicros);
  if (end < start || count > TRAFFIC_STRETCHES_MAX) {
    throw new AppError(
      'INVALID_INPUT',
      end < start
        ? 'The time ends before it begins.'
        : `From ${from} on there are ${count} ${every}s.`,
      { hint: `Give from before until, and at most ${TRAFFIC_STRETCHES_MAX} hours or days.` },
    );
  }
  return { from: micros(first), until: micros(end), everyMicros };
}
