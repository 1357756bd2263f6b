import { splitByClass, winsOver, type ScoredRows } from './auc.ts';
import { brierSum } from './brier.ts';
import { logLossSum } from './log-loss.ts';
import type { MeanSum } from './mean-sum.ts';

/**
 * A statistic over blocks of rows (days, say) as a function of how many times each block is taken:
 * what leaving one out and resampling need, at a cost that does not depend on the rows. Null where
 * it is undefined.
 */
export interface BlockStatistic {
  /** How many blocks hold rows; empty ones tell nothing and are left out. */
  readonly blocks: number;
  readonly at: (weights: Float64Array) => number | null;
}

/** A mean over all rows, from the sum and the row count of each block. */
export function meanStatistic(sums: readonly MeanSum[]): BlockStatistic {
  const blocks = sums.filter(({ count }) => count > 0);
  return {
    blocks: blocks.length,
    at: (weights) => {
      let [sum, count] = [0, 0];
      for (let block = 0; block < blocks.length; block++) {
        sum += weights[block]! * blocks[block]!.sum;
        count += weights[block]! * blocks[block]!.count;
      }
      return count > 0 ? sum / count : null;
    },
  };
}

/** Log-loss in nats; blocks merge by rows. */
export function logLossStatistic(blocks: readonly ScoredRows[]): BlockStatistic {
  return meanStatistic(blocks.map(logLossSum));
}

/** Mean squared error of probabilities. */
export function brierStatistic(blocks: readonly ScoredRows[]): BlockStatistic {
  return meanStatistic(blocks.map(brierSum));
}

/**
 * The AUC over all rows, pairs across blocks included. Won pairs are counted once for each two
 * blocks, so any weighting is a sum over their matrix and no row is sorted again.
 */
export function aucStatistic(blocks: readonly ScoredRows[]): BlockStatistic {
  const classes = blocks
    .map(splitByClass)
    .filter(({ positives, negatives }) => positives.length + negatives.length > 0);
  return pairStatistic(
    classes.map(({ positives, negatives }) => ({
      positives: positives.length,
      negatives: negatives.length,
    })),
    (high, low) => winsOver(classes[high]!.positives, classes[low]!.negatives),
  );
}

/** Rows of each class in one block. */
export interface ClassCounts {
  readonly positives: number;
  readonly negatives: number;
}

/** Won pairs over all pairs; `winsOf` counts those of positives of one block over negatives. */
export function pairStatistic(
  blocks: readonly ClassCounts[],
  winsOf: (positivesOf: number, negativesOf: number) => number,
): BlockStatistic {
  const size = blocks.length;
  const wins = Float64Array.from({ length: size * size }, (_, at) =>
    winsOf(Math.floor(at / size), at % size),
  );
  return {
    blocks: size,
    at: (weights) => {
      let [won, ones, zeros] = [0, 0, 0];
      for (let high = 0; high < size; high++) {
        const weight = weights[high]!;
        if (weight === 0) continue;
        ones += weight * blocks[high]!.positives;
        zeros += weight * blocks[high]!.negatives;
        for (let low = 0; low < size; low++) {
          won += weight * weights[low]! * wins[high * size + low]!;
        }
      }
      return ones > 0 && zeros > 0 ? won / (ones * zeros) : null;
    },
  };
}

/**
 * `first` minus `second`, both over the same rows in the same blocks; undefined where they differ
 * in how many blocks hold rows.
 */
export function differenceOf(first: BlockStatistic, second: BlockStatistic): BlockStatistic {
  return {
    blocks: first.blocks,
    at: (weights) => {
      if (first.blocks !== second.blocks) return null;
      const [a, b] = [first.at(weights), second.at(weights)];
      return a === null || b === null ? null : a - b;
    },
  };
}

/** The statistic of all rows, each block taken once. */
export function wholeOf(statistic: BlockStatistic): number | null {
  return statistic.at(new Float64Array(statistic.blocks).fill(1));
}
