import { expect, it } from 'vitest';
import type { FeatureProfile } from '../contract.ts';
import { histogramBins, histogramOption } from './histogram.ts';

function profile(values: Partial<FeatureProfile>): FeatureProfile {
  return {
    name: 'late_7d',
    count: 10,
    nulls: 0,
    min: 0,
    max: 4,
    mean: 1,
    histogram: { edges: [1, 2], counts: [4, 2, 4] },
    ...values,
  };
}

it('draws bins as areas, whatever their width', () => {
  const bins = histogramBins(profile({}));
  expect(bins.map(({ from, to, density }) => [from, to, density])).toEqual([
    [0, 1, 0.4],
    [1, 2, 0.2],
    [2, 4, 0.2],
  ]);
  const area = bins.reduce((sum, { from, to, density }) => sum + density * (to - from), 0);
  expect(area).toBeCloseTo(1);
});

it('gives room to the many values that equal the greatest', () => {
  const yesNo = { max: 1, histogram: { edges: [1], counts: [5, 5] } };
  expect(histogramBins(profile(yesNo)).map(({ density }) => density)).toEqual([0.5, 0.5]);
  const constant = { min: 3, max: 3, histogram: { edges: [], counts: [10] } };
  expect(histogramBins(profile(constant))).toEqual([{ from: 3, to: 4, count: 10, density: 1 }]);
});

it('draws nothing where every value is missing', () => {
  const none = { count: 0, min: null, max: null, histogram: { edges: [], counts: [0] } };
  expect(histogramBins(profile(none))).toEqual([]);
  expect(histogramOption([])).toMatchObject({ series: [{ data: [] }] });
});
