import fc from 'fast-check';
import { expect, it } from 'vitest';
import { risingOrder, sortedDoubles } from './radix-sort.ts';

const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.integer({ min: 0, max: 1e15 }),
);
const some = fc.array(value, { minLength: 1, maxLength: 200 });

/** Only long columns are sorted by their digits. */
function column(values: readonly number[], isLong: boolean): Float64Array {
  const length = isLong ? 5000 : values.length;
  return Float64Array.from({ length }, (_, at) => values[(at * 7) % values.length]!);
}

it('sorts doubles of every size and sign', () => {
  fc.assert(
    fc.property(some, fc.boolean(), (values, isLong) => {
      const unsorted = column(values, isLong);
      expect(sortedDoubles(unsorted)).toEqual(unsorted.slice().sort());
      expect(unsorted).toEqual(column(values, isLong));
    }),
  );
});

it('tells the order of times, equal ones as they came', () => {
  fc.assert(
    fc.property(some, fc.boolean(), (values, isLong) => {
      const finite = values.map((one) => (Number.isFinite(one) ? one : 0));
      const times = column(finite, isLong).map((one) => Math.floor(one % 1e15));
      const expected = Array.from(times, (_, at) => at);
      expected.sort((a, b) => times[a]! - times[b]! || a - b);
      expect([...risingOrder(times)]).toEqual(expected);
    }),
  );
});

it('sorts a part of a buffer', () => {
  const part = Float64Array.from({ length: 9000 }, (_, at) => (at * 7919) % 8999).subarray(1000);
  expect(sortedDoubles(part)).toEqual(part.slice().sort());
  expect(risingOrder(part)[0]).toBe(part.indexOf(Math.min(...part)));
});
