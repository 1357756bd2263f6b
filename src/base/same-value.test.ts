import { expect, it } from 'vitest';
import { sameValue } from './same-value.ts';

it('takes whole numbers as they are, however large', () => {
  expect(sameValue(20_000_000_000, 19_999_999_985)).toBe(false);
  expect(sameValue(3, 3)).toBe(true);
  expect(sameValue(0, -0)).toBe(true);
});

it('lets others differ by the rounding of a sum', () => {
  expect(sameValue(0.1 + 0.2, 0.3)).toBe(true);
  expect(sameValue(2e9 + 0.5, 2e9 + 1)).toBe(true);
  expect(sameValue(0.5, 0.500_001)).toBe(false);
  expect(sameValue(1e-13, 0)).toBe(true);
});

it('does not take a missing value for any other', () => {
  expect(sameValue(null, null)).toBe(true);
  expect(sameValue(null, 0)).toBe(false);
  expect(sameValue(NaN, NaN)).toBe(true);
  expect(sameValue(NaN, 0)).toBe(false);
});
