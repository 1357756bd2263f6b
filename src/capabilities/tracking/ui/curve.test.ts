import { expect, it } from 'vitest';
import type { MetricPoint } from '../contract.ts';
import { curveOf } from './curve.ts';

function point(step: number, second: number, value: number | null): MetricPoint {
  return { step, value, at: `2026-03-02T10:00:${String(second).padStart(2, '0')}Z`, dataset: null };
}

const POINTS = [point(2, 30, 0.3), point(0, 10, 0.9), point(1, 20, null)];

it('draws values in the order of their steps, without what is no number', () => {
  expect(curveOf(POINTS, 'step')).toEqual([
    [0, 0.9],
    [2, 0.3],
  ]);
});

it('counts seconds from the first value, drawn or not', () => {
  expect(curveOf(POINTS, 'time')).toEqual([
    [0, 0.9],
    [20, 0.3],
  ]);
  expect(curveOf([], 'time')).toEqual([]);
});
