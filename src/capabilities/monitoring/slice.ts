import {
  countCategories,
  countNumbers,
  type CategoryBins,
  type NumericBins,
} from '../../base/stats/histogram.ts';
import type { Micros } from '../../base/time.ts';
import type { LabelledRequests, TextColumn } from '../predictions/labelled-requests.ts';
import type { Period } from './periods.ts';
import { SCORE, type ColumnProfile, type Profile } from './profile.ts';

/** What one version was asked and answered in one piece of time, as counts that add up. */
export interface Slice {
  readonly from: Micros;
  readonly until: Micros;
  readonly version: number;
  readonly requests: number;
  /** Of them answered with a status of 400 or more. */
  readonly errors: number;
  /** Answers by duration, an eighth of an octave of microseconds each. */
  readonly latency: readonly number[];
  /** Rows that had features or a score. */
  readonly rows: number;
  readonly columns: Readonly<Record<string, SliceColumn>>;
}

export interface SliceColumn {
  /** Over the profile's bins, the last one of missing values. */
  readonly counts: readonly number[];
  /** Values below the least and above the greatest that the version was trained on. */
  readonly below: number;
  readonly above: number;
  readonly least: number | null;
  readonly greatest: number | null;
}

const OCTAVE_PARTS = 8;
const LATENCY_BINS = 30 * OCTAVE_PARTS;
/** Requests of a slice whose columns are counted; of more, some that follow from their ids. */
export const SLICE_ROWS_MAX = 200_000;

/**
 * Counts of each version's rows in the period; a version without a profile has no columns. `rows`
 * may reach beyond the period.
 */
export function slicesIn(
  rows: LabelledRequests,
  period: Period,
  profiles: ReadonlyMap<number, Profile>,
): readonly Slice[] {
  const byVersion = new Map<number, number[]>();
  for (let row = 0; row < rows.rowCount; row += 1) {
    const time = rows.answeredAt[row]!;
    if (time < period.from || time >= period.until) continue;
    const version = rows.version[row]!;
    const found = byVersion.get(version);
    if (found === undefined) byVersion.set(version, [row]);
    else found.push(row);
  }
  return [...byVersion]
    .sort(([a], [b]) => a - b)
    .map(([version, found]) => sliceOf(rows, found, { period, version, profiles }));
}

function sliceOf(
  rows: LabelledRequests,
  found: readonly number[],
  of: {
    readonly period: Period;
    readonly version: number;
    readonly profiles: ReadonlyMap<number, Profile>;
  },
): Slice {
  const latency = Array.from({ length: LATENCY_BINS }, () => 0);
  let errors = 0;
  for (const row of found) {
    if (rows.status[row]! >= 400) errors += 1;
    latency[latencyBin(rows.totalUs[row]!)]! += 1;
  }
  const answered = found.filter((row) => rows.status[row]! < 400 && rows.hasDocuments[row] === 1);
  const columns: Record<string, SliceColumn> = {};
  const profile = of.profiles.get(of.version);
  for (const column of profile?.columns ?? []) {
    const found = columnIn(rows, column, answered);
    if (found !== null) columns[column.name] = found;
  }
  const score = profile?.score ?? null;
  if (score !== null && score.bins.kind === 'numeric') {
    columns[SCORE] = columnOf(score, score.bins, { values: rows.score, rows: answered });
  }
  return {
    ...of.period,
    version: of.version,
    requests: found.length,
    errors,
    latency: trimmed(latency),
    rows: answered.length,
    columns,
  };
}

/** The column's counts, as a feature or as what requests brought; null where it is neither. */
function columnIn(
  rows: LabelledRequests,
  column: ColumnProfile,
  answered: readonly number[],
): SliceColumn | null {
  const { name, bins } = column;
  if (bins.kind === 'category') {
    const texts = rows.texts.get(name);
    return texts === undefined ? null : textColumnOf(bins, texts, answered);
  }
  const values = rows.features.get(name) ?? rows.numbers.get(name);
  return values === undefined ? null : columnOf(column, bins, { values, rows: answered });
}

function textColumnOf(
  bins: CategoryBins,
  { codes, values }: TextColumn,
  rows: readonly number[],
): SliceColumn {
  const texts = rows.map((row) => values[codes[row]!] ?? null);
  const counts = [...countCategories(bins, texts)];
  return { counts, below: 0, above: 0, least: null, greatest: null };
}

function columnOf(
  { least, greatest }: ColumnProfile,
  bins: NumericBins,
  of: { readonly values: Float64Array; readonly rows: readonly number[] },
): SliceColumn {
  const values = new Float64Array(of.rows.length);
  // A loop: of millions of values `Float64Array.from` would take ten times as long.
  for (let at = 0; at < values.length; at += 1) values[at] = of.values[of.rows[at]!]!;
  let [below, above, low, high] = [0, 0, Infinity, -Infinity];
  for (const value of values) {
    if (least !== null && value < least) below += 1;
    if (greatest !== null && value > greatest) above += 1;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const counts = [...countNumbers(bins, values)];
  const isEmpty = low > high;
  return { counts, below, above, least: isEmpty ? null : low, greatest: isEmpty ? null : high };
}

function latencyBin(us: number): number {
  const bin = Math.floor(Math.log2(Math.max(1, us)) * OCTAVE_PARTS);
  return Math.min(LATENCY_BINS - 1, bin);
}

function trimmed(counts: readonly number[]): readonly number[] {
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1);
}

/** The duration that this share of the answers stays below, within an eighth of an octave. */
export function latencyQuantile(slices: readonly Slice[], share: number): number | null {
  const total = slices.reduce((sum, { latency }) => sum + sumOf(latency), 0);
  if (total === 0) return null;
  let seen = 0;
  for (let bin = 0; ; bin += 1) {
    seen += slices.reduce((sum, { latency }) => sum + (latency[bin] ?? 0), 0);
    if (seen >= share * total) return Math.round(2 ** ((bin + 0.5) / OCTAVE_PARTS));
  }
}

/** The histogram of one column over several slices; null when none has it. */
export function columnCounts(slices: readonly Slice[], name: string): Float64Array | null {
  let merged: Float64Array | null = null;
  for (const { columns } of slices) {
    const column = columns[name];
    if (column === undefined) continue;
    merged ??= new Float64Array(column.counts.length);
    for (const [bin, count] of column.counts.entries()) merged[bin]! += count;
  }
  return merged;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
