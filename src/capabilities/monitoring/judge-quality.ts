import { blockJackknife, type BlockSpread } from '../../base/stats/block-jackknife.ts';
import { studentQuantile } from '../../base/stats/student-t.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import { checkOf, percent, shown, type CheckTopic } from './check-of.ts';
import { COHORT_ROWS_MIN, isWhole, type CohortDay } from './cohort.ts';
import type { Check, QualityReference, QualitySpec } from './contract.ts';
import { DAY_MICROS, spanDays } from './periods.ts';
import { fitsMetric, isHigherBetter, qualityStatistic } from './quality-statistic.ts';

/**
 * Days of a version's first weeks that it is compared with; while it has fewer, all before the
 * window. One week would be too uncertain itself, and a season more is no longer how it began.
 */
export const REFERENCE_DAYS_MAX = 28;
/**
 * One-sided levels of the loss's lower bound: one to be told, one to breach. Evaluations of two
 * months look at about eight windows that do not overlap.
 */
const WARN_LEVEL = 0.95;
const BREACH_LEVEL = 0.999;

export interface QualityFound {
  readonly check: Check;
  /** Null until there are days enough. */
  readonly reference: QualityReference | null;
}

interface Asked {
  readonly spec: QualitySpec;
  readonly version: number;
  readonly at: Micros;
  /** Mature days of the version in order of time. */
  readonly cohorts: readonly CohortDay[];
}

/**
 * The metric over the newest `window` whole cohort days against the version's own first ones in
 * traffic: what it had on its training rows is no reference, because those are easier. Days are
 * blocks, and a day of the window counts as no less uncertain than those of the reference differ,
 * because a few days that happen to agree look surer than they are.
 */
export function judgeQuality(asked: Asked): QualityFound {
  const { spec, version, cohorts, at } = asked;
  const topic: CheckTopic = { kind: 'quality', subject: spec.metric, version };
  const whole = cohorts.filter((cohort) => isWhole(cohort, spec.coverage));
  const days = spanDays(spec.window);
  const window = whole.slice(-days);
  const before = whole.slice(0, -days).slice(0, REFERENCE_DAYS_MAX);
  const unsaid = tooLittle(asked, { whole, days, topic });
  if (unsaid !== null) return { check: unsaid, reference: null };
  if (!fitsMetric(spec.metric, whole)) {
    const text = `Labels other than 0 and 1 have no ${spec.metric}: use mae or rmse.`;
    return { check: checkOf(topic, 'no_data', text), reference: null };
  }
  const current = blockJackknife(qualityStatistic(spec.metric, window));
  const first = blockJackknife(qualityStatistic(spec.metric, before));
  if (current === null || first === null) {
    const text = `The ${spec.metric} is not defined: labels of one kind only, on all days but one.`;
    return { check: checkOf(topic, 'too_few_labels', text), reference: null };
  }
  const reference = referenceOf(asked, before, first);
  const check = compared({ topic, spec, window, current, before, first, at });
  return { check, reference };
}

function tooLittle(
  { spec, at, cohorts }: Asked,
  of: { readonly whole: readonly CohortDay[]; readonly days: number; readonly topic: CheckTopic },
): Check | null {
  const { whole, days, topic } = of;
  const rows = whole.reduce((sum, { labelled }) => sum + labelled, 0);
  const counts = { rows, days: whole.length };
  if (whole.length < 2 * days) {
    const partial = cohorts.length - whole.length;
    const without =
      partial === 0
        ? ''
        : ` Mature but left out: ${partial} ${partial === 1 ? 'day' : 'days'} labelled below ` +
          `${percent(spec.coverage)} or with under ${COHORT_ROWS_MIN} labels.`;
    const text =
      `${whole.length} of ${2 * days} whole labelled days so far: ${days} to compare with ` +
      `and ${days} to compare.${without}`;
    return checkOf(topic, 'too_few_labels', text, counts);
  }
  const newest = whole.at(-1)!;
  if (at - newest.until <= (days + 1) * DAY_MICROS) return null;
  const text =
    `The newest whole labelled day is ${dayText(newest.from)}, too long ago to say how good ` +
    'the answers are now.';
  return checkOf(topic, 'no_data', text, counts);
}

