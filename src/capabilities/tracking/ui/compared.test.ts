import { describe, expect, it } from 'vitest';
import type { Run } from '../contract.ts';
import { comparedCsv, comparedOption, smoothed, undrawable } from './compared-curves.ts';
import { madeOfRows, metricRows, paramRows, runNames, tagRows } from './compared-runs.ts';

const BARE: Run = {
  id: `run_${'a'.repeat(32)}`,
  experiment: '0',
  name: 'one',
  user: 'ana',
  status: 'FINISHED',
  startedAt: '2026-03-02T10:00:00Z',
  endedAt: null,
  artifactUri: '',
  metrics: [],
  params: [],
  tags: [],
  inputs: [],
  models: [],
  artifacts: [],
  registeredVersions: [],
  pins: null,
};

const PINS: NonNullable<Run['pins']> = {
  step: null,
  pipelineRun: null,
  stage: 'train',
  command: 'python train.py',
  codeTree: 'aa',
  codeCommit: 'bb',
  environment: 'cc',
  definition: null,
  tables: [{ table: 'landings', version: 3 }],
  trainingSet: { name: 'late_train', version: 1 },
};

const at = '2026-03-02T10:00:00Z';
const metric = (key: string, value: number | null) => ({ key, value, step: 1, at });

describe('runs side by side', () => {
  it('have a row for what any of them has, and say what differs from the first', () => {
    const one = {
      ...BARE,
      params: [
        { key: 'lr', value: '0.1' },
        { key: 'seed', value: '7' },
      ],
    };
    const two = {
      ...BARE,
      params: [
        { key: 'seed', value: '7' },
        { key: 'depth', value: '4' },
      ],
    };
    expect(paramRows([one, two])).toEqual([
      { key: 'depth', values: [null, '4'], isDifferent: true },
      { key: 'lr', values: ['0.1', null], isDifferent: true },
      { key: 'seed', values: ['7', '7'], isDifferent: false },
    ]);
  });

  it('take NaN for a value that equals itself, and no value for another', () => {
    const nan = { ...BARE, metrics: [metric('loss', null)] };
    expect(metricRows([nan, nan])[0]?.isDifferent).toBe(false);
    expect(metricRows([nan, BARE])[0]).toMatchObject({ values: [NaN, null], isDifferent: true });
  });

  it('differ in code, environment and versions of data as they were pinned', () => {
    const tables = [{ table: 'landings', version: 4 }];
    const trainingSet = { name: 'late_train', version: 2 };
    const one = { ...BARE, pins: PINS };
    const two = { ...BARE, pins: { ...PINS, codeTree: 'ee', tables, trainingSet } };
    const different = madeOfRows([one, two]).filter(({ isDifferent }) => isDifferent);
    expect(different.map(({ key, values }) => [key, ...values])).toEqual([
      ['Code tree', 'aa', 'ee'],
      ['Training set', 'late_train@v1', 'late_train@v2'],
      ['Table landings', 'version 3', 'version 4'],
    ]);
    expect(madeOfRows([BARE, BARE])).toEqual([]);
  });

  it('leave pins out of the tags, and tell runs of one name apart', () => {
    const tags = [
      { key: 'millwright.stage', value: 'train' },
      { key: 'team', value: 'a' },
    ];
    expect(tagRows([{ ...BARE, tags }, BARE]).map(({ key }) => key)).toEqual(['team']);
    const other = { ...BARE, id: `run_${'b'.repeat(32)}` };
    expect(runNames([BARE, other, { ...BARE, name: '' }])).toEqual([
      'one (aaaaaa)',
      'one (bbbbbb)',
      BARE.id,
    ]);
  });
});

describe('curves over each other', () => {
  const CURVE = {
    name: 'one',
    points: [
      [0, 1],
      [1, 3],
      [2, -1],
    ] as const,
  };
  const PLAIN = { metric: 'loss', axis: 'step', scale: 'linear', smoothing: 0 } as const;

  it('begin a moving average with the first value, and draw what was measured faintly', () => {
    expect(smoothed(CURVE.points, 0.5)[0]).toEqual([0, 1]);
    expect(smoothed(CURVE.points, 0.5)[1]?.[1]).toBeCloseTo((0.5 * 1 + 1 * 3) / 1.5);
    const { series } = comparedOption([CURVE], { ...PLAIN, smoothing: 0.6 });
    expect(series).toMatchObject([{ name: 'one, measured', silent: true }, { name: 'one' }]);
  });

  it('leave out what has no logarithm, and say how many', () => {
    expect(undrawable([CURVE], 'linear')).toBe(0);
    expect(undrawable([CURVE], 'log')).toBe(1);
    const { series, yAxis } = comparedOption([CURVE], { ...PLAIN, scale: 'log' });
    expect(yAxis).toMatchObject({ type: 'log' });
    expect(series).toMatchObject([
      {
        data: [
          [0, 1],
          [1, 3],
        ],
      },
    ]);
  });

  it('are saved as measured, with the smoothed values under their own name', () => {
    expect(comparedCsv([CURVE], PLAIN).rows).toEqual([
      ['one', 0, 1],
      ['one', 1, 3],
      ['one', 2, -1],
    ]);
    const { header, rows } = comparedCsv([CURVE], { ...PLAIN, smoothing: 0.9 });
    expect(header).toEqual(['run', 'step', 'loss', 'loss smoothed (EMA 0.9)']);
    expect(rows[0]).toEqual(['one', 0, 1, 1]);
  });
});
