import {
  aucStatistic,
  brierStatistic,
  logLossStatistic,
  meanStatistic,
  type BlockStatistic,
} from '../../base/stats/block-statistic.ts';
import { errorSums } from '../../base/stats/regression-error.ts';
import type { CohortDay } from './cohort.ts';
import type { QualityMetric } from './contract.ts';

/** Whether more of the metric is better. */
export function isHigherBetter(metric: QualityMetric): boolean {
  return metric === 'auc';
}

/** The metric over cohort days as blocks. */
export function qualityStatistic(
  metric: QualityMetric,
  days: readonly CohortDay[],
): BlockStatistic {
  switch (metric) {
    case 'auc':
      return aucStatistic(days.map(scored));
    case 'log_loss':
      return logLossStatistic(days.map(scored));
    case 'brier':
      return brierStatistic(days.map(scored));
    case 'mae':
      return meanStatistic(
        days.map((day) => {
          const { absolute, count } = errorSums({ predicted: day.scores, actual: day.labels });
          return { sum: absolute, count };
        }),
      );
    case 'rmse':
      return rootOf(
        meanStatistic(
          days.map((day) => {
            const { squared, count } = errorSums({ predicted: day.scores, actual: day.labels });
            return { sum: squared, count };
          }),
        ),
      );
  }
}

/** Metrics of probabilities need labels 0 and 1; another outcome is a number. */
export function fitsMetric(metric: QualityMetric, days: readonly CohortDay[]): boolean {
  if (metric === 'mae' || metric === 'rmse') return true;
  return days.every(({ labels }) => labels.every((label) => label === 0 || label === 1));
}

export function scored({ scores, labels }: CohortDay) {
  return { scores, labels: Uint8Array.from(labels) };
}

function rootOf(statistic: BlockStatistic): BlockStatistic {
  return {
    blocks: statistic.blocks,
    at: (weights) => {
      const value = statistic.at(weights);
      return value === null ? null : Math.sqrt(value);
    },
  };
}
