import { expect, it } from 'vitest';
import { formatInstant, micros } from '../../base/time.ts';
import type { Row } from './flight-files.ts';
import { FlightReplay, MINUTE_MICROS } from './flight-replay.ts';

const BEGINS = micros(Date.parse('2001-03-01T00:00:00Z') * 1000);

it('knows the outcome of a flight only once its landing was appended', async () => {
  const landings = [0, 1, 2].map((minute) => ({
    flight_id: minute,
    landed_at: formatInstant(micros(BEGINS + (minute + 0.5) * MINUTE_MICROS)),
    late: minute === 1,
  }));
  const files = {
    between: async ({ name }: { readonly name: string }) => (name === 'landings' ? landings : []),
  };
  const appended: Row[] = [];
  const story = {
    append: async (_: unknown, rows: readonly object[]) => appended.push(...(rows as Row[])),
    awaitOnline: async () => {},
    advance: async () => {},
  };
  const until = micros(BEGINS + 3 * MINUTE_MICROS);
  const span = { from: BEGINS, until, loadedUntil: BEGINS };
  const replay = await FlightReplay.read(files, span, { story, url: 'http://nowhere.invalid' });
  for (const minute of [0, 1, 2]) await replay.minute(micros(BEGINS + minute * MINUTE_MICROS));
  expect(appended.map(({ flight_id: id }) => id)).toEqual([0, 1]);
  expect(replay.outcomes(new Set([0, 1, 2]))).toEqual([
    { flightId: 0, late: false },
    { flightId: 1, late: true },
  ]);
});
