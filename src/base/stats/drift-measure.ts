import { chiSquaredQuantile } from './gamma.ts';
import { densePair, rowsOf } from './histogram.ts';
import { jensenShannon } from './jensen-shannon.ts';
import { kolmogorovQuantile, kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { normalQuantile } from './normal.ts';
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
  readonly noise: (reference: Float64Array, rows: number, level: number) => RowNoise;
}

export interface RowNoise {
  readonly mean: number;
  /** Stayed below with probability `level`. */
  readonly quantile: number;
  /** Degrees of the chi-squared law that the power resembles. */
  readonly degrees: number;
}

/** PSI / (1/n + 1/m) is chi-squared with bins - 1 degrees (Yurdakul 2018). */
export const psiMeasure: DriftMeasure = {
  name: 'psi',
  of: populationStability,
  power: 1,
  noise: (reference, rows, level) => chiSquaredNoise(reference, rows, level, 1),
};

/**
 * For small ones the divergence in nats is an eighth of PSI; the distance here is in bits. In bins
 * of few rows it is larger by about half their number over the rows (measured).
 */
export const jensenShannonMeasure: DriftMeasure = {
  name: 'jensen_shannon',
  of: jensenShannon,
  power: 2,
  noise: (reference, rows, level) => {
    const inBits = 1 / (8 * Math.LN2);
    return chiSquaredNoise(reference, rows, level, inBits * (1 + reference.length / (2 * rows)));
  },
};

/** Squared, Kolmogorov's variable has mean pi^2/12, and the variance of 4.9 degrees. */
export const kolmogorovSmirnovMeasure: DriftMeasure = {
  name: 'kolmogorov_smirnov',
  of: kolmogorovSmirnov,
  power: 2,
  noise: (_reference, _rows, level) => ({
    mean: Math.PI ** 2 / 12,
    quantile: kolmogorovQuantile(level) ** 2,
    degrees: 4.9,
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
    noise: (reference, _rows, level) => {
      const rows = rowsIn(reference, centres.length);
      let [below, spread] = [0, 0];
      for (let bin = 0; bin + 1 < centres.length; bin++) {
        below += reference[bin]! / rows;
        spread += Math.sqrt(Math.max(0, below * (1 - below))) * (centres[bin + 1]! - centres[bin]!);
      }
      const reach = spread * normalQuantile((1 + level) / 2);
      return { mean: spread ** 2, quantile: reach ** 2, degrees: 1 };
    },
  };
}

/** `rows` of the other sample decide which bins are filled enough to count. */
function chiSquaredNoise(
  reference: Float64Array,
  rows: number,
  level: number,
  scale: number,
): RowNoise {
  const share = rows / rowsOf(reference);
  const pair = densePair(
    reference,
    reference.map((count) => count * share),
  );
  const degrees = Math.max(1, (pair?.reference.length ?? 1) - 1);
  return {
    mean: scale * degrees,
    quantile: scale * chiSquaredQuantile(level, degrees),
    degrees,
  };
}
