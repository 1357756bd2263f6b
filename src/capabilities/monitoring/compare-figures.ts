import {
  aucStatistic,
  brierStatistic,
  logLossStatistic,
  meanStatistic,
  type BlockStatistic,
} from '../../base/stats/block-statistic.ts';
import { auc } from '../../base/stats/auc.ts';
import { brier } from '../../base/stats/brier.ts';
import { logLoss } from '../../base/stats/log-loss.ts';
import { compareStatistics } from '../../base/stats/paired-comparison.ts';
import { errorSums } from '../../base/stats/regression-error.ts';
import type { ComparedFigures, Improvement, ImprovementMetric } from './compare-contract.ts';

/** One version's answers to some rows and what came of them, in their order. */
export interface ScoredBlock {
  readonly scores: Float64Array;
  readonly labels: Float64Array;
}

/** How a version does on rows; of outcomes other than 0 and 1 only the errors of its numbers. */
export function figuresOf({ scores, labels }: ScoredBlock, isBinary: boolean): ComparedFigures {
  const { absolute, squared, count } = errorSums({ predicted: scores, actual: labels });
  const meanScore = count === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / count;
  const none = { auc: null, logLoss: null, brier: null, mae: null, rmse: null, meanScore };
  if (!isBinary) {
    if (count === 0) return none;
    return { ...none, mae: absolute / count, rmse: Math.sqrt(squared / count) };
  }
  const rows = { scores, labels: Uint8Array.from(labels) };
  // A score that is no probability, of a regression, has an order but no log-loss.
  const isProbability = scores.every((score) => score >= 0 && score <= 1);
  return {
    ...none,
    auc: auc(rows),
    logLoss: isProbability ? logLoss(rows) : null,
    brier: isProbability ? brier(rows) : null,
  };
}

/** A version's metrics as statistics over blocks, computed once for all comparisons with it. */
export type BlockMetrics = ReadonlyMap<ImprovementMetric, BlockStatistic>;

export function blockMetrics(blocks: readonly ScoredBlock[], isBinary: boolean): BlockMetrics {
  if (!isBinary) {
    const sums = blocks.map(({ scores, labels }) =>
      errorSums({ predicted: scores, actual: labels }),
    );
    return new Map<ImprovementMetric, BlockStatistic>([
      ['mae', meanStatistic(sums.map(({ absolute: sum, count }) => ({ sum, count })))],
      ['mse', meanStatistic(sums.map(({ squared: sum, count }) => ({ sum, count })))],
    ]);
  }
  const rows = blocks.map(({ scores, labels }) => ({ scores, labels: Uint8Array.from(labels) }));
  const metrics = new Map<ImprovementMetric, BlockStatistic>([['auc', aucStatistic(rows)]]);
  if (blocks.some(({ scores }) => scores.some((score) => !(score >= 0 && score <= 1)))) {
    return metrics;
  }
  return metrics.set('log_loss', logLossStatistic(rows)).set('brier', brierStatistic(rows));
}

/** How much better `version` is than `base` in every metric that both have. */
export function improvementsOf(
  base: BlockMetrics,
  version: BlockMetrics,
  on: { readonly level: number; readonly rows: number },
): Improvement[] {
  const found: Improvement[] = [];
  for (const [metric, statistic] of version) {
    const former = base.get(metric);
    if (former === undefined) continue;
    const better = metric === 'auc' ? 'higher' : 'lower';
    const options = { ...on, better, rowsLeftOut: 0 } as const;
    const { improvement: value, ...compared } = compareStatistics(former, statistic, options);
    const { lower, upper, standardError, level, method, blocks } = compared;
    found.push({ metric, value, ...bounds(lower, upper), standardError, level, method, blocks });
  }
  return found;
}

/** Resamples on which nothing is defined leave a bound open, which JSON has no number for. */
function bounds(lower: number | null, upper: number | null) {
  const finite = (bound: number | null): number | null =>
    bound !== null && Number.isFinite(bound) ? bound : null;
  return { lower: finite(lower), upper: finite(upper) };
}
