import type { DriftMeasure, RowNoise } from './drift-measure.ts';
import { fisherQuantile, fisherTail } from './fisher-f.ts';
import { mergeCounts } from './histogram.ts';

export interface CurrentWindow {
  /** Rows that the measure will be computed from. */
  readonly rows: number;
  /** Days that they are of, at least 1. */
  readonly days: number;
}

export interface NoiseFloor {
  /** A measure above it is seen with probability 1 - level at most when nothing drifted. */
  readonly floor: number;
  readonly level: number;
  /**
   * `day-blocks`: from how reference days differ from each other. `row-noise`: with fewer than
   * three days of reference, from row counts alone, so that days which differ give false alarms.
   */
  readonly method: 'day-blocks' | 'row-noise';
  readonly referenceDays: number;
  readonly referenceRows: number;
  readonly windowDays: number;
  readonly windowRows: number;
}

/** Fewer windows have no spread worth the name. */
const WINDOWS_MIN = 3;

/**
 * How large a drift measure gets without drift, between this reference (one histogram a day, in
 * the order of time) and a window of so many rows and days. Null without reference or window rows,
 * or with a level outside (0, 1).
 *
 * Never below the closed form for independent rows. Beyond it, windows of as many successive
 * reference days (at most half of them) are measured against the other days. What they exceed the
 * mean of independent rows by is the days' own part, which shrinks with days, not with rows: it is
 * scaled to the window's days, the row part to its rows, and their sum to the quantile of Fisher's
 * F, whose degrees come from the spread of the windows and from how many of them do not overlap, so
 * that few reference days give a higher floor.
 *
 * Measured without drift at level 0.95, 250 windows each of 50 to 3,500 rows in 1 to 7 days against
 * 7 to 28 days of 500 rows: false alarms of PSI, Jensen-Shannon and Kolmogorov-Smirnov in 0 to 6 of
 * 100 where days are alike, 2 to 11 where they differ (up to 17 with 7 reference days), 2 to 16
 * where each day is also correlated by 0.5 with the one before; of Wasserstein in 0 to 8. The
 * closed form alone: 3 to 8, 5 to 96 and 9 to 93.
 */
export function noiseFloor(
  measure: DriftMeasure,
  referenceDays: readonly Float64Array[],
  window: CurrentWindow,
  level = 0.95,
): NoiseFloor | null {
  const law = quietLaw(measure, referenceDays, window);
  return law === null || !(level > 0 && level < 1) ? null : floorOf(law, measure, window, level);
}

/** What was measured, with the chance of as much without drift. */
export interface DriftFinding extends NoiseFloor {
  readonly value: number;
  /** From the law that `floor` is a quantile of: what is adjusted for the number of columns. */
  readonly pValue: number;
}

/**
 * A drift measure of a window against a reference of days, with its noise floor. Null where either
 * has no rows that the measure can use.
 */
export function measureDrift(
  measure: DriftMeasure,
  referenceDays: readonly Float64Array[],
  current: { readonly counts: Float64Array; readonly days: number },
  level = 0.95,
): DriftFinding | null {
  const window = { rows: measure.rows(current.counts), days: current.days };
  const law = quietLaw(measure, referenceDays, window);
  if (law === null || !(level > 0 && level < 1)) return null;
  const value = measure.of(law.whole, current.counts);
  if (value === null) return null;
  const power = value ** measure.power;
  const ofRows = law.noise.tail(power / law.scale);
  const ofDays =
    law.days === null
      ? 0
      : fisherTail(power / law.days.mean, law.days.degrees, law.days.degrees * law.days.windows);
  return { ...floorOf(law, measure, window, level), value, pValue: Math.max(ofRows, ofDays) };
}

/** How a measure's power is distributed without drift. */
interface QuietLaw {
  readonly whole: Float64Array;
  readonly referenceDays: number;
  readonly noise: RowNoise;
  readonly scale: number;
  readonly days: DayPart | null;
}

interface DayPart {
  readonly mean: number;
  readonly degrees: number;
  /** Reference windows that do not overlap, less one for their common mean. */
  readonly windows: number;
}

