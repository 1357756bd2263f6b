import { chiSquaredTail } from './gamma.ts';
import { densePair, rowsOf } from './histogram.ts';

export interface ChiSquaredTest {
  readonly statistic: number;
  /** Bins that were compared, less one. */
  readonly degrees: number;
  readonly pValue: number;
}

/**
 * Pearson's test that two histograms are of one distribution, as a contingency table: unlike the
 * one-sample form it knows that the reference is a sample too. Sparse bins merged; rows are taken
 * as independent. Null when either has no rows or one bin is left.
 */
export function chiSquared(reference: Float64Array, current: Float64Array): ChiSquaredTest | null {
  const pair = densePair(reference, current);
  if (pair === null || pair.reference.length < 2) return null;
  const [n, m] = [rowsOf(pair.reference), rowsOf(pair.current)];
  let statistic = 0;
  for (let bin = 0; bin < pair.reference.length; bin++) {
    const [a, b] = [pair.reference[bin]!, pair.current[bin]!];
    const [expectedA, expectedB] = [((a + b) * n) / (n + m), ((a + b) * m) / (n + m)];
    statistic += (a - expectedA) ** 2 / expectedA + (b - expectedB) ** 2 / expectedB;
  }
  const degrees = pair.reference.length - 1;
  return { statistic, degrees, pValue: chiSquaredTail(statistic, degrees) };
}
