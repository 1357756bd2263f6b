import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryKv } from '../../platform/kv/memory.ts';
import { keyPart, keyText, rootsPrefix } from './tiles-keys.ts';
import { INLINE_EVENTS_MAX, LEAF_EVENTS_MAX } from './tiles-layout.ts';
import {
  EVENTS,
  MAX,
  MIN,
  NON_NULL,
  SUM,
  TileReader,
  totalAt,
  windowStride,
} from './tiles-read.ts';
import { TileWriter } from './tiles-write.ts';

interface Row {
  readonly time: number;
  readonly values: readonly [number, number];
}

const WINDOWS = [5, 100, 1000, 100_000];
const VIEW = { id: 7, expressions: 2, windows: WINDOWS };
const KEY = keyText([keyPart('string', 'ORD')]);

const integers = fc.integer({ min: -1000, max: 1000 });
/** Magnitudes so far apart that plain addition would lose the small ones. */
const doubles = fc.oneof(
  integers,
  fc.constantFrom(1e16, -1e16, 1e-3, 0.1, 0.2, 1e300, -1e300, 5e-324, 2 ** 53),
);
const row = (values: fc.Arbitrary<number>): fc.Arbitrary<Row> =>
  fc.record({
    time: fc.oneof(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: 0, max: 30 })),
    values: fc.tuple(
      fc.oneof({ weight: 5, arbitrary: values }, { weight: 1, arbitrary: fc.constant(NaN) }),
      values,
    ),
  });

/** The windows of one key, by looking at every event. */
function expected(rows: readonly Row[], time: number): number[] {
  return WINDOWS.flatMap((window) => {
    const inside = rows.filter((it) => it.time >= time - window && it.time < time);
    const totals = [0, 1].flatMap((index) => {
      const values = inside.map((it) => it.values[index]!).filter((value) => !Number.isNaN(value));
      if (values.length === 0) return [0, NaN, NaN, NaN];
      return [values.length, exactSum(values), Math.min(...values), Math.max(...values)];
    });
    return [inside.length, ...totals];
  });
}

/** As a fraction with the least power of two as denominator, rounded once by `Number`. */
function exactSum(values: readonly number[]): number {
  const scale = 1074n;
  const total = values.reduce((sum, value) => sum + scaled(value), 0n);
  if (total === 0n) return 0;
  const sign = total < 0n ? -1 : 1;
  let magnitude = total < 0n ? -total : total;
  const drop = BigInt(Math.max(0, magnitude.toString(2).length - 54));
  const isInexact = (magnitude & ((1n << drop) - 1n)) !== 0n;
  magnitude >>= drop;
  // Two more bits than a double has, the last saying that something follows: rounded right.
  const sticky = (magnitude << 1n) | (isInexact ? 1n : 0n);
  const exponent = Number(drop - 1n - scale);
  const rounded = Number(sticky);
  return sign * rounded * 2 ** Math.floor(exponent / 2) * 2 ** Math.ceil(exponent / 2);
}

function scaled(value: number): bigint {
  if (value === 0) return 0n;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = (word >> 52n) & 0x7ffn;
  const fraction = word & ((1n << 52n) - 1n);
  const magnitude = exponent === 0n ? fraction : ((1n << 52n) | fraction) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}

async function change(
  kv: MemoryKv,
  rows: { readonly added: readonly Row[]; readonly removed: readonly Row[] },
): Promise<void> {
  const all = [...rows.added, ...rows.removed];
  const added = rows.added.map((_, index) => index);
  const removed = rows.removed.map((_, index) => rows.added.length + index);
  const columns = {
    times: all.map(({ time }) => time),
    values: [0, 1].map((index) => all.map(({ values }) => values[index]!)),
  };
  const writer = new TileWriter(kv, VIEW);
  await kv.apply(writer.change(columns, { key: KEY, added, removed }, -Infinity));
}

function read(kv: MemoryKv, time: number): number[] {
  return [...new TileReader(kv, VIEW).read(KEY, time)];
}

/** What is left when neither the least nor the greatest values were asked for. */
function unbounded(totals: readonly number[]): number[] {
  const isBound = (at: number): boolean =>
    [0, 1].some((it) => at === totalAt(it, MIN) || at === totalAt(it, MAX));
  return totals.filter((_, index) => !isBound(index % windowStride(2)));
}

const batches = (values: fc.Arbitrary<number>, size: number): fc.Arbitrary<Row[][]> =>
  fc.array(fc.array(row(values), { minLength: size / 2, maxLength: size }), { maxLength: 5 });
const times = fc.array(fc.integer({ min: -2500, max: 2500 }), { minLength: 1, maxLength: 8 });

