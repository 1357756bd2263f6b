import { micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';

const DAY = 86_400 * MICROS_PER_SECOND;

/** A half-open span of domain time. */
export interface TimeSpan {
  readonly from: Micros;
  readonly until: Micros;
}

/**
 * The newest whole days whose labels have all matured by `at`: what the gate judges on, and where
 * training ends. Days that are whole hold late labels as well as early ones, so that labels which
 * come sooner for one class favour nobody.
 */
export function evaluationSpan(facts: {
  readonly at: Micros;
  readonly matureMicros: number;
  readonly holdoutDays: number;
}): TimeSpan {
  const { at, matureMicros, holdoutDays } = facts;
  const until = Math.floor((at - matureMicros) / DAY) * DAY;
  return { from: micros(until - holdoutDays * DAY), until: micros(until) };
}

/** Whether two spans share an instant; an `until` of null goes on. */
export function overlaps(
  a: TimeSpan,
  b: { readonly from: number; readonly until: number | null },
): boolean {
  return a.from < (b.until ?? Number.POSITIVE_INFINITY) && b.from < a.until;
}
