import { formatInstant, micros } from '../../base/time.ts';
import type { Compared, ComparedPeriod, ComparedVersion, Comparison } from './compare-contract.ts';
import { blockMetrics, figuresOf, improvementsOf, type ScoredBlock } from './compare-figures.ts';
import {
  readComparedRows,
  type ComparedRows,
  type CompareRowsDeps,
  type RowsRequest,
} from './compare-rows.ts';
import { DAY_MICROS } from './periods.ts';
import { versionScores, type VersionScoresDeps } from './version-scores.ts';

export interface CompareInput extends RowsRequest {
  readonly versions: readonly {
    readonly version: Compared;
    /** Absolute; null for what was served. */
    readonly modelFile: string | null;
  }[];
  readonly base: Compared;
  readonly per: 'day' | 'week';
  readonly level: number;
}

export type CompareOutcome = Pick<
  Comparison,
  'rows' | 'positives' | 'days' | 'leftOut' | 'versions' | 'periods'
>;

export interface CompareDeps extends CompareRowsDeps, VersionScoresDeps {}

/**
 * Blocks of a comparison: what bounds cost grows with their cube for the AUC. More days are taken
 * as blocks of several days, which are as independent.
 */
const BLOCKS_MAX = 62;

/** Scores every version on the same rows and compares each with the base, by blocks of days. */
export async function compareVersions(
  deps: CompareDeps,
  input: CompareInput,
  signal: AbortSignal,
): Promise<CompareOutcome> {
  const rows = await readComparedRows(deps, input, signal);
  const scores: Float64Array[] = [];
  for (const { version, modelFile } of input.versions) {
    const own =
      modelFile === null
        ? servedScores(rows)
        : await versionScores(deps, { version, modelFile, rows, layout: input.layout }, signal);
    scores.push(own);
  }
  return compareScores(rows, scores, input);
}

function servedScores({ served, times }: ComparedRows): Float64Array {
  return served ?? new Float64Array(times.length).fill(NaN);
}

/** What some versions' scores on the same rows say; only rows that all of them scored count. */
export function compareScores(
  rows: Pick<ComparedRows, 'times' | 'labels' | 'leftOut'>,
  scores: readonly Float64Array[],
  on: Pick<CompareInput, 'versions' | 'base' | 'per' | 'level'>,
): CompareOutcome {
  const { versions, base, per, level } = on;
  const isScored = (row: number): boolean => scores.every((own) => Number.isFinite(own[row]));
  const kept = [...rows.times.keys()].filter(isScored);
  const labels = kept.map((row) => rows.labels[row]!);
  const isBinary = labels.every((label) => label === 0 || label === 1);
  const cut = (of: readonly number[], own: Float64Array): ScoredBlock => ({
    scores: Float64Array.from(of, (row) => own[row]!),
    labels: Float64Array.from(of, (row) => rows.labels[row]!),
  });
  const days = byDay(rows.times, kept);
  const blocks = blocksOf(days);
  const metrics = scores.map((own) =>
    blockMetrics(
      blocks.map((block) => cut(block, own)),
      isBinary,
    ),
  );
  const baseAt = versions.findIndex(({ version }) => version === base);
  const compared = versions.map(({ version }, at): ComparedVersion => ({
    version,
    missing: scores[at]!.reduce((sum, score) => sum + (Number.isFinite(score) ? 0 : 1), 0),
    ...figuresOf(cut(kept, scores[at]!), isBinary),
    improvements:
      at === baseAt
        ? []
        : improvementsOf(metrics[baseAt]!, metrics[at]!, { level, rows: kept.length }),
  }));
  const periods = periodsOf(days, per).map((period): ComparedPeriod => ({
    from: formatInstant(micros(period.from)),
    until: formatInstant(micros(period.until)),
    rows: period.rows.length,
    positives: positivesOf(period.rows, rows.labels),
    versions: versions.map(({ version }, at) => ({
      version,
      ...figuresOf(cut(period.rows, scores[at]!), isBinary),
    })),
  }));
  const { leftOut } = rows;
  return {
    rows: kept.length,
    positives: positivesOf(kept, rows.labels),
    days: days.length,
    leftOut: { ...leftOut, unscored: rows.times.length - kept.length },
    versions: compared,
    periods,
  };
}

function positivesOf(rows: readonly number[], labels: Float64Array): number {
  return rows.reduce((sum, row) => sum + (labels[row] === 1 ? 1 : 0), 0);
}

interface Day {
  /** Number of the day since 1970, UTC. */
  readonly day: number;
  readonly rows: number[];
}

/** Days that hold rows, oldest first. */
function byDay(times: Float64Array, rows: readonly number[]): readonly Day[] {
  const days = new Map<number, Day>();
  for (const row of rows) {
    const day = Math.floor(times[row]! / DAY_MICROS);
    let own = days.get(day);
    if (own === undefined) days.set(day, (own = { day, rows: [] }));
    own.rows.push(row);
  }
  return [...days.values()].toSorted((a, b) => a.day - b.day);
}

function blocksOf(days: readonly Day[]): readonly (readonly number[])[] {
  const size = Math.max(1, Math.ceil(days.length / BLOCKS_MAX));
  const blocks: number[][] = [];
  for (let at = 0; at < days.length; at += size) {
    blocks.push(days.slice(at, at + size).flatMap((day) => day.rows));
  }
  return blocks;
}

/** Days, or runs of seven from the first one on. */
function periodsOf(days: readonly Day[], per: 'day' | 'week') {
  const length = per === 'day' ? 1 : 7;
  const first = days[0]?.day ?? 0;
  const grouped = Map.groupBy(days, ({ day }) => Math.floor((day - first) / length));
  return [...grouped].map(([period, own]) => {
    const from = (first + period * length) * DAY_MICROS;
    const until = from + length * DAY_MICROS;
    return { from, until, rows: own.flatMap((day) => day.rows) };
  });
}
