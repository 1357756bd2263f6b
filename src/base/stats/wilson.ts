import { normalQuantile } from './normal.ts';

export interface Proportion {
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * A share with its two-sided interval (Wilson 1927), which holds for few rows and shares near 0 or
 * 1, but takes rows as independent. Null without rows, or where hits are no part of them.
 */
export function wilsonInterval(hits: number, count: number, level = 0.95): Proportion | null {
  if (!(count > 0) || !(hits >= 0 && hits <= count) || count === Infinity) return null;
  const z = normalQuantile((1 + level) / 2);
  if (Number.isNaN(z)) return null;
  const share = hits / count;
  const spread = (z * z) / count;
  const centre = (share + spread / 2) / (1 + spread);
  const half = Math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread);
  return {
    share,
    lower: hits === 0 ? 0 : Math.max(0, centre - half),
    upper: hits === count ? 1 : Math.min(1, centre + half),
  };
}
