import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUCKETS } from './contract.ts';
import { bucketOf, choose, layOut } from './routing.ts';

const keys = fc.string({ unit: 'binary', maxLength: 40 });
const arms = (canary: number) => [
  { name: 'stable', weight: BUCKETS - canary },
  { name: 'canary', weight: canary },
];

describe('routing', () => {
  test('sends every key to one arm, always the same', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: BUCKETS }), (key, weight) => {
        const table = layOut(arms(weight), 'salt');
        const first = choose(table, key);
        expect(choose(table, key)).toEqual(first);
        expect(first.bucket).toBeGreaterThanOrEqual(0);
        expect(first.bucket).toBeLessThan(BUCKETS);
      }),
    );
  });

  test('never moves a caller back when the canary grows', () => {
    fc.assert(
      fc.property(
        keys,
        fc.integer({ min: 0, max: BUCKETS }),
        fc.integer({ min: 0, max: BUCKETS }),
        (key, one, other) => {
          const [less, more] = one < other ? [one, other] : [other, one];
          const before = choose(layOut(arms(less), 's'), key).arm.name;
          const after = choose(layOut(arms(more), 's'), key).arm.name;
          if (before === 'canary') expect(after).toBe('canary');
        },
      ),
    );
  });

  test('spreads like-named keys evenly over the buckets', () => {
    const count = 100_000;
    const cells = new Float64Array(100);
    for (let index = 0; index < count; index += 1) {
      const cell = Math.floor(bucketOf('rt_1', `user-${index}`) / (BUCKETS / 100));
      cells[cell]! += 1;
    }
    const expected = count / 100;
    const chiSquare = cells.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
    // 99 degrees of freedom: above 149 once in a thousand times, and the hash is fixed.
    expect(chiSquare).toBeLessThan(149);
  });

  test('draws other callers under another salt', () => {
    const both = Array.from({ length: 10_000 }, (_, index) => {
      const isFirst = bucketOf('a', `u${index}`) < BUCKETS / 10;
      return isFirst && bucketOf('b', `u${index}`) < BUCKETS / 10;
    });
    const overlap = both.filter(Boolean).length;
    expect(overlap).toBeGreaterThan(50);
    expect(overlap).toBeLessThan(150);
  });

  test('refuses weights that do not cover the buckets', () => {
    expect(() => layOut([{ name: 'only', weight: 9000 }], 's')).toThrow('cover 9000');
  });
});
