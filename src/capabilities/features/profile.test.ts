import fc from 'fast-check';
import { expect, it } from 'vitest';
import { profileOf } from './profile.ts';

it('counts every value in the bin that its edges say', () => {
  const value = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), (values) => {
      const { count, nulls, min, max, histogram } = profileOf('x', Float64Array.from(values));
      const known = values.filter((one) => !Number.isNaN(one));
      expect({ count, nulls }).toEqual({
        count: known.length,
        nulls: values.length - known.length,
      });
      expect((min ?? 0) + 0).toBe(known.length === 0 ? 0 : Math.min(...known) + 0);
      expect((max ?? 0) + 0).toBe(known.length === 0 ? 0 : Math.max(...known) + 0);
      const { edges, counts } = histogram;
      const expected = Array<number>(edges.length + 1).fill(0);
      for (const one of known) expected[edges.filter((edge) => one >= edge).length]! += 1;
      expect(counts).toEqual(expected);
      expect(edges.length).toBeLessThan(50);
    }),
  );
});

it('has a mean and bins of even weight', () => {
  const profile = profileOf(
    'x',
    Float64Array.from({ length: 1000 }, (_, index) => index),
  );
  expect(profile.mean).toBe(499.5);
  expect(profile.histogram.counts).toEqual(Array(50).fill(20));
  expect(profileOf('x', Float64Array.of(Number.NaN))).toMatchObject({ min: null, mean: null });
});
