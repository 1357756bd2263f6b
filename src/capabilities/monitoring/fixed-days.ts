import { joinedDoubles } from '../../base/joined-doubles.ts';
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../base/errors.ts';
import { blockJackknife } from '../../base/stats/block-jackknife.ts';
import { differenceOf, wholeOf } from '../../base/stats/block-statistic.ts';
import { studentQuantile } from '../../base/stats/student-t.ts';
import { micros, type Micros } from '../../base/time.ts';
import { COHORT_ROWS_MAX, evenlySpaced, isWhole, type CohortDay } from './cohort.ts';
import {
  comparedRows,
  logRequest,
  type ComparedLayout,
  type ComparedRows,
} from './compare-rows.ts';
import type { QualitySpec } from './contract.ts';
import type { FixedBeside, FixedHistory } from './fixed-contract.ts';
import { DAY_MICROS, slicesOf, spanDays, type Period } from './periods.ts';
import { fitsMetric, isHigherBetter, qualityStatistic } from './quality-statistic.ts';
import type { ReadRows } from './rows-port.ts';
import { decodeFixedDay, encodeFixedDay, fixedFile, type ScoredDay } from './scored-day.ts';
import type { SummaryFiles } from './summary-files.ts';
import { versionScores, type VersionScoresDeps } from './version-scores.ts';

export interface FixedDaysInput extends Period {
  readonly endpoint: string;
  readonly version: number;
  /** Of its model file. */
  readonly digest: string;
  readonly modelFile: string;
  readonly layout: Exclude<ComparedLayout, 'any'>;
  readonly matureMicros: number;
  /** Labels that had occurred by then. */
  readonly at: Micros;
  readonly spec: QualitySpec;
}

export interface FixedDaysFound extends Pick<FixedHistory, 'waiting' | 'leftOut' | 'whole'> {
  readonly matureUntil: Micros;
  readonly days: readonly (Period & Pick<FixedHistory['days'][number], Beside>)[];
}
type Beside = 'rows' | 'isWhole' | 'window';

export interface FixedDaysDeps extends VersionScoresDeps {
  readonly files: SummaryFiles;
  readonly readRows: ReadRows;
}

/** Days scored in one task: as many as take seconds. */
const DAYS_A_TASK = 14;
/** How long a day without enough labels is looked at again, once a day: sources come back. */
const RETRY_DAYS = 14;
/** Windows computed before other tasks have their turn. */
const WINDOWS_A_TURN = 8;
/** Blocks of all days together: what they cost grows with their square. */
const BLOCKS_MAX = 62;
/** Two-sided, as quality references have it. */
const LEVEL = 0.975;

/**
 * A version scored on the mature requests of each day, whichever version answered them. Scores of
 * a day are kept, so that each is read once; some days a call, the newest first.
 */
export async function fixedDays(
  deps: FixedDaysDeps,
  input: FixedDaysInput,
  signal: AbortSignal,
): Promise<FixedDaysFound> {
  const { from, until, at, matureMicros, spec } = input;
  const mature = Math.floor((at - matureMicros) / DAY_MICROS) * DAY_MICROS;
  const end = Math.min(until, mature);
  // The first days' windows reach back before them.
  const reach = from - 2 * spanDays(spec.window) * DAY_MICROS;
  const found = new Map<number, ScoredDay>();
  const due: number[] = [];
  for (let day = end - DAY_MICROS; day >= reach; day -= DAY_MICROS) {
    const kept = await deps.files.read(input.endpoint, fixedFile(input, day), decodeFixedDay);
    if (kept !== null) found.set(day, kept);
    if (kept === null || isDue(kept, { spec, at, mature })) due.push(day);
  }
  for (const run of runsOf(due.slice(0, DAYS_A_TASK))) {
    for (const day of await scoreRuns(deps, input, run, signal)) found.set(day.from, day);
  }
  const days = [...found.values()].toSorted((a, b) => a.from - b.from);
  const waiting = Math.max(0, due.length - DAYS_A_TASK);
  return {
    matureUntil: micros(mature),
    waiting,
    leftOut: leftOutOf(days.filter((day) => day.from >= from)),
    ...(await besides(days, input)),
  };
}

