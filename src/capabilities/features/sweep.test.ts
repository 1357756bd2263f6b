import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AggregateFunction } from './compiled.ts';
import { ExactSum } from './exact-sum.ts';
import { Sweep } from './sweep.ts';

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
const large = fc.constantFrom(2 ** 52, -(2 ** 52), 1, -3, null);
const wholeEvents = fc.array(fc.record({ key, time, value: large }), { maxLength: 60 });
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

/** Grouped as the sweep wants it. */
function keyed<T extends { readonly key: number; readonly time: number }>(rows: readonly T[]) {
  const sorted = rows.toSorted((a, b) => a.key - b.key || a.time - b.time);
  const starts = [0, 1, 2, 3].map((key) => rows.filter((row) => row.key < key).length);
  const times = Float64Array.from(sorted, ({ time }) => time);
  return { sorted, starts: Uint32Array.from(starts), times };
}

/** Results by aggregate and window; none of kinds that are not wanted. */
function swept(
  history: readonly Event[],
  asked: readonly Pick<Event, 'key' | 'time'>[],
  wanted: readonly AggregateFunction[] = KINDS,
) {
  const targets = KINDS.map((kind) =>
    WINDOWS.map(() =>
      wanted.includes(kind) ? new Float64Array(asked.length).fill(-77) : (null as never),
    ),
  );
  const { sorted, ...events } = keyed(history);
  const values = Float64Array.from(sorted, ({ value }) => value ?? NaN);
  const queries = keyed(asked.map((query, row) => ({ ...query, row })));
  const sweep = new Sweep({
    windows: WINDOWS,
    aggregates: KINDS,
    targets,
    events: { ...events, values: KINDS.map((kind) => (kind === 'count' ? null : values)) },
    queries: { ...queries, rows: Uint32Array.from(queries.sorted, ({ row }) => row) },
  });
  for (let key = 0; key < sweep.keyCount; key += 1) sweep.answer(key);
  return targets;
}

it('answers every query with what lies in its windows', () => {
  fc.assert(
    fc.property(fc.oneof(events, wholeEvents), queries, (history, asked) => {
      const targets = swept(history, asked);
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

it('answers a mean whose sum nobody wants', () => {
  const history = [1.5, 2.25, 8.125].map((value, time) => ({ key: 0, time, value }));
  const [, , means] = swept(history, [{ key: 0, time: 3 }], ['avg']);
  expect(means!.map((found) => found[0])).toEqual([8.125, 3.9583333333333335, 3.9583333333333335]);
});

it('keeps up with a key of very many events', () => {
  const count = 5000;
  const history = Array.from({ length: count }, (_, time) => ({
    key: 1,
    time,
    value: count - time,
  }));
  const [counted, , , , most] = swept(history, [
    { key: 1, time: count },
    { key: 1, time: 2 },
  ]);
  expect(counted![2]![0]).toBe(20);
  expect(most![2]!).toEqual(Float64Array.of(20, count));
});
