import { blockJackknife } from '../../base/stats/block-jackknife.ts';
import { meanStatistic } from '../../base/stats/block-statistic.ts';
import { calibrationByCount } from '../../base/stats/calibration.ts';
import { studentQuantile } from '../../base/stats/student-t.ts';
import { checkOf, percent, shown, WHOLE, type CheckTopic } from './check-of.ts';
import { isWhole, type CohortDay } from './cohort.ts';
import type { Check, QualitySpec } from './contract.ts';
import { spanDays } from './periods.ts';
import { fitsMetric } from './quality-statistic.ts';

/** Probabilities off by less than this share of what came are good enough to act on. */
const MISFIT_MIN = 0.25;
const LEVEL = 0.995;

/**
 * Whether probabilities mean what they say over the newest `window` whole days: the mean predicted
 * against what came, with days as blocks, since how much comes differs from day to day. Null for
 * metrics of numbers, which predict no probability.
 */
export function judgeCalibration(of: {
  readonly spec: QualitySpec;
  readonly version: number;
  readonly cohorts: readonly CohortDay[];
}): Check | null {
  const { spec, version } = of;
  const topic: CheckTopic = { kind: 'calibration', subject: WHOLE, version };
  const days = spanDays(spec.window);
  const window = of.cohorts.filter((day) => isWhole(day, spec.coverage)).slice(-days);
  if (spec.metric === 'mae' || spec.metric === 'rmse' || !fitsMetric(spec.metric, window)) {
    return null;
  }
  if (!window.every(({ scores }) => scores.every((score) => score >= 0 && score <= 1))) return null;
  const counts = {
    rows: window.reduce((sum, { labelled }) => sum + labelled, 0),
    days: window.length,
  };
  if (window.length < days) {
    const text = `${window.length} of ${days} whole labelled days so far.`;
    return checkOf(topic, 'too_few_labels', text, counts);
  }
  const gap = blockJackknife(
    meanStatistic(
      window.map(({ scores, labels }) => ({
        sum: scores.reduce((sum, score, row) => sum + score - labels[row]!, 0),
        count: scores.length,
      })),
    ),
  );
  const all = calibrationByCount(merged(window));
  if (gap === null || all === null) {
    return checkOf(topic, 'too_few_labels', 'There are no labelled scores.', counts);
  }
  const { predicted, observed, ece } = all;
  const reach = gap.standardError * studentQuantile(LEVEL, window.length - 1);
  const isLarge = Math.abs(gap.value) >= MISFIT_MIN * Math.max(observed, Number.MIN_VALUE);
  const isBreach = isLarge && Math.abs(gap.value) > reach;
  const text =
    `Predicted ${percent(predicted)} on average, ${percent(observed)} came, over ${days} days; ` +
    `by tenths of the scores off by ${shown(ece)}. ` +
    (isBreach
      ? `Scores are too ${gap.value > 0 ? 'high' : 'low'} by more than days differ.`
      : isLarge
        ? 'Days differ by as much.'
        : `Within ${percent(MISFIT_MIN)} of what came.`);
  return checkOf(topic, isBreach ? 'warn' : 'ok', text, {
    isBreach,
    value: gap.value,
    lower: gap.value - reach,
    upper: gap.value + reach,
    reference: observed,
    threshold: MISFIT_MIN * observed,
    ...counts,
  });
}

function merged(days: readonly CohortDay[]) {
  const rows = days.reduce((sum, { scores }) => sum + scores.length, 0);
  const scores = new Float64Array(rows);
  const labels = new Uint8Array(rows);
  let at = 0;
  for (const day of days) {
    scores.set(day.scores, at);
    labels.set(Uint8Array.from(day.labels), at);
    at += day.scores.length;
  }
  return { scores, labels };
}
