import { MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import type { Build } from './tiles-catalog.ts';

const DAY = 24 * 3600 * MICROS_PER_SECOND;
/**
 * Events are kept for this much longer than the longest window of their build needs: as far back
 * as the online store answers reads "as of".
 */
export const RETENTION_SLACK = 7 * DAY;
/**
 * Forgetting goes through all keys and ids of a build, so it waits until there is something: a week
 * at least, and a half of what is kept.
 */
const FORGET_EVERY_MIN = 7 * DAY;

/** Before when a build's events may be gone at this domain time. */
export function forgottenAt(build: Pick<Build, 'views'>, now: Micros): number {
  return now - longestOf(build) - RETENTION_SLACK;
}

/** Domain time between two walks through a build. */
export function forgetEvery(build: Pick<Build, 'views'>): number {
  return Math.max(FORGET_EVERY_MIN, (longestOf(build) + RETENTION_SLACK) / 2);
}

function longestOf({ views }: Pick<Build, 'views'>): number {
  return Math.max(...views.map(({ longest }) => longest));
}
