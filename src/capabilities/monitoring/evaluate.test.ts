import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '../../base/errors.ts';
import { micros } from '../../base/time.ts';
import type { LabelledRequest, LabelledRequests } from '../predictions/labelled-requests.ts';
import { columnDays } from './column-days.ts';
import { MonitorSpec } from './contract.ts';
import { MonitorEvaluation, type EvaluateDeps, type EvaluateInput } from './evaluate.ts';
import { DAY_MICROS, HOUR_MICROS } from './periods.ts';
import { qualityDays } from './quality-days.ts';
import { encodeProfile, profileOf } from './profile.ts';
import { FEATURES, simulatedDay } from './simulated-days.ts';
import { SummaryFiles } from './summary-files.ts';

const COURSE = { seed: 5, rows: 200, dayEffect: 0.4, signalEffect: 0.1 };
const FIRST = 100;
const VERSION = { version: 1, digest: 'd'.repeat(64), modelFile: null };
const TRAINING = {
  table: { namespace: 'training_sets', name: 't' },
  tableVersion: 4,
  features: [...FEATURES],
  definition: 'd',
  spine: null,
};

let folder: string;
let reads: number;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-summaries-'));
  reads = 0;
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Rows of simulated days from FIRST on, whose labels come an hour later. */
async function readRows({ from, until, at }: LabelledRequest): Promise<LabelledRequests> {
  reads += 1;
  const day = Math.floor(from / DAY_MICROS);
  expect(until).toBe((day + 1) * DAY_MICROS);
  const rows = simulatedDay({ ...COURSE, rows: day < FIRST ? 0 : COURSE.rows }, day);
  const label = rows.label.map((value, row) =>
    rows.answeredAt[row]! + HOUR_MICROS <= at ? value : NaN,
  );
  return { ...rows, label };
}

async function depsOf(): Promise<EvaluateDeps> {
  const files = new SummaryFiles(folder);
  const days = Array.from({ length: 14 }, (_, day) => simulatedDay(COURSE, day));
  const all = (read: (rows: LabelledRequests) => Float64Array) =>
    Float64Array.from(days.flatMap((rows) => [...read(rows)]));
  const value = profileOf(1, {
    times: all((rows) => rows.answeredAt),
    columns: new Map(FEATURES.map((name) => [name, all((rows) => rows.features.get(name)!)])),
    scores: null,
    inputs: null,
  });
  await files.write('late', `profiles/1-${'d'.repeat(12)}-4`, { value, encode: encodeProfile });
  const absent = async () => {
    await Promise.resolve();
    throw new AppError('TABLE_NOT_FOUND', 'There is no table.');
  };
  const unused = {} as never;
  return {
    files,
    readRows,
    tables: { files: absent },
    analytics: unused,
    openModel: unused,
    scoreOf: unused,
  };
}

async function evaluate(deps: EvaluateDeps, day: number) {
  const input: EvaluateInput = {
    endpoint: 'late',
    at: micros(day * DAY_MICROS),
    spec: MonitorSpec.parse({ quality: { window: '3d' } }),
    label: { name: 'late', matureMicros: 12 * HOUR_MICROS },
    versions: [{ model: 'late', ...VERSION, training: TRAINING }],
    layouts: [{ definition: 'd', features: [...FEATURES] }],
  };
  return new MonitorEvaluation(deps, input, new AbortController().signal).run();
}

it('reads a day once, and its labels once they are mature', async () => {
  const deps = await depsOf();
  for (let day = FIRST + 1; day < FIRST + 10; day += 1) await evaluate(deps, day);
  reads = 0;
  const outcome = await evaluate(deps, FIRST + 10);
  // The day that ended, and the one before, which is mature now.
  expect(reads).toBe(2);
  expect(outcome.versions).toMatchObject([{ version: 1, requests: 200, errors: 0 }]);
  const kinds = outcome.checks.map(({ kind, state }) => [kind, state]);
  expect(kinds).toContainEqual(['quality', 'ok']);
  expect(kinds.filter(([kind]) => kind === 'drift')).toHaveLength(FEATURES.length);
});

it('finds the same with its summaries and without', async () => {
  const deps = await depsOf();
  let last = await evaluate(deps, FIRST + 1);
  for (let day = FIRST + 2; day <= FIRST + 12; day += 1) last = await evaluate(deps, day);
  // Another engine reads the files that the first one wrote.
  expect(await evaluate({ ...deps, files: new SummaryFiles(folder) }, FIRST + 12)).toEqual(last);
  await rm(folder, { recursive: true });
  expect(await evaluate(await depsOf(), FIRST + 12)).toEqual(last);
});

it('tells by day what it has kept: quality once labels are mature, and each column', async () => {
  const deps = await depsOf();
  for (let day = FIRST + 1; day <= FIRST + 8; day += 1) await evaluate(deps, day);
  reads = 0;
  const period = { from: micros(FIRST * DAY_MICROS), until: micros((FIRST + 8) * DAY_MICROS) };
  const asked = { endpoint: 'late', ...period, every: DAY_MICROS };
  const { quality } = MonitorSpec.parse({ quality: { window: '3d' } });
  const found = await qualityDays(deps, { ...asked, spec: quality });
  expect(found.matureUntil).toBe((FIRST + 7) * DAY_MICROS);
  expect(found.days.map(({ labelled }) => labelled)).toEqual([...Array(7).fill(200), null]);
  expect(found.days.map(({ window }) => window?.days ?? 0)).toEqual([0, 0, 3, 3, 3, 3, 3, 0]);
  const { value, lower, upper } = found.days[5]!.window!;
  expect(lower).toBeLessThan(value);
  expect(upper).toBeGreaterThan(value);
  expect(found.days[5]!.value).toBeGreaterThan(0.5);

  const facts = { ...VERSION, training: TRAINING };
  const column = await columnDays(deps, { ...asked, facts, column: 'a' });
  if (column.kind !== 'found') throw new Error(column.kind);
  expect(column.days.map(({ rows }) => rows)).toEqual(Array(8).fill(200));
  const { shares, least, greatest, days } = column.reference;
  expect(days).toBe(14);
  for (const [bin, share] of shares.entries()) {
    expect(least[bin]).toBeLessThanOrEqual(share);
    expect(greatest[bin]).toBeGreaterThanOrEqual(share);
  }
  expect(column.bins.length).toBe(shares.length);
  expect(column.days[0]!.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  expect(await columnDays(deps, { ...asked, facts, column: 'z' })).toMatchObject({
    kind: 'no_column',
    columns: [...FEATURES],
  });
  expect(reads).toBe(0);
});
