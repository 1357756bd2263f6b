import { jensenShannonMeasure } from '../../base/stats/drift-measure.ts';
import { binCountOf, mergeCounts, rowsOf, type Bins } from '../../base/stats/histogram.ts';
import { micros, type Micros } from '../../base/time.ts';
import type { VersionFacts } from './build-profile.ts';
import type { ColumnBin } from './contract.ts';
import { profileFile, sliceFile, type EvaluateDeps, type StoredSlice } from './evaluate.ts';
import { DAY_MICROS, slicesOf, type Period } from './periods.ts';
import { decodeProfile, type ColumnProfile, type Profile } from './profile.ts';
import { columnCounts } from './slice.ts';

export interface ColumnDaysInput extends Period {
  readonly endpoint: string;
  readonly facts: VersionFacts;
  readonly column: string;
  /** How often the monitor is evaluated, microseconds. */
  readonly every: number;
}

export interface ColumnDayFound extends Period {
  readonly rows: number;
  readonly shares: readonly number[];
  readonly distance: number | null;
}

/** What is known of the column; `columns` tells the others where it is none of the version's. */
export type ColumnDaysFound =
  | { readonly kind: 'no_profile' }
  | { readonly kind: 'no_column'; readonly columns: readonly string[] }
  | {
      readonly kind: 'found';
      readonly bins: readonly ColumnBin[];
      readonly reference: {
        readonly from: Micros;
        readonly until: Micros;
        readonly rows: number;
        readonly days: number;
        readonly shares: readonly number[];
        readonly least: readonly number[];
        readonly greatest: readonly number[];
      };
      readonly days: readonly ColumnDayFound[];
    };

/** A column's histograms by day from what evaluations have kept, beside the version's profile. */
export async function columnDays(
  { files }: Pick<EvaluateDeps, 'files'>,
  input: ColumnDaysInput,
): Promise<ColumnDaysFound> {
  const { endpoint, facts, column } = input;
  const profile = await files.read(endpoint, profileFile(facts), decodeProfile);
  if (profile === null) return { kind: 'no_profile' };
  const own = [...profile.columns, ...(profile.score === null ? [] : [profile.score])];
  const found = own.find(({ name }) => name === column);
  if (found === undefined) return { kind: 'no_column', columns: own.map(({ name }) => name) };
  const whole = mergeCounts(found.days);
  const days: ColumnDayFound[] = [];
  for (const [from, counts] of await countsByDay(files, input, found)) {
    days.push({
      from,
      until: micros(from + DAY_MICROS),
      rows: rowsOf(counts),
      shares: sharesOf(counts),
      distance: rowsOf(counts) === 0 ? null : jensenShannonMeasure.of(whole, counts),
    });
  }
  return {
    kind: 'found',
    bins: binsOf(found.bins),
    reference: referenceOf(profile, found, whole),
    days,
  };
}

async function countsByDay(
  files: EvaluateDeps['files'],
  { endpoint, facts, from, until, every }: ColumnDaysInput,
  { name, bins }: ColumnProfile,
): Promise<ReadonlyMap<Micros, Float64Array>> {
  const found = new Map<Micros, Float64Array>();
  for (const period of slicesOf({ from, until }, every)) {
    const stored = await files.read<StoredSlice>(endpoint, sliceFile(period), (value) => value);
    if (stored?.profiled.includes(profileFile(facts)) !== true) continue;
    const own = stored.slices.filter(({ version }) => version === facts.version);
    const counts = columnCounts(own, name);
    if (counts?.length !== binCountOf(bins)) continue;
    const day = micros(Math.floor(period.from / DAY_MICROS) * DAY_MICROS);
    found.set(day, mergeCounts([found.get(day) ?? new Float64Array(0), counts]));
  }
  return found;
}

function referenceOf({ from, until }: Profile, { days }: ColumnProfile, whole: Float64Array) {
  const filled = days.filter((counts) => rowsOf(counts) > 0).map(sharesOf);
  const shares = sharesOf(whole);
  const across = (pick: (...of: number[]) => number) =>
    shares.map((share, bin) => pick(share, ...filled.map((day) => day[bin]!)));
  return {
    from: micros(from),
    until: micros(until),
    rows: rowsOf(whole),
    days: filled.length,
    shares,
    least: across(Math.min),
    greatest: across(Math.max),
  };
}

function sharesOf(counts: Float64Array): readonly number[] {
  const rows = rowsOf(counts);
  return Array.from(counts, (count) => (rows === 0 ? 0 : count / rows));
}

function binsOf(bins: Bins): readonly ColumnBin[] {
  const missing = { kind: 'missing' } as const;
  if (bins.kind === 'category') {
    const levels = bins.levels.map((level) => ({ kind: 'level' as const, level }));
    return [...levels, { kind: 'other' }, missing];
  }
  const numbers = Array.from({ length: bins.edges.length + 1 }, (_, at) => ({
    kind: 'numbers' as const,
    from: bins.edges[at - 1] ?? null,
    until: bins.edges[at] ?? null,
  }));
  return [...numbers, missing];
}
