import {
  binCountOf,
  binOfNumber,
  categoryBins,
  countCategories,
  numericBins,
  type Bins,
} from '../../base/stats/histogram.ts';
import { DAY_MICROS, HOUR_MICROS } from './periods.ts';

/** The name of what a version answers among its columns. */
export const SCORE = 'score';

/** How one column was distributed on the rows that a version was trained on. */
export interface ColumnProfile {
  readonly name: string;
  readonly bins: Bins;
  /** Rows in each bin, one histogram a day, in the order of time. */
  readonly days: readonly Float64Array[];
  /** Of finite numbers; null when there are none. */
  readonly least: number | null;
  readonly greatest: number | null;
}

/** What a version is compared with: made once, from the rows it was trained on. */
export interface Profile {
  readonly version: number;
  readonly rows: number;
  /** Of the days with histograms: the first one's begin and the last one's end, microseconds. */
  readonly from: number;
  readonly until: number;
  readonly days: number;
  /** Features, then what requests bring that is no feature by that name. */
  readonly columns: readonly ColumnProfile[];
  /** What the version gives on those rows; null for a model without a score. */
  readonly score: ColumnProfile | null;
}

export interface ProfiledRows {
  /** Microseconds, in no order. */
  readonly times: Float64Array;
  readonly columns: ReadonlyMap<string, Float64Array>;
  /** What the version gives on some of these rows; null for a model without a score. */
  readonly scores: { readonly times: Float64Array; readonly values: Float64Array } | null;
  /** What the service would have been asked with for these rows; null when it is not known. */
  readonly inputs: ProfiledInputs | null;
}

export interface ProfiledInputs {
  readonly times: Float64Array;
  /** Texts, null for missing. */
  readonly texts: ReadonlyMap<string, readonly (string | null)[]>;
  readonly numbers: ReadonlyMap<string, Float64Array>;
}

/** Days kept of a long training set: the newest; a floor needs some ten, a profile no year. */
export const PROFILE_DAYS_MAX = 92;

/** The profile of training rows, in whole UTC days where there are any. */
export function profileOf(version: number, rows: ProfiledRows): Profile {
  const steps = profileSteps(version, rows);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same, column by column: each sorts all rows, and others may have work in between. */
export function* profileSteps(
  version: number,
  rows: ProfiledRows,
): Generator<undefined, Profile, undefined> {
  const days = wholeDays(rows.times);
  const { scores } = rows;
  const columns: ColumnProfile[] = [];
  const ofRows = daysOfRows(rows.times, days);
  for (const [name, values] of rows.columns) {
    columns.push(columnOf(name, values, ofRows));
    yield;
  }
  const { times, numbers, texts } = rows.inputs ?? NO_INPUTS;
  const ofInputs = daysOfRows(times, days);
  for (const [name, values] of numbers) {
    if (!rows.columns.has(name)) columns.push(columnOf(name, values, ofInputs));
    yield;
  }
  for (const [name, values] of texts) {
    if (!rows.columns.has(name)) columns.push(textColumnOf(name, values, ofInputs));
    yield;
  }
  return {
    version,
    rows: rows.times.length,
    from: (days[0] ?? 0) * DAY_MICROS,
    until: ((days.at(-1) ?? -1) + 1) * DAY_MICROS,
    days: days.length,
    columns,
    score: scores === null ? null : columnOf(SCORE, scores.values, daysOfRows(scores.times, days)),
  };
}

/** Day numbers since 1970; the first and the last one only when rows reach over their ends. */
function wholeDays(times: Float64Array): readonly number[] {
  let [first, last] = [Infinity, -Infinity];
  const found = new Set<number>();
  for (const time of times) {
    found.add(Math.floor(time / DAY_MICROS));
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const all = [...found].sort((a, b) => a - b);
  const whole = all.filter((day) => {
    const from = day * DAY_MICROS;
    return first <= from + HOUR_MICROS && last >= from + DAY_MICROS - HOUR_MICROS;
  });
  return (whole.length === 0 ? all : whole).slice(-PROFILE_DAYS_MAX);
}

function columnOf(name: string, values: Float64Array, days: RowDays): ColumnProfile {
  const bins = numericBins(values);
  const missing = binCountOf(bins) - 1;
  const counts = days.all.map(() => new Float64Array(missing + 1));
  let [least, greatest] = [Infinity, -Infinity];
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row]!;
    if (Number.isFinite(value)) {
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
    const day = days.ofRow[row]!;
    if (day < 0) continue;
    counts[day]![Number.isNaN(value) ? missing : binOfNumber(bins, value)]! += 1;
  }
  const isEmpty = least > greatest;
  return {
    name,
    bins,
    days: counts,
    least: isEmpty ? null : least,
    greatest: isEmpty ? null : greatest,
  };
}

/** The days that are kept, and which of them each row is of; -1 for none. */
interface RowDays {
  readonly all: readonly number[];
  readonly ofRow: Int32Array;
}

function daysOfRows(times: Float64Array, all: readonly number[]): RowDays {
  const places = new Map(all.map((day, place) => [day, place]));
  const place = (time: number) => places.get(Math.floor(time / DAY_MICROS)) ?? -1;
  return { all, ofRow: Int32Array.from(times, place) };
}

const NO_INPUTS: ProfiledInputs = {
  times: new Float64Array(0),
  texts: new Map(),
  numbers: new Map(),
};

function textColumnOf(
  name: string,
  values: readonly (string | null)[],
  days: RowDays,
): ColumnProfile {
  const bins = categoryBins(values);
  const byDay = days.all.map((): (string | null)[] => []);
  for (const [row, day] of days.ofRow.entries()) byDay[day]?.push(values[row]!);
  const counts = byDay.map((of) => countCategories(bins, of));
  return { name, bins, days: counts, least: null, greatest: null };
}

/** Stored form: histograms as plain lists. */
export interface StoredProfile extends Omit<Profile, 'columns' | 'score'> {
  readonly columns: readonly StoredColumn[];
  readonly score: StoredColumn | null;
}

interface StoredColumn extends Omit<ColumnProfile, 'days'> {
  readonly days: readonly (readonly number[])[];
}

export function encodeProfile(profile: Profile): StoredProfile {
  const encode = (column: ColumnProfile): StoredColumn => ({
    ...column,
    days: column.days.map((counts) => [...counts]),
  });
  const { columns, score } = profile;
  return {
    ...profile,
    columns: columns.map(encode),
    score: score === null ? null : encode(score),
  };
}

export function decodeProfile(stored: StoredProfile): Profile {
  const decode = (column: StoredColumn): ColumnProfile => ({
    ...column,
    days: column.days.map((counts) => Float64Array.from(counts)),
  });
  const { columns, score } = stored;
  return {
    ...stored,
    columns: columns.map(decode),
    score: score === null ? null : decode(score),
  };
}
