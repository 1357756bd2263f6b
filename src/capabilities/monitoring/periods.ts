import { assert } from '../../base/assert.ts';
import { micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';

export const HOUR_MICROS = 3600 * MICROS_PER_SECOND;
export const DAY_MICROS = 24 * HOUR_MICROS;

/** A declared span of whole minutes, hours or days, in microseconds. */
export function spanMicros(text: string): number {
  const count = Number.parseInt(text, 10);
  assert(Number.isInteger(count) && count > 0, `${text} is no span`);
  if (text.endsWith('d')) return count * DAY_MICROS;
  return text.endsWith('h') ? count * HOUR_MICROS : (count * HOUR_MICROS) / 60;
}

export function spanDays(text: string): number {
  return spanMicros(text) / DAY_MICROS;
}

export interface Period {
  readonly from: Micros;
  readonly until: Micros;
}

/**
 * Evaluations are due at midnight UTC, or within the day at multiples of a period shorter than one,
 * so that summaries of one period serve all windows.
 */
export function lastBoundary(at: Micros, every: number): Micros {
  const step = Math.min(every, DAY_MICROS);
  return micros(Math.floor(at / step) * step);
}

/** The first time after `at` that an evaluation is due; whole weeks count from the epoch. */
export function nextDue(at: Micros, every: number): Micros {
  return micros((Math.floor(at / every) + 1) * every);
}

/** The pieces that summaries are kept of: days, or shorter ones where evaluations are. */
export function slicesOf({ from, until }: Period, every: number): readonly Period[] {
  const step = Math.min(every, DAY_MICROS);
  const slices: Period[] = [];
  for (let start: number = from; start < until; start += step) {
    slices.push({ from: micros(start), until: micros(start + step) });
  }
  return slices;
}
