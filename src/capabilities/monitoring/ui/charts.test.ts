import { describe, expect, it } from 'vitest';
import type { ColumnHistory, QualityDay, QualityHistory } from '../contract.ts';
import {
  binText,
  distanceOption,
  foundOn,
  histogramOption,
  histogramRows,
} from './column-chart.ts';
import { coverageByDay, pickedDay, qualityOption, qualityText } from './quality-chart.ts';

const day = (number: number): string => `2001-03-0${number}T00:00:00Z`;

function qualityDay(number: number, version: number, of: Partial<QualityDay> = {}): QualityDay {
  return {
    from: day(number),
    until: day(number + 1),
    version,
    requests: 100,
    labelled: 90,
    isWhole: true,
    value: 0.7,
    window: { value: 0.71, lower: 0.69, upper: 0.73, days: 3 },
    ...of,
  };
}

const HISTORY: QualityHistory = {
  monitor: 'late',
  metric: 'auc',
  windowDays: 3,
  drop: 0.02,
  coverage: 0.9,
  label: 'late',
  matureUntil: day(4),
  from: day(1),
  until: day(5),
  days: [
    qualityDay(1, 1, { window: null }),
    qualityDay(2, 1),
    qualityDay(2, 2, { labelled: 60, isWhole: false, value: null, window: null }),
    qualityDay(3, 1, { value: null }),
    qualityDay(4, 1, { labelled: null, isWhole: false, value: null, window: null }),
  ],
};

describe('the chart of quality', () => {
  it('shades what labels may still change, and draws the reference of a version', () => {
    const reference = { version: 1, metric: 'auc', from: day(1), until: day(2), rows: 1, days: 1 };
    const bounds = { value: 0.74, lower: 0.7, upper: 0.78 };
    const option = qualityOption(HISTORY, [{ ...reference, ...bounds, metric: 'auc' }]);
    const text = JSON.stringify(option.series);
    expect(text).toContain(`"markArea":{"silent":true`);
    expect(text).toContain(`[{"xAxis":"${day(4)}"},{"xAxis":"${day(5)}"}]`);
    expect(text).toContain('v1 at first');
  });

  it('adds label coverage up over versions, and none where labels may still come', () => {
    expect(coverageByDay(HISTORY.days)).toEqual([
      { from: day(1), share: 0.9, requests: 100 },
      { from: day(2), share: 0.75, requests: 200 },
      { from: day(3), share: 0.9, requests: 100 },
      { from: day(4), share: null, requests: 100 },
    ]);
  });

  it('finds the day behind a point of a line or a dot', () => {
    expect(pickedDay(HISTORY, { series: 'v1', index: 1 })?.from).toBe(day(3));
    expect(pickedDay(HISTORY, { series: 'v1 by day', index: 1 })?.from).toBe(day(2));
    expect(pickedDay(HISTORY, { series: 'label coverage', index: 0 })).toBeNull();
  });

  it('says the newest value of each version, and where there are too few days', () => {
    expect(qualityText(HISTORY)).toBe(
      'auc over 3 days: v1 0.71 (0.69 to 0.73) until 2001-03-03; v2: too few labelled days',
    );
  });
});

const COLUMN: ColumnHistory = {
  monitor: 'late',
  column: 'distance',
  model: 'late',
  version: 1,
  bins: [
    { kind: 'numbers', from: null, until: 100 },
    { kind: 'numbers', from: 100, until: null },
    { kind: 'missing' },
  ],
  reference: {
    from: day(1),
    until: day(3),
    rows: 10,
    days: 2,
    shares: [0.5, 0.5, 0],
    least: [0.4, 0.4, 0],
    greatest: [0.6, 0.6, 0],
  },
  effect: 0.1,
  days: [
    { from: day(4), until: day(5), rows: 10, shares: [0.1, 0.9, 0], distance: 0.3 },
    { from: day(5), until: day(6), rows: 0, shares: [0, 0, 0], distance: null },
  ],
  found: [
    {
      evaluation: 'eval_1',
      at: day(5),
      state: 'alert',
      isBreach: true,
      distance: 0.3,
      floor: 0.05,
    },
  ],
};

describe('the charts of a column', () => {
  it('names bins by what they count', () => {
    expect(COLUMN.bins.map(binText)).toEqual(['< 100', '≥ 100', 'missing']);
    expect(binText({ kind: 'numbers', from: 1.5, until: 2.25 })).toBe('1.5 to 2.25');
    expect(binText({ kind: 'level', level: 'a very long name of a city' })).toBe('a very long na…');
  });

  it('leaves out bins that hold nothing on either side, in the picture only', () => {
    const [first] = COLUMN.days;
    const { xAxis } = histogramOption(COLUMN, first!) as { xAxis: { data: string[] } };
    expect(xAxis.data).toEqual(['< 100', '≥ 100']);
    expect(histogramRows(COLUMN, first!).rows).toHaveLength(3);
  });

  it('marks days that moved by what the evaluation at their end found', () => {
    const [first, second] = COLUMN.days;
    expect(foundOn(COLUMN, first!)?.evaluation).toBe('eval_1');
    expect(foundOn(COLUMN, second!)).toBeUndefined();
    const { series } = distanceOption(COLUMN, first!) as { series: { data: unknown[] }[] };
    expect(series[1]!.data).toEqual([
      { value: [day(5), 0.3], symbolSize: 12, itemStyle: { color: '#d9534f' } },
    ]);
  });
});
