import { adjustedP } from '../../base/stats/benjamini-hochberg.ts';
import { jensenShannonMeasure } from '../../base/stats/drift-measure.ts';
import { mergeCounts, rowsOf } from '../../base/stats/histogram.ts';
import { noiseFloor } from '../../base/stats/noise-floor.ts';
import { medianOf } from '../../base/stats/quantile.ts';
import { checkOf, shown, type CheckTopic } from './check-of.ts';
import type { Check, DriftSpec } from './contract.ts';
import { spanDays } from './periods.ts';
import { SCORE, type ColumnProfile, type Profile } from './profile.ts';
import { columnCounts, type Slice } from './slice.ts';

/** Below this a histogram is mostly noise, whatever the floor says. */
const ROWS_MIN = 50;

interface Asked {
  readonly spec: DriftSpec;
  readonly profile: Profile;
  readonly slices: readonly Slice[];
}

interface Measured {
  readonly column: ColumnProfile;
  readonly topic: CheckTopic;
  readonly rows: number;
  readonly days: number;
  readonly distance: number;
  /** What the distance stays below without drift, at the level of one column alone. */
  readonly floor: number;
  readonly p: number;
  readonly isShort: boolean;
}

/**
 * How far columns and score moved from what the version was trained on: a column drifted when the
 * distance is both worth telling of and beyond what days of the training set differ from each other
 * by, with the false discoveries among all columns held down (Benjamini and Hochberg 1995).
 */
export function judgeDrift(of: Asked & { readonly ignore: ReadonlySet<string> }): readonly Check[] {
  const { spec, profile, slices, ignore } = of;
  const { version } = profile;
  const of1 = slices.filter((slice) => slice.version === version);
  const columns = profile.columns.filter(({ name }) => !ignore.has(name));
  const features = columns.map((column) =>
    measure(column, { kind: 'drift', subject: column.name, version }, { ...of, slices: of1 }),
  );
  const checks = judged(features, spec);
  if (profile.score === null) return checks;
  const topic = { kind: 'score_drift', subject: SCORE, version } as const;
  return [...checks, ...judged([measure(profile.score, topic, { ...of, slices: of1 })], spec)];
}

function measure(
  column: ColumnProfile,
  topic: CheckTopic,
  { spec, profile, slices }: Asked,
): Measured | Check {
  const counts = columnCounts(slices, column.name);
  const rows = counts === null ? 0 : rowsOf(counts);
  const days = spanDays(spec.window);
  if (counts === null || rows < ROWS_MIN) {
    const text = `${rows} values in the window; at least ${ROWS_MIN} say something.`;
    return checkOf(topic, 'no_data', text, { rows });
  }
  const window = { rows, days };
  const whole = mergeCounts(column.days);
  const distance = jensenShannonMeasure.of(whole, counts);
  const found = noiseFloor(jensenShannonMeasure, column.days, window, 1 - spec.level);
  if (distance === null || found === null) {
    return checkOf(topic, 'no_data', 'The training rows have no values to compare with.', { rows });
  }
  const { method } = found;
  // Scores have no window that would make them slow.
  const slow = topic.kind === 'drift' ? slowFloor(column, ageOf(profile, slices)) : 0;
  const floor = Math.max(found.floor, slow);
  const isNear = distance <= floor || distance < spec.effect;
  const p = isNear ? 1 : chanceOf(distance, column, window);
  return { column, topic, rows, days, distance, floor, p, isShort: method === 'row-noise' };
}

/** How many times as long ago as the quarters of the training set lie apart, its days were. */
function ageOf({ from, until }: Profile, slices: readonly Slice[]): number {
  const last = slices.at(-1);
  if (last === undefined || until <= from) return 1;
  const middle = (from + until) / 2;
  return ((last.from + last.until) / 2 - middle) / (((until - from) * 3) / 4);
}

const QUARTERS = 4;
/** Times that what was seen within the training days is carried on at most. */
const SLOW_FACTOR_MAX = 2;

/**
 * Averages over long windows move slowly: what days next to each other differ by says little of how
 * far they are apart in a month. For a column whose quarters differ by more than its neighbouring
 * days, how far it moved from the first to the last quarter of its training days, carried on as a
 * random walk to the time that has passed since; 0 for others.
 */
function slowFloor({ days }: ColumnProfile, age: number): number {
  const part = Math.floor(days.length / QUARTERS);
  if (part < 2) return 0;
  const [first, last] = [mergeCounts(days.slice(0, part)), mergeCounts(days.slice(-part))];
  const moved = jensenShannonMeasure.of(first, last) ?? 0;
  const steps = days
    .slice(1)
    .flatMap((day, index) => jensenShannonMeasure.of(days[index]!, day) ?? [])
    .sort((a, b) => a - b);
  if (moved < (medianOf(steps) ?? Infinity)) return 0;
  return moved * Math.min(SLOW_FACTOR_MAX, Math.sqrt(Math.max(1, age)));
}

/** Halvings of the exponent of a chance between 1 and 10^-12. */
const STEPS = 12;
const EXPONENT_MAX = 12;

/** The chance of such a distance without drift, from the floors at several levels. */
function chanceOf(
  distance: number,
  column: ColumnProfile,
  window: { readonly rows: number; readonly days: number },
): number {
  let [low, high] = [0, EXPONENT_MAX];
  for (let step = 0; step < STEPS; step += 1) {
    const exponent = (low + high) / 2;
    const level = 1 - 10 ** -exponent;
    const found = noiseFloor(jensenShannonMeasure, column.days, window, level);
    if (found === null || distance > found.floor) low = exponent;
    else high = exponent;
  }
  return 10 ** -low;
}

function judged(found: readonly (Measured | Check)[], spec: DriftSpec): readonly Check[] {
  const adjusted = adjustedP(found.map((one) => ('p' in one ? one.p : null)));
  return found.map((one, index) => {
    if (!('p' in one)) return one;
    const isBreach = adjusted[index]! <= spec.level;
    return described(one, isBreach, spec);
  });
}

function described(found: Measured, isBreach: boolean, spec: DriftSpec): Check {
  const { topic, distance, floor, rows, days, column, isShort } = found;
  const threshold = Math.max(floor, spec.effect);
  const size = `Distance ${shown(distance)} from its training rows over ${days === 1 ? 'one day' : `${days} days`}`;
  const verdict = isBreach
    ? 'moved'
    : distance > floor
      ? distance >= spec.effect
        ? 'beyond what days differ by, but not when so many columns are looked at'
        : `beyond what days differ by, but below ${spec.effect}, which is worth telling of`
      : 'as days differ';
  const short = isShort ? ' Too few training days to know how days differ: rows alone decide.' : '';
  const text = `${size}; without drift it stays below ${shown(floor)}: ${verdict}.${short}`;
  return checkOf(topic, isBreach ? 'warn' : 'ok', text, {
    isBreach,
    value: distance,
    reference: floor,
    threshold,
    rows,
    days: column.days.length === 0 ? 0 : days,
  });
}
