import { densePair, smoothedShares } from './histogram.ts';

/**
 * The population stability index of two histograms over the same bins: the sum of
 * (q - p) ln(q / p) over their smoothed shares, sparse bins merged. 0 when equal, without an upper
 * bound. Null when either has no rows.
 */
export function populationStability(reference: Float64Array, current: Float64Array): number | null {
  const pair = densePair(reference, current);
  if (pair === null) return null;
  return stabilityOfShares(smoothedShares(pair.reference), smoothedShares(pair.current));
}

/** The same of shares as they are; infinite where only one of them is 0. */
export function stabilityOfShares(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let bin = 0; bin < p.length; bin++) {
    if (p[bin] !== q[bin]) sum += (q[bin]! - p[bin]!) * Math.log(q[bin]! / p[bin]!);
  }
  return sum;
}
