import { expect, it } from 'vitest';
import type { PastTraffic } from '../../predictions/contract.ts';
import { measured, pastChart } from './past-traffic.ts';

function row(day: number, more: Partial<PastTraffic> = {}): PastTraffic {
  return {
    from: `2001-03-0${day}T00:00:00Z`,
    arm: 'blue',
    modelVersion: 1,
    requests: 10,
    errors: 1,
    p50Us: 100,
    p99Us: 900,
    ...more,
  };
}

it('adds up the arms of a version, and takes the latency of the slowest', () => {
  const items = [row(1), row(1, { arm: 'green', requests: 30, errors: 0, p99Us: 400 }), row(2)];
  const [only, ...others] = pastChart(items, 'version').series;
  expect(others).toEqual([]);
  expect(only).toMatchObject({
    name: 'v1',
    version: 1,
    cells: [{ start: Date.UTC(2001, 2, 1), requests: 40, errors: 1, p99Us: 900 }, { requests: 10 }],
  });
});

it('tells the versions of an arm apart only when asked by version', () => {
  const items = [row(1), row(1, { modelVersion: 2 })];
  expect(pastChart(items, 'version').series.map(({ name }) => name)).toEqual(['v1', 'v2']);
  const { series } = pastChart(items, 'arm');
  expect(series).toMatchObject([{ name: 'blue', cells: [{ requests: 20 }] }]);
});

it('has a place for each day in every version, so that bars lie on each other', () => {
  const { starts, series } = pastChart([row(1), row(3, { modelVersion: 2 })], 'version');
  expect(starts).toEqual([1, 3].map((day) => Date.UTC(2001, 2, day)));
  expect(series.map(({ cells }) => cells.map((cell) => cell?.requests ?? null))).toEqual([
    [10, null],
    [null, 10],
  ]);
});

it('draws errors in percent and latencies in milliseconds', () => {
  const cell = { start: 0, requests: 50, errors: 1, p50Us: 250, p99Us: 1500 };
  const all = (['requests', 'errors', 'p50', 'p99'] as const).map((one) => measured(cell, one));
  expect(all).toEqual([50, 2, 0.25, 1.5]);
});
