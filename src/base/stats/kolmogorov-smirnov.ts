import { invertIncreasing } from './inversion.ts';
import { rowsIn } from './wasserstein.ts';

/**
 * The Kolmogorov-Smirnov statistic D of two histograms of numbers over the same ordered bins: the
 * largest gap between their cumulative shares at an edge, so at most the D of the rows. The last
 * count is that of missing rows and left out. Null when either has no rows.
 */
export function kolmogorovSmirnov(reference: Float64Array, current: Float64Array): number | null {
  const bins = reference.length - 1;
  const [n, m] = [rowsIn(reference, bins), rowsIn(current, bins)];
  if (!(n > 0 && m > 0) || reference.length !== current.length) return null;
  let [gap, below] = [0, 0];
  for (let bin = 0; bin < bins; bin++) {
    below += reference[bin]! / n - current[bin]! / m;
    gap = Math.max(gap, Math.abs(below));
  }
  return Math.min(1, gap);
}

/**
 * The p-value of D between n and m independent rows, from the limit law (Smirnov 1939): exact for
 * many rows of a continuous column, too large (so cautious) for binned ones.
 */
export function kolmogorovSmirnovP(d: number, n: number, m: number): number | null {
  if (!(n > 0 && m > 0 && d >= 0)) return null;
  return kolmogorovTail(d * Math.sqrt((n * m) / (n + m)));
}

/** The value that Kolmogorov's limit variable stays below with this probability. */
export function kolmogorovQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1)) return NaN;
  return invertIncreasing((x) => 1 - kolmogorovTail(x), probability, 1);
}

/** Below this the alternating series converges slowly, and the tail is 1 to 14 digits. */
const TAIL_ONE_BELOW = 0.18;
const TERMS_MAX = 100;

/** P(K > x) = 2 sum over k of (-1)^(k-1) exp(-2 k^2 x^2). */
export function kolmogorovTail(x: number): number {
  if (x < TAIL_ONE_BELOW) return 1;
  let [sum, sign] = [0, 1];
  for (let k = 1; k <= TERMS_MAX; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    sum += sign * term;
    sign = -sign;
    if (term < 1e-18) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}
