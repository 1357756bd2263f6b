import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chiSquaredQuantile, chiSquaredTail, lnGamma } from './gamma.ts';
import { fisherQuantile } from './fisher-f.ts';
import { normalQuantile, normalTail } from './normal.ts';
import oracle from './oracle.json' with { type: 'json' };
import { drawBelow, drawNormal, seededRandom } from './seeded-random.ts';
import { studentQuantile, studentTail } from './student-t.ts';
import { wilsonInterval } from './wilson.ts';

const { tails, proportions } = oracle;

const FUNCTIONS: Readonly<Record<string, (...of: number[]) => number>> = {
  chiSquaredTail,
  chiSquaredQuantile,
  studentTail,
  studentQuantile,
  fisherQuantile,
  normalTail,
  normalQuantile,
  lnGamma,
};

it.each(Object.keys(FUNCTIONS))('gives what SciPy gives: %s', (name) => {
  for (const row of tails[name as keyof typeof tails]) {
    const [given, expected] = [row.slice(0, -1), row.at(-1)!];
    const got = FUNCTIONS[name]!(...given);
    const error = Math.abs(got - expected) / Math.max(Math.abs(expected), 1e-3);
    expect(error, `${name}(${given.join(', ')}) = ${got}, not ${expected}`).toBeLessThan(1e-9);
  }
});

it('says NaN where a distribution is not defined', () => {
  expect(chiSquaredTail(1, 0)).toBeNaN();
  expect(chiSquaredQuantile(1.5, 3)).toBeNaN();
  expect(studentQuantile(0.9, 0)).toBeNaN();
  expect(studentQuantile(1, 3)).toBeNaN();
  expect(normalQuantile(0)).toBeNaN();
  expect(fisherQuantile(1, 2, 2)).toBeNaN();
  expect(chiSquaredQuantile(1, 3)).toBe(Infinity);
});

it.each(proportions)('gives the Wilson interval of %i of %i as SciPy does', (...row) => {
  const [hits, count, level, low, high] = row as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  const interval = wilsonInterval(hits, count, level)!;
  expect(interval.share).toBe(hits / count);
  expect(interval.lower).toBeCloseTo(low, 12);
  expect(interval.upper).toBeCloseTo(high, 12);
});

it('has no Wilson interval without rows or with impossible hits', () => {
  expect(wilsonInterval(0, 0)).toBeNull();
  expect(wilsonInterval(3, 2)).toBeNull();
  expect(wilsonInterval(NaN, 2)).toBeNull();
  expect(wilsonInterval(1, 2, 1)).toBeNull();
});

it('draws the same stream for the same seed, another for another', () => {
  const first = (seed: string | number) => Array.from({ length: 4 }, seededRandom(seed));
  expect(first('a')).toEqual(first('a'));
  expect(first('a')).not.toEqual(first('b'));
  expect(first(1)).not.toEqual(first(2));
});

it('draws uniformly and normally', () => {
  const random = seededRandom('moments');
  const counts = Array.from({ length: 10 }, () => 0);
  for (let at = 0; at < 20_000; at++) counts[drawBelow(random, 10)]!++;
  const statistic = counts.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0);
  expect(chiSquaredTail(statistic, 9)).toBeGreaterThan(0.001);

  const normals = Array.from({ length: 20_000 }, () => drawNormal(random));
  const moment = (power: number) => normals.reduce((sum, z) => sum + z ** power, 0) / 20_000;
  expect(moment(1)).toBeCloseTo(0, 1);
  expect(moment(2)).toBeCloseTo(1, 1);
  expect(moment(4)).toBeGreaterThan(2.8);
  expect(moment(4)).toBeLessThan(3.2);
});

it('keeps draws in their range for any seed', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double()), fc.integer({ min: 1, max: 50 }), (seed, n) => {
      const random = seededRandom(seed);
      for (let at = 0; at < 20; at++) {
        const drawn = drawBelow(random, n);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(n);
      }
    }),
  );
});
