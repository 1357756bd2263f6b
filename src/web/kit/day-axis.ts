import { MICROS_PER_SECOND, parseInstant } from '../../base/time.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const MS_PER_SECOND = 1000;
export const DAY_MS = 86_400_000;

/** Milliseconds since 1970, as charts have time. */
export function chartTime(instant: string): number {
  return ((parseInstant(instant) ?? 0) / MICROS_PER_SECOND) * MS_PER_SECOND;
}

/** `Mar 4`, or `2001` where a year begins; UTC. */
export function dayText(ms: number): string {
  const date = new Date(ms);
  const [month, day] = [date.getUTCMonth(), date.getUTCDate()];
  return month === 0 && day === 1 ? String(date.getUTCFullYear()) : `${MONTHS[month]} ${day}`;
}

/** `2001-03-04`, with the hour where it is not a whole day; UTC. */
export function stretchText(ms: number): string {
  const text = new Date(ms).toISOString();
  return ms % DAY_MS === 0 ? text.slice(0, 10) : text.slice(0, 16).replace('T', ' ');
}
