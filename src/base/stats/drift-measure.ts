import { chiSquaredQuantile, chiSquaredTail } from './gamma.ts';
import { densePair, rowsOf } from './histogram.ts';
import { jensenShannon } from './jensen-shannon.ts';
import { kolmogorovQuantile, kolmogorovSmirnov, kolmogorovTail } from './kolmogorov-smirnov.ts';
import { normalQuantile, normalTail } from './normal.ts';
import { populationStability } from './population-stability.ts';
import { rowsIn, wasserstein } from './wasserstein.ts';

export type DriftMeasureName = 'psi' | 'jensen_shannon' | 'kolmogorov_smirnov' | 'wasserstein';

/**
 * A measure of drift between histograms over the same bins, and what it is between two samples of
 * one distribution with independent rows: its `power`-th power grows as 1/n + 1/m, so mean and
 * quantile are given as factors of that.
 */
export interface DriftMeasure {
  readonly name: DriftMeasureName;
  readonly of: (reference: Float64Array, current: Float64Array) => number | null;
  readonly power: 1 | 2;
  /** Rows that it is computed from: those that are missing are no part of an ordered one. */
  readonly rows: (counts: Float64Array) => number;
  /** `rows` is how many the other sample has. */
  readonly noise: (reference: Float64Array, rows: number) => RowNoise;
}

/** The law of a measure's power divided by 1/n + 1/m, without drift and with independent rows. */
export interface RowNoise {
  readonly mean: number;
  /** Degrees of the chi-squared law that it resembles. */
  readonly degrees: number;
  readonly quantile: (level: number) => number;
  /** The chance to be above this. */
  readonly tail: (x: number) => number;
}

/** PSI / (1/n + 1/m) is chi-squared with bins - 1 degrees (Yurdakul 2018). */
export const psiMeasure: DriftMeasure = {
  name: 'psi',
  of: populationStability,
  power: 1,
  rows: rowsOf,
  noise: (reference, rows) => chiSquaredNoise(reference, rows, () => 1),
};

/**
 * For small ones the divergence in nats is an eighth of PSI; the distance here is in bits. In bins
 * of few rows it is larger by about half their number over the rows (measured).
 */
export const jensenShannonMeasure: DriftMeasure = {
  name: 'jensen_shannon',
  of: jensenShannon,
  power: 2,
  rows: rowsOf,
  noise: (reference, rows) =>
    chiSquaredNoise(reference, rows, (bins) => (1 + bins / (2 * rows)) / (8 * Math.LN2)),
};

/** Squared, Kolmogorov's variable has mean pi^2/12, and the variance of 4.9 degrees. */
export const kolmogorovSmirnovMeasure: DriftMeasure = {
  name: 'kolmogorov_smirnov',
  of: kolmogorovSmirnov,
  power: 2,
  rows: (counts) => rowsIn(counts, counts.length - 1),
  noise: () => ({
    mean: Math.PI ** 2 / 12,
    degrees: 4.9,
    quantile: (level) => kolmogorovQuantile(level) ** 2,
    tail: (x) => kolmogorovTail(Math.sqrt(x)),
  }),
};

/**
 * In the unit of the column, from the centres of its bins. The distance is a sum of gaps between
 * cumulative shares, each normal with variance F (1 - F) (1/n + 1/m); taken as fully correlated,
 * which no distribution exceeds, they give an upper limit of its noise.
 */
export function wassersteinMeasure(centres: readonly number[]): DriftMeasure {
  return {
    name: 'wasserstein',
    of: (reference, current) => wasserstein(centres, reference, current),
    power: 2,
    rows: (counts) => rowsIn(counts, centres.length),
    noise: (reference) => {
      const rows = rowsIn(reference, centres.length);
      let [below, spread] = [0, 0];
      for (let bin = 0; bin + 1 < centres.length; bin++) {
        below += reference[bin]! / rows;
        spread += Math.sqrt(Math.max(0, below * (1 - below))) * (centres[bin + 1]! - centres[bin]!);
      }
      return {
        mean: spread ** 2,
        degrees: 1,
        quantile: (level) => (spread * normalQuantile((1 + level) / 2)) ** 2,
        tail: (x) => (x > 0 ? 2 * normalTail(Math.sqrt(x) / spread) : 1),
      };
    },
  };
}

/** `rows` of the other sample decide which bins are filled enough to count. */
function chiSquaredNoise(
  reference: Float64Array,
  rows: number,
  scaleOf: (bins: number) => number,
): RowNoise {
  const share = rows / rowsOf(reference);
  const pair = densePair(
    reference,
    reference.map((count) => count * share),
  );
  const bins = pair?.reference.length ?? 1;
  const degrees = Math.max(1, bins - 1);
  const scale = scaleOf(bins);
  return {
    mean: scale * degrees,
    degrees,
    quantile: (level) => scale * chiSquaredQuantile(level, degrees),
    tail: (x) => chiSquaredTail(x / scale, degrees),
  };
}
