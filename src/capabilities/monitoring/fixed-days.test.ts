import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '../../base/errors.ts';
import { auc } from '../../base/stats/auc.ts';
import { micros } from '../../base/time.ts';
import type { LabelledRequest, LabelledRequests } from '../predictions/labelled-requests.ts';
import { QualitySpec } from './contract.ts';
import { fixedDays, type FixedDaysDeps, type FixedDaysInput } from './fixed-days.ts';
import { DAY_MICROS, HOUR_MICROS } from './periods.ts';
import type { ScoringModel } from './score-vectors.ts';
import { FEATURES, simulatedDay } from './simulated-days.ts';
import { SummaryFiles } from './summary-files.ts';

const FIRST = 100;
const COURSE = { seed: 7, rows: 200, dayEffect: 0.4, signalEffect: 0.1 };
/** From this day on the version that answers knows nothing; the fixed one does. */
const SPOILT = 110;

let folder: string;
let reads: number[];
let labelsUntil: number;
let daysAtOnce: number;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-fixed-'));
  reads = [];
  labelsUntil = Infinity;
  daysAtOnce = Infinity;
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Answers with the first feature, which the outcome hangs on. */
const MODEL: ScoringModel = {
  signature: {
    inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, FEATURES.length] }],
    outputs: [{ name: 'y', datatype: 'FP64', shape: [-1] }],
  },
  run: async ([tensor]) => {
    await Promise.resolve();
    const values = tensor!.data as Float64Array;
    const data = values.filter((_, at) => at % FEATURES.length === 0).map((x) => chance(x));
    return [{ name: 'y', datatype: 'FP64', shape: [data.length], data }];
  },
  release: () => Promise.resolve(),
};