function compared(of: {
  readonly topic: CheckTopic;
  readonly spec: QualitySpec;
  readonly window: readonly CohortDay[];
  readonly current: BlockSpread;
  readonly before: readonly CohortDay[];
  readonly first: BlockSpread;
  readonly at: Micros;
}): Check {
  const { topic, spec, window, current, before, first } = of;
  const isUp = isHigherBetter(spec.metric);
  const loss = isUp ? first.value - current.value : current.value - first.value;
  // What one day alone is uncertain by, in the reference, carried over to as many as are compared.
  const usual = first.standardError * Math.sqrt(before.length / window.length);
  const isUsual = usual > current.standardError;
  const ofWindow = Math.max(usual, current.standardError);
  const error = Math.hypot(ofWindow, first.standardError);
  const degrees = welch([
    [ofWindow, (isUsual ? before.length : window.length) - 1],
    [first.standardError, before.length - 1],
  ]);
  const bound = (level: number) => loss - error * studentQuantile(level, degrees);
  const isLarge = loss >= spec.drop;
  const isBreach = isLarge && bound(BREACH_LEVEL) > 0;
  const isLikely = isLarge && bound(WARN_LEVEL) > 0;
  const reach = error * studentQuantile((1 + WARN_LEVEL) / 2, degrees);
  const range = `between ${shown(loss - reach)} and ${shown(loss + reach)}`;
  const text =
    `${spec.metric} ${shown(current.value)} over ${window.length} days until ` +
    `${dayText(window.at(-1)!.from)}, ${shown(first.value)} over its first ${before.length} in ` +
    `traffic: ${loss >= 0 ? 'worse' : 'better'} by ${shown(Math.abs(loss))} (the loss lies ` +
    `${range}, as days differ). ${verdict({ isBreach, isLikely, isLarge, spec })}`;
  return checkOf(topic, isBreach || isLikely ? 'warn' : 'ok', text, {
    isBreach,
    value: current.value,
    lower: loss - reach,
    upper: loss + reach,
    reference: first.value,
    threshold: spec.drop,
    rows: window.reduce((sum, { labelled }) => sum + labelled, 0),
    days: window.length,
  });
}

function verdict(of: {
  readonly isBreach: boolean;
  readonly isLikely: boolean;
  readonly isLarge: boolean;
  readonly spec: QualitySpec;
}): string {
  if (of.isBreach) return `More than ${of.spec.drop} and more than chance.`;
  if (of.isLikely) return 'Probably a real loss, but days like these come by chance too.';
  return of.isLarge ? 'Days differ by as much.' : `Within ${of.spec.drop}.`;
}

/** Degrees of freedom of a sum of independent errors (Welch 1947, Satterthwaite 1946). */
function welch(errors: readonly (readonly [error: number, degrees: number])[]): number {
  const total = errors.reduce((sum, [error]) => sum + error ** 2, 0);
  if (total === 0) return 1;
  const parts = errors.reduce((sum, [error, degrees]) => sum + error ** 4 / degrees, 0);
  return total ** 2 / parts;
}

function referenceOf(
  { spec, version }: Asked,
  days: readonly CohortDay[],
  { value, standardError }: BlockSpread,
): QualityReference {
  const reach = standardError * studentQuantile((1 + WARN_LEVEL) / 2, days.length - 1);
  return {
    version,
    metric: spec.metric,
    from: formatInstant(days[0]!.from),
    until: formatInstant(days.at(-1)!.until),
    value,
    lower: value - reach,
    upper: value + reach,
    rows: days.reduce((sum, { labelled }) => sum + labelled, 0),
    days: days.length,
  };
}

export function dayText(at: Micros): string {
  return formatInstant(at).slice(0, 10);
}
