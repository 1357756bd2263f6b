import type { ScoredRows } from './auc.ts';
import { meanOf, type MeanSum } from './mean-sum.ts';

/** What probabilities are kept away from 0 and 1 by: float64 epsilon, as scikit-learn does. */
const EPSILON = 2 ** -52;

/** The loss of one row in nats: -ln of the probability given to what happened. */
export function logLossOf(probability: number, label: number): number {
  const kept = Math.min(1 - EPSILON, Math.max(EPSILON, probability));
  return label === 0 ? -Math.log1p(-kept) : -Math.log(kept);
}

/**
 * Summed log-loss of probabilities of label 1, in nats, over the rows whose probability is not NaN.
 */
export function logLossSum({ scores, labels }: ScoredRows): MeanSum {
  let [sum, count] = [0, 0];
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    if (Number.isNaN(score)) continue;
    sum += logLossOf(score, labels[at]!);
    count++;
  }
  return { sum, count };
}

/** Mean log-loss in nats (scikit-learn's log_loss); null without rows. */
export function logLoss(rows: ScoredRows): number | null {
  return meanOf(logLossSum(rows));
}
