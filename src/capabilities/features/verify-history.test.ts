import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ExactSum } from './exact-sum.ts';
import { EVENTS, MAX, MIN, NON_NULL, SUM, totalAt, windowStride } from './tiles-read.ts';
import { BlockHistory, type KeyHistory, type KeyInstant } from './verify-history.ts';
import { WholeHistory } from './verify-whole-history.ts';

const WINDOWS = [3, 50, 1000];

interface Revision {
  readonly time: number;
  readonly from: number;
  readonly until: number;
  readonly value: number;
}

const version = fc.integer({ min: 0, max: 9 });
const whole = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(NaN));
const revisionOf = (value: fc.Arbitrary<number>): fc.Arbitrary<Revision> =>
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), version, fc.option(version), value)
    .map(([time, from, later, one]) => {
      const until = later === null ? Infinity : from + later + 1;
      return { time, from, until, value: one };
    });
const instant = fc.record({ time: fc.integer({ min: -60, max: 60 }), version });
const asked = fc.array(
  fc.oneof(
    instant,
    instant.map((one) => ({ ...one, version: 1e9 })),
  ),
  {
    minLength: 1,
    maxLength: 10,
  },
);

function historyOf(
  revisions: readonly Revision[],
  create: (of: ConstructorParameters<typeof BlockHistory>[0]) => KeyHistory,
): KeyHistory {
  const sorted = revisions.toSorted((a, b) => a.time - b.time);
  const column = (name: keyof Revision) => Float64Array.from(sorted, (one) => one[name]);
  const values = [column('value')];
  return create({ times: column('time'), from: column('from'), until: column('until'), values });
}

function expected(
  revisions: readonly Revision[],
  window: number,
  { time, version: of }: KeyInstant,
) {
  const seen = revisions.filter(
    (one) => one.time >= time - window && one.time < time && one.from <= of && of < one.until,
  );
  const known = seen.map(({ value }) => value).filter((value) => !Number.isNaN(value));
  const sum = new ExactSum();
  for (const value of known) sum.add(value);
  const isNone = known.length === 0;
  return {
    events: seen.length,
    nonNull: known.length,
    sum: isNone ? NaN : sum.value(),
    min: isNone ? NaN : Math.min(...known),
    max: isNone ? NaN : Math.max(...known),
  };
}

function compare(history: KeyHistory, revisions: readonly Revision[], at: KeyInstant): void {
  const totals = new Float64Array(WINDOWS.length * windowStride(1)).fill(-77);
  history.totals(WINDOWS, at, totals);
  const hadSettled = history.hadSettled;
  for (const [index, window] of WINDOWS.entries()) {
    const place = index * windowStride(1);
    const total = place + totalAt(0, 0);
    const found = {
      events: totals[place + EVENTS],
      nonNull: totals[total + NON_NULL],
      sum: totals[total + SUM]! + 0,
    };
    const { min, max, ...rest } = expected(revisions, window, at);
    expect(found).toEqual({ ...rest, sum: rest.sum + 0 });
    if (history instanceof BlockHistory) {
      expect({ min: totals[total + MIN]! + 0, max: totals[total + MAX]! + 0 }).toEqual({
        min: min + 0,
        max: max + 0,
      });
    }
    if (!hadSettled) continue;
    const latest = expected(revisions, window, { ...at, version: 1e9 });
    expect(latest).toEqual(expected(revisions, window, at));
  }
}

it.each([
  ['blocks', whole, (of) => new BlockHistory(of)],
  ['blocks of fractions', fc.double({ noDefaultInfinity: true }), (of) => new BlockHistory(of)],
  ['running sums', whole, (of) => WholeHistory.of(of)!],
] as const satisfies readonly (readonly [
  string,
  fc.Arbitrary<number>,
  (of: ConstructorParameters<typeof BlockHistory>[0]) => KeyHistory,
])[])('tells windows as of any version by %s', (_, value, create) => {
  const few = fc.array(revisionOf(value), { maxLength: 40 });
  const many = fc.array(revisionOf(value), { minLength: 1500, maxLength: 2500 });
  fc.assert(
    fc.property(few, asked, (revisions, instants) => {
      const history = historyOf(revisions, create);
      for (const at of instants) compare(history, revisions, at);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(many, asked, (revisions, instants) => {
      const history = historyOf(revisions, create);
      for (const at of instants) compare(history, revisions, at);
    }),
    { numRuns: 10 },
  );
});

it('leaves fractions and sums past 2^53 to blocks', () => {
  const one = { time: 0, from: 0, until: Infinity };
  const whole = (...values: number[]) =>
    historyOf(
      values.map((value) => ({ ...one, value })),
      (of) => WholeHistory.of(of) ?? BLOCKS,
    );
  const BLOCKS = new BlockHistory({
    times: new Float64Array(0),
    from: new Float64Array(0),
    until: new Float64Array(0),
    values: [],
  });
  expect(whole(1, 2)).not.toBe(BLOCKS);
  expect(whole(1, 0.5)).toBe(BLOCKS);
  expect(whole(2 ** 53 - 1, 2 ** 53 - 1)).toBe(BLOCKS);
});
