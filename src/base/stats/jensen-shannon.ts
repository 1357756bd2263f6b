import { densePair, rowsOf } from './histogram.ts';

/**
 * The Jensen-Shannon distance of two histograms over the same bins, base 2: 0 when equal, 1 when
 * they share no bin (SciPy's jensenshannon with base=2), sparse bins merged. Null when either has
 * no rows.
 */
export function jensenShannon(reference: Float64Array, current: Float64Array): number | null {
  const pair = densePair(reference, current);
  if (pair === null) return null;
  const [n, m] = [rowsOf(pair.reference), rowsOf(pair.current)];
  let divergence = 0;
  for (let bin = 0; bin < pair.reference.length; bin++) {
    const [p, q] = [pair.reference[bin]! / n, pair.current[bin]! / m];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p / 2) * Math.log2(p / middle);
    if (q > 0) divergence += (q / 2) * Math.log2(q / middle);
  }
  return Math.sqrt(Math.min(1, Math.max(0, divergence)));
}
