import type { BlockStatistic } from './block-statistic.ts';

export interface BlockSpread {
  readonly value: number;
  readonly standardError: number;
}

/**
 * A statistic with its standard error from leaving out one block at a time (Quenouille 1956, Tukey
 * 1958): sqrt((G - 1) / G * sum over blocks of (value without it - value)^2) with G blocks taken,
 * which for regressions is the variance CV3 that MacKinnon, Nielsen and Webb (2023) recommend for
 * few clusters. `weights` says how often each block is taken (a whole number). Null with fewer than
 * two blocks, and where the statistic is undefined on all of them or without one.
 */
export function blockJackknife(
  statistic: BlockStatistic,
  weights = new Float64Array(statistic.blocks).fill(1),
): BlockSpread | null {
  const value = statistic.at(weights);
  if (value === null || !Number.isFinite(value)) return null;
  const left = weights.slice();
  let [taken, squares] = [0, 0];
  for (let block = 0; block < left.length; block++) {
    const weight = left[block]!;
    if (weight === 0) continue;
    left[block] = weight - 1;
    const without = statistic.at(left);
    left[block] = weight;
    if (without === null || !Number.isFinite(without)) return null;
    squares += weight * (without - value) ** 2;
    taken += weight;
  }
  if (taken < 2) return null;
  return { value, standardError: Math.sqrt(((taken - 1) / taken) * squares) };
}