/** Whether labels of a kept day may have come since. */
function isDue(
  day: ScoredDay,
  on: { readonly spec: QualitySpec; readonly at: Micros; readonly mature: number },
): boolean {
  if (on.at < day.at + DAY_MICROS || day.from < on.mature - RETRY_DAYS * DAY_MICROS) return false;
  return day.labelled < on.spec.coverage * day.requests;
}

/** Days that follow each other, given from the newest: they are read at once. */
function runsOf(days: readonly number[]): readonly Period[] {
  const runs: Period[] = [];
  for (const day of days) {
    const last = runs.at(-1);
    const until = micros(day + DAY_MICROS);
    if (last?.from === until) runs[runs.length - 1] = { from: micros(day), until: last.until };
    else runs.push({ from: micros(day), until });
  }
  return runs;
}

/** Day by day where there are too many requests to be read at once. */
async function scoreRuns(
  deps: FixedDaysDeps,
  input: FixedDaysInput,
  run: Period,
  signal: AbortSignal,
): Promise<readonly ScoredDay[]> {
  try {
    return await scoreRun(deps, input, run, signal);
  } catch (thrown) {
    const isTooMuch = thrown instanceof AppError && thrown.code === 'INVALID_INPUT';
    if (!isTooMuch || run.until - run.from <= DAY_MICROS) throw thrown;
  }
  const days: ScoredDay[] = [];
  for (const day of slicesOf(run, DAY_MICROS)) {
    days.push(...(await scoreRun(deps, input, day, signal)));
  }
  return days;
}

async function scoreRun(
  deps: FixedDaysDeps,
  input: FixedDaysInput,
  run: Period,
  signal: AbortSignal,
): Promise<readonly ScoredDay[]> {
  const { endpoint, matureMicros, at, layout } = input;
  const source = { kind: 'log', endpoint, matureMicros } as const;
  const request = { source, at, layout };
  const rows = await deps.readRows(logRequest({ ...request, ...run }), signal);
  const days: ScoredDay[] = [];
  for (let day = run.from; day < run.until; day = micros(day + DAY_MICROS)) {
    const period = { from: day, until: micros(day + DAY_MICROS) };
    const value = await scoreDay(
      deps,
      input,
      comparedRows(rows, { ...request, ...period }),
      signal,
    );
    const stored = { ...period, at, ...value };
    const name = fixedFile(input, day);
    await deps.files.write(endpoint, name, { value: stored, encode: encodeFixedDay });
    days.push(stored);
  }
  return days;
}

async function scoreDay(
  deps: FixedDaysDeps,
  { version, modelFile, layout }: FixedDaysInput,
  all: ComparedRows,
  signal: AbortSignal,
): Promise<Omit<ScoredDay, 'from' | 'until' | 'at'>> {
  const rows = evenlySpaced([...all.times.keys()], COHORT_ROWS_MAX);
  const pick = (values: Float64Array): Float64Array =>
    Float64Array.from(rows, (row) => values[row]!);
  const columns = new Map([...all.columns].map(([name, values]) => [name, pick(values)]));
  const own = { times: pick(all.times), columns };
  const scores = await versionScores(deps, { version, modelFile, rows: own, layout }, signal);
  const served = pick(all.served!);
  const isScored = (_: number, row: number): boolean =>
    Number.isFinite(scores[row]) && Number.isFinite(served[row]);
  const { unlabelled, otherDefinition } = all.leftOut;
  const labelled = all.times.length + otherDefinition;
  return {
    requests: labelled + unlabelled,
    labelled,
    otherDefinition,
    unscored: scores.length - scores.filter(isScored).length,
    fixed: scores.filter(isScored),
    served: served.filter(isScored),
    labels: pick(all.labels).filter(isScored),
  };
}

