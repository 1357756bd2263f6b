import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactSum } from './exact-sum.ts';

/** The sum as a whole number of the least double, 2^-1074. */
function exact(values: readonly number[]): bigint {
  let sum = 0n;
  for (const value of values) {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    const bits = view.getBigUint64(0);
    const exponent = Number((bits >> 52n) & 0x7ffn);
    const fraction = bits & 0xfffffffffffffn;
    const units = exponent === 0 ? fraction : (fraction + 2n ** 52n) << BigInt(exponent - 1);
    sum += value < 0 || Object.is(value, -0) ? -units : units;
  }
  return sum;
}

/** The nearest double: whole bits are cut to 53 with ties to even, which `Number` does. */
function nearest(units: bigint): number {
  const magnitude = units < 0n ? -units : units;
  const bits = magnitude.toString(2).length;
  const sign = units < 0n ? -1 : 1;
  if (bits <= 53) return sign * Number(magnitude) * 2 ** -1074;
  // One bit more than two beyond 53 is enough to break a tie.
  const cut = BigInt(bits - 56);
  const kept = bits > 56 ? magnitude >> cut : magnitude;
  const isExact = bits <= 56 || kept << cut === magnitude;
  const power = bits > 56 ? bits - 56 : 0;
  const value = Number((kept << 1n) | (isExact ? 0n : 1n));
  let result = value;
  let left = power - 1075;
  for (; left > 900; left -= 900) result *= 2 ** 900;
  for (; left < -900; left += 900) result *= 2 ** -900;
  return sign * result * 2 ** left;
}

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.integer({ min: -1000, max: 1000 }).map((cents) => cents / 100),
  fc.constantFrom(
    5e-324,
    -5e-324,
    1e308,
    -1e308,
    2 ** 51,
    -(2 ** 51),
    2 ** 52 - 1,
    2 ** 53,
    0.1,
    1e16,
    1,
  ),
);
const values = fc.array(value, { maxLength: 40 });

function sumOf(summands: readonly number[]): ExactSum {
  const sum = new ExactSum();
  for (const summand of summands) sum.add(summand);
  return sum;
}

describe('an exact sum', () => {
  it('is the double nearest to the true sum', () => {
    fc.assert(
      fc.property(values, (summands) => {
        const units = exact(summands);
        fc.pre(units < 2n ** 2097n && units > -(2n ** 2097n));
        expect(sumOf(summands).value() + 0).toBe(nearest(units) + 0);
      }),
      { numRuns: 5000 },
    );
  });

  it('is every power of two, of either sign', () => {
    for (let power = -1074; power < 1024; power += 1) {
      for (const value of [2 ** power, -(2 ** power)]) {
        const sum = sumOf([value]);
        expect(sum.value()).toBe(value);
        expect(ExactSum.fromBytes(sum.toBytes()).value()).toBe(value);
      }
    }
  });

  it('has the same bytes in any order, and however it was put together', () => {
    const cut = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(values, values, cut, (summands, others, at) => {
        const expected = sumOf(summands).toBytes();
        expect(sumOf(summands.toReversed()).toBytes()).toEqual(expected);
        const merged = sumOf(summands.slice(0, at));
        const rest = sumOf(summands.slice(at));
        const restBytes = rest.toBytes();
        merged.merge(rest);
        expect(merged.toBytes()).toEqual(expected);
        expect(rest.toBytes()).toEqual(restBytes);
        const both = sumOf([...summands, ...others]);
        for (const other of others) both.subtract(other);
        expect(both.toBytes()).toEqual(expected);
        const unmerged = sumOf([...others, ...summands]);
        unmerged.unmerge(sumOf(others));
        expect(unmerged.toBytes()).toEqual(expected);
        expect(ExactSum.fromBytes(expected).toBytes()).toEqual(expected);
        expect(ExactSum.fromBytes(expected).value()).toBe(sumOf(summands).value());
      }),
      { numRuns: 2000 },
    );
  });

  it('takes many at once as it takes each', () => {
    const ordinary = fc.array(fc.double({ min: -1e9, max: 1e9 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(ordinary, values), (summands) => {
        const all = new ExactSum();
        all.addAll(Float64Array.from(summands));
        const known = summands.filter((one) => !Number.isNaN(one));
        expect(all.toBytes()).toEqual(sumOf(known).toBytes());
        expect(all.value()).toBe(sumOf(known).value());
      }),
      { numRuns: 5000 },
    );
  });

  it('breaks ties to even, by whatever lies far below', () => {
    expect(sumOf([2 ** 53, 1]).value()).toBe(2 ** 53);
    expect(sumOf([2 ** 53, 1, 5e-324]).value()).toBe(2 ** 53 + 2);
    expect(sumOf([2 ** 53, 1, -5e-324]).value()).toBe(2 ** 53);
    expect(sumOf([2 ** 53, 3]).value()).toBe(2 ** 53 + 4);
    expect(sumOf([1e308, 1e308]).value()).toBe(Infinity);
    expect(sumOf([1e308, 1e308, -1e308]).value()).toBe(1e308);
    expect(sumOf([]).value()).toBe(0);
  });

  it('stays exact over millions of summands', () => {
    const sum = new ExactSum();
    for (let index = 0; index < 2_200_000; index += 1) sum.add(0.1);
    const units = exact([0.1]) * 2_200_000n;
    expect(sum.value()).toBe(nearest(units));
    for (let index = 0; index < 2_200_000; index += 1) sum.subtract(0.1);
    expect(sum.toBytes()).toEqual(new Uint8Array(0));
  });

  it('starts again after clear', () => {
    const sum = sumOf([0.1, 1e300, 7]);
    sum.clear();
    sum.add(0.5);
    expect(sum.value()).toBe(0.5);
  });
});
