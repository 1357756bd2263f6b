import { formatInstant, micros, MICROS_PER_SECOND, parseInstant } from '../../../base/time.ts';
import type { Check } from '../contract.ts';

const DAY_MICROS = 86_400 * MICROS_PER_SECOND;

/** Which requests are behind something, as the page of them is asked. */
export interface Behind {
  readonly from: string;
  readonly until: string;
  readonly version?: number;
  readonly failed?: boolean;
}

/** Requests of the days that a check of an evaluation looked at. */
export function behindCheck(check: Check, at: string): Behind {
  const isUnit = check.kind === 'unit_change';
  const from =
    isUnit && check.since !== null ? check.since : daysBefore(at, Math.max(1, check.days));
  return {
    from,
    until: isUnit && check.until !== null ? check.until : at,
    ...(check.version === null ? {} : { version: check.version }),
    ...(check.kind === 'errors' ? { failed: true } : {}),
  };
}

/** So many days before an instant. */
export function daysBefore(at: string, days: number): string {
  return formatInstant(micros((parseInstant(at) ?? 0) - days * DAY_MICROS));
}

/** The last day that an evaluation saw all of: the one before its time. */
export function lastDayText(at: string): string {
  return dayText(formatInstant(micros((parseInstant(at) ?? 1) - 1)));
}

/** The day of an instant: `2001-05-20`. */
export function dayText(at: string): string {
  return at.slice(0, 10);
}
