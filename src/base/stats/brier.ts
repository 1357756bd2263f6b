import type { ScoredRows } from './auc.ts';
import { meanOf, type MeanSum } from './mean-sum.ts';

/** Summed squared error of probabilities of label 1, over the rows whose one is not NaN. */
export function brierSum({ scores, labels }: ScoredRows): MeanSum {
  let [sum, count] = [0, 0];
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    if (Number.isNaN(score)) continue;
    sum += (score - (labels[at] === 0 ? 0 : 1)) ** 2;
    count++;
  }
  return { sum, count };
}

/** Mean squared error of probabilities (Brier 1950), 0 to 1; null without rows. */
export function brier(rows: ScoredRows): number | null {
  return meanOf(brierSum(rows));
}