function chance(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function answered(day: number): LabelledRequests {
  const rows = simulatedDay({ ...COURSE, rows: day < FIRST ? 0 : COURSE.rows }, day);
  const score = rows.score.map((value, row) => (day < SPOILT ? value : ((row * 7919) % 100) / 100));
  return { ...rows, score };
}

async function readRows({ from, until }: LabelledRequest): Promise<LabelledRequests> {
  await Promise.resolve();
  if (until - from > daysAtOnce * DAY_MICROS) throw new AppError('INVALID_INPUT', 'Too many.');
  const all: LabelledRequests[] = [];
  for (let day = from / DAY_MICROS; day < until / DAY_MICROS; day += 1) {
    reads.push(day);
    const rows = answered(day);
    all.push({ ...rows, label: rows.label.map((value) => (day < labelsUntil ? value : NaN)) });
  }
  const join = (of: (rows: LabelledRequests) => Float64Array): Float64Array =>
    Float64Array.from(all.flatMap((rows) => [...of(rows)]));
  const answeredAt = join((rows) => rows.answeredAt);
  return {
    ...all[0]!,
    rowCount: answeredAt.length,
    answeredAt,
    score: join((rows) => rows.score),
    label: join((rows) => rows.label),
    status: join((rows) => rows.status),
    definition: new Int32Array(answeredAt.length),
    features: new Map(FEATURES.map((name) => [name, join((rows) => rows.features.get(name)!)])),
  };
}

function ask(until: number, change: Partial<FixedDaysInput> = {}) {
  const deps: FixedDaysDeps = {
    files: new SummaryFiles(folder),
    readRows,
    openModel: () => Promise.resolve(MODEL),
    scoreOf: ([output]) => Float64Array.from(output!.data as Float64Array),
  };
  const input: FixedDaysInput = {
    endpoint: 'late',
    version: 1,
    digest: 'd'.repeat(64),
    modelFile: 'model.onnx',
    layout: { definition: 'd', features: [...FEATURES] },
    matureMicros: 12 * HOUR_MICROS,
    at: micros(until * DAY_MICROS),
    from: micros(FIRST * DAY_MICROS),
    until: micros(until * DAY_MICROS),
    spec: QualitySpec.parse({ window: '3d' }),
    ...change,
  };
  return fixedDays(deps, input, new AbortController().signal);
}

async function askAll(until: number, change: Partial<FixedDaysInput> = {}) {
  for (;;) {
    const found = await ask(until, change);
    if (found.waiting === 0) return found;
  }
}

function scoresOf(days: readonly number[], of: 'fixed' | 'served') {
  const all = days.map(answered);
  const scores = all.flatMap((rows) =>
    of === 'served' ? [...rows.score] : Array.from(rows.features.get('a')!, chance),
  );
  return {
    scores: Float64Array.from(scores),
    labels: Uint8Array.from(all.flatMap((rows) => [...rows.label])),
  };
}

it('scores both on the same requests of the same days', async () => {
  const { days, whole } = await askAll(FIRST + 17);
  // Labels of the last day may still come.
  expect(days.map(({ from }) => from / DAY_MICROS)).toEqual(
    Array.from({ length: 16 }, (_, day) => FIRST + day),
  );
  expect(days.map(({ window }) => window?.days ?? 0)).toEqual([0, 0, ...Array(14).fill(3)]);
  const window = days[12]!.window!;
  const span = [FIRST + 10, FIRST + 11, FIRST + 12];
  expect(window.fixed).toBeCloseTo(auc(scoresOf(span, 'fixed'))!, 9);
  expect(window.served).toBeCloseTo(auc(scoresOf(span, 'served'))!, 9);
  expect(window.better).toBeCloseTo(window.served - window.fixed, 9);
  expect(window.upper).toBeLessThan(0);
  expect(whole).toMatchObject({ days: 16, rows: 16 * 200 });
});

it('says how much better the answers are, whichever way the metric points', async () => {
  const spec = QualitySpec.parse({ window: '3d', metric: 'log_loss' });
  const { days } = await askAll(FIRST + 17, { spec });
  const [before, after] = [days[8]!.window!, days[14]!.window!];
  expect(before.served).toBeLessThan(before.fixed);
  expect(before.better).toBeCloseTo(before.fixed - before.served, 9);
  expect(after.served).toBeGreaterThan(after.fixed);
  expect(after.upper).toBeLessThan(0);
});

it('scores some days a call, the newest first, and each day once', async () => {
  const first = await ask(FIRST + 20);
  expect(first.waiting).toBeGreaterThan(0);
  expect(reads.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 14 }, (_, day) => FIRST + 5 + day),
  );
  expect(first.days.at(-1)!.from).toBe((FIRST + 18) * DAY_MICROS);
  const all = await askAll(FIRST + 20);
  expect(new Set(reads).size).toBe(reads.length);
  reads = [];
  expect(await ask(FIRST + 20)).toEqual(all);
  expect(reads).toEqual([]);
  // Another version, and another file of the same, are others.
  await ask(FIRST + 20, { digest: 'e'.repeat(64) });
  expect(reads).toHaveLength(14);
});

it('reads day by day where several are too much', async () => {
  const all = await askAll(FIRST + 6);
  daysAtOnce = 1;
  expect(await askAll(FIRST + 6, { digest: 'e'.repeat(64) })).toEqual(all);
});

it('looks again, once a day, at a day whose labels have not come', async () => {
  labelsUntil = FIRST + 9;
  const before = await askAll(FIRST + 12);
  expect(before.days.map(({ isWhole }) => isWhole)).toEqual([...Array(9).fill(true), false, false]);
  expect(before.leftOut.unlabelled).toBe(400);
  reads = [];
  await ask(FIRST + 12);
  expect(reads).toEqual([]);
  labelsUntil = Infinity;
  const after = await ask(FIRST + 13);
  expect(after.days.every(({ isWhole }) => isWhole)).toBe(true);
  expect(after.leftOut.unlabelled).toBe(0);
});

it('leaves out requests whose vector follows another definition', async () => {
  const layout = { definition: 'another', features: [...FEATURES] };
  const { days, leftOut, whole } = await askAll(FIRST + 5, { layout });
  expect(days.every(({ rows, isWhole }) => rows === 0 && !isWhole)).toBe(true);
  expect(leftOut.otherDefinition).toBe(4 * 200);
  expect(whole).toBeNull();
});