function leftOutOf(days: readonly ScoredDay[]): FixedHistory['leftOut'] {
  const sum = (of: (day: ScoredDay) => number): number =>
    days.reduce((total, day) => total + of(day), 0);
  return {
    unlabelled: sum(({ requests, labelled }) => requests - labelled),
    otherDefinition: sum(({ otherDefinition }) => otherDefinition),
    unscored: sum(({ unscored }) => unscored),
  };
}

/** Each day's window, and all of them together. */
async function besides(
  days: readonly ScoredDay[],
  { spec, from }: Pick<FixedDaysInput, 'spec' | 'from'>,
): Promise<Pick<FixedDaysFound, 'days' | 'whole'>> {
  const length = spanDays(spec.window);
  const counting = days.filter((day) => counts(day, spec));
  const windows = new Map<ScoredDay, FixedBeside | null>();
  for (const [at, day] of counting.entries()) {
    if (day.from < from || at + 1 < length) continue;
    windows.set(day, besideOf(counting.slice(at + 1 - length, at + 1), spec));
    if (windows.size % WINDOWS_A_TURN === 0) await setImmediate();
  }
  const inside = days.filter((day) => day.from >= from);
  return {
    days: inside.map((day) => ({
      from: day.from,
      until: day.until,
      rows: day.labels.length,
      isWhole: counts(day, spec),
      window: windows.get(day) ?? null,
    })),
    whole: besideOf(
      inside.filter((day) => counts(day, spec)),
      spec,
    ),
  };
}

/** Labels enough, and rows of both left to compare. */
function counts(day: ScoredDay, { coverage }: QualitySpec): boolean {
  return isWhole(day, coverage) && isWhole({ requests: 0, labelled: day.labels.length }, 0);
}

/** Both on the same rows; null where the metric is undefined, or there are too few days. */
export function besideOf(days: readonly ScoredDay[], spec: QualitySpec): FixedBeside | null {
  const blocks = blocksOf(days);
  const side = (name: 'fixed' | 'served') =>
    blocks.map((of): CohortDay => ({
      from: of[0]!.from,
      until: of.at(-1)!.until,
      version: 0,
      requests: of.reduce((sum, { requests }) => sum + requests, 0),
      labelled: of.reduce((sum, { labelled }) => sum + labelled, 0),
      scores: joinedDoubles(of.map((day) => day[name])),
      labels: joinedDoubles(of.map(({ labels }) => labels)),
    }));
  const { metric } = spec;
  const [of, answered] = [side('fixed'), side('served')];
  if (!fitsMetric(metric, of)) return null;
  const [fixed, served] = [qualityStatistic(metric, of), qualityStatistic(metric, answered)];
  const spread = blockJackknife(
    isHigherBetter(metric) ? differenceOf(served, fixed) : differenceOf(fixed, served),
  );
  const [value, other] = [wholeOf(fixed), wholeOf(served)];
  if (spread === null || value === null || other === null) return null;
  const error = spread.standardError * studentQuantile(LEVEL, blocks.length - 1);
  return {
    fixed: value,
    served: other,
    better: spread.value,
    lower: spread.value - error,
    upper: spread.value + error,
    days: days.length,
    rows: days.reduce((sum, { labels }) => sum + labels.length, 0),
  };
}

/** Days, or runs of several past what blocks there may be. */
function blocksOf(days: readonly ScoredDay[]): readonly (readonly ScoredDay[])[] {
  const size = Math.max(1, Math.ceil(days.length / BLOCKS_MAX));
  const blocks: (readonly ScoredDay[])[] = [];
  for (let at = 0; at < days.length; at += size) blocks.push(days.slice(at, at + size));
  return blocks;
}
