import { formatInstant, MICROS_PER_SECOND, parseInstant } from '../../base/time.ts';
import { formatAgo } from './format.ts';

/** RFC 3339 in UTC with a space for the T, which the standard allows and eyes prefer. */
export function instantText(value: string): string {
  const instant = parseInstant(value);
  return instant === null ? value : formatInstant(instant).replace('T', ' ');
}

/** Seconds from one RFC 3339 instant to another; null when either is none. */
export function secondsBetween(from: string, to: string): number | null {
  const start = parseInstant(from);
  const end = parseInstant(to);
  return start === null || end === null ? null : (end - start) / MICROS_PER_SECOND;
}

/** How long before `now` (of the same clock) something happened. */
export function agoText(value: string, now: string): string {
  const seconds = secondsBetween(value, now);
  return seconds === null ? value : formatAgo(Math.max(0, seconds));
}