test.each([
  ['integers', integers, 40, 150],
  ['doubles of any magnitude', doubles, 40, 100],
  ['enough events for many leaves', doubles, 800, 15],
  ['integers in many leaves', integers, 800, 15],
])('windows hold what an addition of all events gives: %s', async (_name, values, size, runs) => {
  await fc.assert(
    fc.asyncProperty(
      batches(values, size),
      times,
      fc.infiniteStream(fc.boolean()),
      async (batchesOfRows, readAt, leaves) => {
        const kv = new MemoryKv();
        let stored: Row[] = [];
        for (const added of batchesOfRows) {
          const removed = stored.filter(() => leaves.next().value === true);
          await change(kv, { added, removed });
          const gone = new Set(removed);
          stored = [...stored.filter((it) => !gone.has(it)), ...added];
          // Where events, and so the ends of leaves, meet the edges of windows.
          const edges = stored.slice(0, 8).flatMap(({ time }) => [time, time + 5, time + 100]);
          for (const time of [...readAt, ...edges]) {
            const totals = expected(stored, time);
            expect(read(kv, time)).toEqual(totals);
            const summed = new TileReader(kv, { ...VIEW, bounded: [false, false] });
            expect(unbounded([...summed.read(KEY, time)])).toEqual(unbounded(totals));
            const newest = Math.max(...stored.map((it) => it.time).filter((it) => it < time));
            const found = new TileReader(kv, VIEW).newestBefore(KEY, time);
            expect(found).toBe(newest === -Infinity ? null : newest);
          }
        }
      },
    ),
    { numRuns: runs },
  );
});

test('edges are exact: an event at T - W counts, one at T does not', async () => {
  const kv = new MemoryKv();
  const rows = [95, 99, 100].map((time): Row => ({ time, values: [time, time] }));
  await change(kv, { added: rows, removed: [] });
  const stride = windowStride(2);
  const totals = read(kv, 100);
  expect(totals[EVENTS]).toBe(2);
  expect(totals[totalAt(0, NON_NULL)]).toBe(2);
  expect(totals[totalAt(0, SUM)]).toBe(194);
  expect(totals[totalAt(1, MIN)]).toBe(95);
  expect(totals[stride + totalAt(1, MAX)]).toBe(99);
  expect(read(kv, 101)[EVENTS]).toBe(2);
});

test('an unknown key reads like one whose windows are empty', async () => {
  const kv = new MemoryKv();
  await change(kv, { added: [{ time: 5_000_000, values: [1, 1] }], removed: [] });
  const reader = new TileReader(kv, VIEW);
  const empty = [...reader.read(KEY, 0)];
  expect([...reader.read(keyText([keyPart('string', 'nobody')]), 0)]).toEqual(empty);
  expect([...reader.read(null, 0)]).toEqual(empty);
});

test('keys do not run into one another', () => {
  const parts = [
    ['1', '23'],
    ['12', '3'],
    ['', '123'],
    ['1', '2', '3'],
    ['s1:1', '23'],
  ].map((texts) => keyText(texts.map((text) => keyPart('string', text))));
  const typed = [keyText([keyPart('long', 1)]), keyText([keyPart('string', '1')])];
  const long = ['x'.repeat(2000), 'y'.repeat(2000)].map((text) =>
    keyText([keyPart('string', text)]),
  );
  const all = [...parts, ...typed, ...long];
  expect(new Set(all).size).toBe(all.length);
  for (const text of all) expect(Buffer.byteLength(text)).toBeLessThan(450);
});

test('forgets what is older than asked, and nothing that is not', async () => {
  const kv = new MemoryKv();
  const size = 3 * LEAF_EVENTS_MAX;
  const rows = Array.from({ length: size }, (_, time): Row => ({ time, values: [1, time] }));
  await change(kv, { added: rows, removed: [] });
  const writer = new TileWriter(kv, VIEW);
  const cut = size - INLINE_EVENTS_MAX;
  await kv.apply(writer.forget(KEY, cut) ?? []);
  expect(read(kv, size)[EVENTS]).toBe(5);
  expect(writer.events(KEY).times.length).toBeLessThanOrEqual(LEAF_EVENTS_MAX);
  expect(writer.events(KEY).times.at(-1)).toBe(size - 1);
  await kv.apply(writer.forget(KEY, size - 3) ?? []);
  await kv.apply(writer.forget(KEY, size + 1) ?? []);
  expect(kv.range({ from: rootsPrefix(0), to: 'features/z', limit: 10 })).toEqual([]);
});

test('says that tiles are damaged instead of reading numbers out of them', async () => {
  const kv = new MemoryKv();
  await change(kv, { added: [{ time: 1, values: [1, 1] }], removed: [] });
  await kv.apply([{ key: rootsPrefix(VIEW.id) + KEY, value: new Uint8Array(48) }]);
  expect(() => read(kv, 5)).toThrow('damaged');
});
