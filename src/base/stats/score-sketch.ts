import type { ScoredRows } from './auc.ts';
import { meanStatistic, pairStatistic, type BlockStatistic } from './block-statistic.ts';
import { brierSum } from './brier.ts';
import { logLossSum } from './log-loss.ts';

/**
 * What one day's labelled probabilities leave behind for its quality: all of it adds up, so days
 * and parts of days merge. Log-loss, Brier and means are exact; AUC is binned.
 */
export interface ScoreSketch {
  /** Rows with label 1, and with label 0, by bin of the probability's logit. */
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
  readonly count: number;
  readonly logLoss: number;
  readonly squaredError: number;
  /** Summed probabilities. */
  readonly predicted: number;
}

const BINS = 1_024;
/** Probabilities nearer to 0 or 1 than 1 in 160,000 share the end bins. */
const LOGIT_MAX = 12;

/** Of probabilities of label 1; NaN is left out, what is outside [0, 1] falls into an end bin. */
export function sketchScores(rows: ScoredRows): ScoreSketch {
  const positives = new Float64Array(BINS);
  const negatives = new Float64Array(BINS);
  let predicted = 0;
  for (let row = 0; row < rows.scores.length; row++) {
    const score = rows.scores[row]!;
    if (Number.isNaN(score)) continue;
    predicted += score;
    const counts = rows.labels[row] === 0 ? negatives : positives;
    counts[binOf(score)]!++;
  }
  const { sum, count } = logLossSum(rows);
  return {
    positives,
    negatives,
    count,
    logLoss: sum,
    squaredError: brierSum(rows).sum,
    predicted,
  };
}

export function mergeSketches(sketches: Iterable<ScoreSketch>): ScoreSketch {
  const merged = {
    positives: new Float64Array(BINS),
    negatives: new Float64Array(BINS),
    count: 0,
    logLoss: 0,
    squaredError: 0,
    predicted: 0,
  };
  for (const sketch of sketches) {
    for (let bin = 0; bin < BINS; bin++) {
      merged.positives[bin]! += sketch.positives[bin]!;
      merged.negatives[bin]! += sketch.negatives[bin]!;
    }
    merged.count += sketch.count;
    merged.logLoss += sketch.logLoss;
    merged.squaredError += sketch.squaredError;
    merged.predicted += sketch.predicted;
  }
  return merged;
}

/**
 * The AUC over blocks of sketches, two rows of one bin taken as tied: off by at most half the share
 * of pairs of both classes that share a bin; measured on 12,000 rows, below 0.001.
 */
export function sketchedAuc(sketches: readonly ScoreSketch[]): BlockStatistic {
  const kept = sketches.filter(({ count }) => count > 0);
  const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
  return pairStatistic(
    kept.map((it) => ({ positives: total(it.positives), negatives: total(it.negatives) })),
    (high, low) => {
      let [below, wins] = [0, 0];
      for (let bin = 0; bin < BINS; bin++) {
        const tied = kept[low]!.negatives[bin]!;
        wins += kept[high]!.positives[bin]! * (below + tied / 2);
        below += tied;
      }
      return wins;
    },
  );
}

/** Mean log-loss in nats over blocks of sketches: exact. */
export function sketchedLogLoss(sketches: readonly ScoreSketch[]): BlockStatistic {
  return meanStatistic(sketches.map(({ logLoss, count }) => ({ sum: logLoss, count })));
}

/** Mean squared error of probabilities over blocks of sketches: exact. */
export function sketchedBrier(sketches: readonly ScoreSketch[]): BlockStatistic {
  return meanStatistic(sketches.map(({ squaredError, count }) => ({ sum: squaredError, count })));
}

function binOf(probability: number): number {
  if (probability <= 0) return 0;
  if (probability >= 1) return BINS - 1;
  const logit = Math.log(probability) - Math.log1p(-probability);
  const at = Math.floor(((logit + LOGIT_MAX) / (2 * LOGIT_MAX)) * BINS);
  return Math.min(BINS - 1, Math.max(0, at));
}
