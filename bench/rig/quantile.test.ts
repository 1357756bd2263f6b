import { expect, test } from 'vitest';
import { median, quantile } from './quantile.ts';

test('takes the middle value, or the mean of the middle two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('takes the value that the share does not exceed', () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(quantile(sorted, 0.99)).toBe(99);
  expect(quantile(sorted, 0.5)).toBe(50);
  expect(quantile([7], 0.999)).toBe(7);
});
