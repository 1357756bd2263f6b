import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  comparable,
  compare,
  fileRange,
  mayMatch,
  type Comparable,
  type Comparison,
} from './prune.ts';
import type { ColumnType } from './schema.ts';

const column = (type: ColumnType) => ({ name: 'c', type, nullable: true });
const stats = (min: unknown, max: unknown) =>
  JSON.stringify({ numRecords: 1, minValues: { c: min }, maxValues: { c: max } });

const holds: Record<Comparison, (value: Comparable, wanted: Comparable) => boolean> = {
  '=': (value, wanted) => compare(value, wanted) === 0,
  '<': (value, wanted) => compare(value, wanted) < 0,
  '<=': (value, wanted) => compare(value, wanted) <= 0,
  '>': (value, wanted) => compare(value, wanted) > 0,
  '>=': (value, wanted) => compare(value, wanted) >= 0,
};
const comparisons = Object.keys(holds) as Comparison[];

describe('a file is opened', () => {
  test('exactly when a value within its bounds can satisfy the condition', () => {
    const small = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(
        small,
        small,
        small,
        fc.constantFrom(...comparisons),
        (a, b, wanted, comparison) => {
          const [min, max] = [Math.min(a, b), Math.max(a, b)];
          const inside = [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6].filter(
            (value) => value >= min && value <= max,
          );
          const expected = inside.some((value) => holds[comparison](value, wanted));
          expect(mayMatch({ min, max }, comparison, wanted)).toBe(expected);
        },
      ),
    );
  });

  test('when nothing is known of it', () => {
    for (const comparison of comparisons) {
      expect(mayMatch(fileRange(null, column('long')), comparison, 5)).toBe(true);
      expect(mayMatch(fileRange('garbage', column('long')), comparison, 5)).toBe(true);
      expect(mayMatch(fileRange(stats('1', '2'), column('long')), comparison, 5)).toBe(true);
      expect(mayMatch(fileRange(stats(true, true), column('boolean')), comparison, 5)).toBe(true);
    }
  });

  test('for the microseconds that stats cut from its last instant', () => {
    const range = fileRange(
      stats('2001-01-01T00:00:00.001Z', '2001-01-01T00:00:00.002Z'),
      column('timestamp'),
    );
    const at = (text: string) => comparable(column('timestamp'), text)!;
    expect(mayMatch(range, '=', at('2001-01-01T00:00:00.002999Z'))).toBe(true);
    expect(mayMatch(range, '=', at('2001-01-01T00:00:00.003Z'))).toBe(false);
    expect(mayMatch(range, '=', at('2001-01-01T01:00:00.001+01:00'))).toBe(true);
    expect(mayMatch(range, '<', at('2001-01-01T00:00:00.001Z'))).toBe(false);
  });
});

test('strings compare as their UTF-8 bytes do', () => {
  const strings = fc.string({ unit: 'binary', maxLength: 8 });
  fc.assert(
    fc.property(strings, strings, (a, b) => {
      expect(Math.sign(compare(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