function quietLaw(
  measure: DriftMeasure,
  referenceDays: readonly Float64Array[],
  window: CurrentWindow,
): QuietLaw | null {
  const days = referenceDays.filter((counts) => measure.rows(counts) > 0);
  const whole = mergeCounts(days);
  const rows = measure.rows(whole);
  if (!(rows > 0 && window.rows > 0)) return null;
  const noise = measure.noise(whole, window.rows);
  const scale = 1 / rows + 1 / window.rows;
  return {
    whole,
    referenceDays: days.length,
    noise,
    scale,
    days: windowPart(measure, days, noise, scale, Math.max(1, window.days)),
  };
}

function floorOf(
  { whole, referenceDays, noise, scale, days }: QuietLaw,
  measure: DriftMeasure,
  window: CurrentWindow,
  level: number,
): NoiseFloor {
  const ofRows = noise.quantile(level) * scale;
  const ofDays =
    days === null
      ? 0
      : days.mean * fisherQuantile(level, days.degrees, days.degrees * days.windows);
  return {
    floor: Math.max(ofRows, ofDays) ** (1 / measure.power),
    level,
    method: days === null ? 'row-noise' : 'day-blocks',
    referenceDays,
    referenceRows: measure.rows(whole),
    windowDays: window.days,
    windowRows: window.rows,
  };
}

/** The days' part and the rows' part for a window of so many days and rows, together. */
function windowPart(
  measure: DriftMeasure,
  days: readonly Float64Array[],
  noise: RowNoise,
  scale: number,
  windowDays: number,
): DayPart | null {
  const total = days.length;
  const length = Math.min(Math.ceil(windowDays), Math.floor(total / 2));
  const part = dayPart(measure, days, length);
  if (part === null) return null;
  const ofDays = (part.mean * (1 / windowDays + 1 / total)) / (1 / length + 1 / (total - length));
  const ofRows = noise.mean * scale;
  const mean = ofDays + ofRows;
  const variance = (2 * ofDays ** 2) / part.degrees + rowVariance(ofDays, ofRows, noise.degrees);
  if (!(variance > 0)) return null;
  return { mean, degrees: (2 * mean * mean) / variance, windows: part.windows };
}

/** What windows of so many reference days differ from the other days by, beyond row noise. */
function dayPart(
  measure: DriftMeasure,
  days: readonly Float64Array[],
  length: number,
): DayPart | null {
  if (length === 0) return null;
  const whole = mergeCounts(days);
  const seen: number[] = [];
  let [ofRows, rowDegrees] = [0, 0];
  for (let from = 0; from + length <= days.length; from++) {
    const inside = mergeCounts(days.slice(from, from + length));
    const outside = whole.map((count, bin) => count - inside[bin]!);
    const value = measure.of(outside, inside);
    if (value === null) continue;
    const [inRows, outRows] = [measure.rows(inside), measure.rows(outside)];
    const noise = measure.noise(whole, Math.min(inRows, outRows));
    seen.push(value ** measure.power);
    ofRows += noise.mean * (1 / inRows + 1 / outRows);
    rowDegrees += noise.degrees;
  }
  if (seen.length < WINDOWS_MIN) return null;
  ofRows /= seen.length;
  rowDegrees /= seen.length;
  const average = seen.reduce((sum, value) => sum + value, 0) / seen.length;
  const squares = seen.reduce((sum, value) => sum + (value - average) ** 2, 0);
  const mean = Math.max(0, average - ofRows);
  const variance = squares / (seen.length - 1) - rowVariance(mean, ofRows, rowDegrees);
  const degrees = variance > 0 ? (2 * mean * mean) / variance : Infinity;
  return {
    mean,
    degrees: Math.min(rowDegrees, Math.max(1, degrees)),
    windows: Math.max(1, days.length / length - 1),
  };
}

/** Variance that row noise adds to a fixed part: that of a noncentral chi-squared variable. */
function rowVariance(fixed: number, ofRows: number, degrees: number): number {
  return (2 * ofRows ** 2 + 4 * fixed * ofRows) / degrees;
}
