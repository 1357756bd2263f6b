import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { micros } from '../../base/time.ts';
import type { LabelledRequests } from '../predictions/labelled-requests.ts';
import { readComparedRows, type RowsRequest } from './compare-rows.ts';
import { compareScores } from './compare-versions.ts';
import { DAY_MICROS, HOUR_MICROS } from './periods.ts';

const START = Date.UTC(2001, 2, 1) * 1000;
const NONE = { failed: 0, immature: 0, unlabelled: 0, otherDefinition: 0 };
const VERSIONS = [
  { version: 1, modelFile: 'a' },
  { version: 2, modelFile: 'b' },
];

interface Row {
  readonly day: number;
  readonly label: number;
  readonly scores: readonly [number, number];
}

function compare(rows: readonly Row[], per: 'day' | 'week' = 'day') {
  const of = {
    times: Float64Array.from(rows, ({ day }, index) => START + day * DAY_MICROS + index),
    labels: Float64Array.from(rows, ({ label }) => label),
    leftOut: NONE,
  };
  const scores = [0, 1].map((at) => Float64Array.from(rows, (row) => row.scores[at]!));
  return compareScores(of, scores, { versions: VERSIONS, base: 1, per, level: 0.95 });
}

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const row: fc.Arbitrary<Row> = fc.record({
  day: fc.integer({ min: 0, max: 20 }),
  label: fc.constantFrom(0, 1),
  scores: fc.tuple(
    fc.oneof({ weight: 9, arbitrary: probability }, { weight: 1, arbitrary: fc.constant(NaN) }),
    probability,
  ),
});

function naiveAuc(rows: readonly Row[], at: 0 | 1): number | null {
  const [ones, zeros] = [1, 0].map((label) => rows.filter((one) => one.label === label));
  if (ones!.length === 0 || zeros!.length === 0) return null;
  let won = 0;
  for (const one of ones!) {
    for (const zero of zeros!) {
      const difference = one.scores[at] - zero.scores[at];
      won += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
    }
  }
  return won / (ones!.length * zeros!.length);
}

test('figures are those of the rows that both versions scored, whole and by period', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 80 }), fc.constantFrom('day', 'week'), (rows, per) => {
      const found = compare(rows, per);
      const scored = rows.filter(({ scores }) => !Number.isNaN(scores[0]));
      expect(found.rows).toBe(scored.length);
      expect(found.leftOut.unscored).toBe(rows.length - scored.length);
      expect(found.versions.map(({ missing }) => missing)).toEqual([
        rows.length - scored.length,
        0,
      ]);
      for (const at of [0, 1] as const) {
        const auc = naiveAuc(scored, at);
        if (auc === null) expect(found.versions[at]!.auc).toBeNull();
        else expect(found.versions[at]!.auc).toBeCloseTo(auc, 9);
        const squared = scored.reduce((sum, one) => sum + (one.scores[at] - one.label) ** 2, 0);
        if (scored.length === 0) continue;
        expect(found.versions[at]!.brier).toBeCloseTo(squared / scored.length, 9);
      }
      expect(found.days).toBe(new Set(scored.map(({ day }) => day)).size);
      expect(found.positives).toBe(scored.filter(({ label }) => label === 1).length);
      expect(found.periods.reduce((sum, period) => sum + period.rows, 0)).toBe(found.rows);
    }),
  );
});

test('other outcomes than 0 and 1 are compared by the errors of the numbers', () => {
  const rows = [
    { day: 0, label: 5, scores: [4, 5] },
    { day: 1, label: 9, scores: [6, 10] },
  ] as const;
  const { versions } = compare(rows);
  expect(versions[0]).toMatchObject({ auc: null, mae: 2, rmse: Math.sqrt(5), meanScore: 5 });
  expect(versions[1]!.improvements.map(({ metric, value }) => [metric, value])).toEqual([
    ['mae', 1.5],
    ['mse', 4.5],
  ]);
});

test('scores that are no probabilities have an order and no log-loss', () => {
  const rows = [
    { day: 0, label: 0, scores: [-3, 0.1] },
    { day: 1, label: 1, scores: [7, 0.9] },
  ] as const;
  const { versions } = compare(rows);
  expect(versions[0]).toMatchObject({ auc: 1, logLoss: null, brier: null });
  expect(versions[1]!.improvements.map(({ metric }) => metric)).toEqual(['auc']);
});

describe('labels that arrive sooner for one class', () => {
  const HOURS = 40;
  /** Ten requests an hour; one in two is late, and that is known after 20 hours instead of 2. */
  const asked = Array.from({ length: HOURS * 10 }, (_, index) => ({
    at: START + (index / 10) * HOUR_MICROS,
    isLate: index % 2 === 1,
  }));
  const ended = START + HOURS * HOUR_MICROS;

  /** Everything was answered with 0.5; the flatterer says 0.4, that fewer are late. */
  const log = (at: number): LabelledRequests => ({
    rowCount: asked.length,
    answeredAt: Float64Array.from(asked, (one) => one.at),
    version: new Float64Array(asked.length).fill(1),
    status: new Float64Array(asked.length).fill(200),
    totalUs: new Float64Array(asked.length),
    score: new Float64Array(asked.length).fill(0.5),
    label: Float64Array.from(asked, ({ at: time, isLate }) =>
      time + (isLate ? 20 : 2) * HOUR_MICROS <= at ? Number(isLate) : NaN,
    ),
    labelAt: new Float64Array(asked.length),
    hasDocuments: new Uint8Array(asked.length).fill(1),
    definition: new Int32Array(asked.length),
    definitions: ['d1'],
    features: new Map(),
    numbers: new Map(),
    texts: new Map(),
  });

  async function flattered(matureHours: number | null) {
    const matureMicros = matureHours === null ? null : matureHours * HOUR_MICROS;
    const request: RowsRequest = {
      source: { kind: 'log', endpoint: 'late', matureMicros },
      from: micros(START),
      until: micros(ended),
      at: micros(ended),
      layout: 'any',
    };
    const unused = () => Promise.reject(new Error('nothing else is read'));
    const rows = await readComparedRows(
      {
        tables: { files: unused },
        analytics: { scratch: unused },
        readRows: ({ at }) => Promise.resolve(log(at)),
      },
      request,
      new AbortController().signal,
    );
    const flatterer = Float64Array.from(rows.times, () => 0.4);
    const on = { versions: VERSIONS, base: 1, per: 'day', level: 0.95 } as const;
    const { versions, leftOut } = compareScores(rows, [rows.served!, flatterer], on);
    const loss = versions[1]!.improvements.find(({ metric }) => metric === 'log_loss')!;
    return { improvement: loss.value!, leftOut };
  }

  test('decide where all that have arrived count, not where they must be mature', async () => {
    const naive = await flattered(null);
    expect(naive.leftOut.immature).toBe(0);
    expect(naive.improvement).toBeGreaterThan(0.02);
    const mature = await flattered(20);
    expect(mature.leftOut.immature).toBe(199);
    expect(mature.leftOut.unlabelled).toBe(0);
    expect(mature.improvement).toBeLessThan(-0.01);
  });
});
