import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AggregateFunction } from './compiled.ts';
import { ExactSum } from './exact-sum.ts';
import { Sweep, type SweepBatch } from './sweep.ts';

interface Event {
  readonly key: number;
  readonly time: number;
  readonly value: number | null;
}

const KINDS: readonly AggregateFunction[] = ['count', 'sum', 'avg', 'min', 'max'];
const WINDOWS = [1, 7, 20];

const key = fc.integer({ min: 0, max: 2 });
const time = fc.integer({ min: -30, max: 30 });
const event = fc.record({
  key,
  time,
  value: fc.option(
    fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  ),
});
const events = fc.array(event, { maxLength: 60 });
const queries = fc.array(fc.record({ key, time }), { minLength: 1, maxLength: 20 });

function expected(kind: AggregateFunction, seen: readonly Event[]): number {
  const values = seen.flatMap(({ value }) => value ?? []);
  if (kind === 'count') return seen.length;
  if (values.length === 0) return Number.NaN;
  if (kind === 'min') return Math.min(...values);
  if (kind === 'max') return Math.max(...values);
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  const result = kind === 'sum' ? sum.value() : sum.value() / values.length;
  return Number.isFinite(result) ? result : Number.NaN;
}

/** Sorted as the sweep wants it, in batches that end anywhere. */
function batches(rows: readonly (readonly number[])[], size: number): SweepBatch[] {
  const sorted = rows.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || b[2]! - a[2]!);
  const cut: SweepBatch[] = [];
  for (let start = 0; start < sorted.length; start += size) {
    const part = sorted.slice(start, start + size);
    const columns = sorted[0]!.map((_, column) => Float64Array.from(part, (row) => row[column]!));
    cut.push({ rowCount: part.length, columns });
  }
  return cut;
}

it('answers every query with what lies in its windows', () => {
  fc.assert(
    fc.property(events, queries, fc.integer({ min: 1, max: 9 }), (history, asked, size) => {
      const targets = KINDS.map(() => WINDOWS.map(() => new Float64Array(asked.length)));
      const sweep = new Sweep({ windows: WINDOWS, aggregates: KINDS, targets });
      const rows = [
        ...history.map((one) => [one.key, one.time, -1, ...KINDS.map(() => one.value ?? NaN)]),
        ...asked.map((one, index) => [one.key, one.time, index, ...KINDS.map(() => NaN)]),
      ];
      for (const batch of batches(rows, size)) sweep.add(batch);
      for (const [index, query] of asked.entries()) {
        for (const [at, window] of WINDOWS.entries()) {
          const seen = history.filter(
            (one) =>
              one.key === query.key && one.time >= query.time - window && one.time < query.time,
          );
          for (const [kindAt, kind] of KINDS.entries()) {
            expect(targets[kindAt]![at]![index]! + 0).toBe(expected(kind, seen) + 0);
          }
        }
      }
    }),
    { numRuns: 1000 },
  );
});

it('keeps up with a key of very many events', () => {
  const count = 5000;
  const target = new Float64Array(1);
  const sweep = new Sweep({ windows: [3000], aggregates: ['max'], targets: [[target]] });
  const rows = Array.from({ length: count }, (_, at) => [0, at, -1, count - at]);
  for (const batch of batches([...rows, [0, count, 0, NaN]], 512)) sweep.add(batch);
  expect(target[0]).toBe(3000);
});
