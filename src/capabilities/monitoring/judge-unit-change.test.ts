import { expect, it } from 'vitest';
import { drawBelow, seededRandom } from '../../base/stats/seeded-random.ts';
import { HOUR_MICROS } from './periods.ts';
import { judgeUnits } from './judge-unit-change.ts';
import { EMPTY_MEMORY, type Sighting, type UnitMemory } from './unit-memory.ts';

const MILES = 1.609344;
const ROUTES = 200;

/** Distances of a day's flights, whole numbers, times `factor` of the hour. */
function flights(
  day: number,
  factor: (hour: number) => number,
): ReadonlyMap<string, readonly Sighting[]> {
  const random = seededRandom(day);
  const seen = Array.from({ length: 1200 }, (_, index): Sighting => {
    const at = (day * 24 + (index / 1200) * 24) * HOUR_MICROS;
    const route = drawBelow(random, ROUTES);
    const distance = 150 + ((route * 37) % 2400);
    const value = Math.round(distance * factor(Math.floor(at / HOUR_MICROS)));
    return { at, key: `route ${route}`, value };
  });
  return new Map([['distance', seen]]);
}

function play(days: number, factor: (hour: number) => number) {
  let memory: UnitMemory = EMPTY_MEMORY;
  return Array.from({ length: days }, (_, day) => {
    const found = judgeUnits(flights(day, factor), memory);
    memory = found.memory;
    return found.checks[0]!;
  });
}

const hourOf = (day: number, hour: number) => day * 24 + hour;
const instant = (text: string | null) => (text === null ? null : Date.parse(text) / 3_600_000);

it('names a change of unit, its hour, its keys and its end', () => {
  const [begins, ends] = [hourOf(4, 7), hourOf(6, 13)];
  const checks = play(9, (hour) => (hour >= begins && hour < ends ? MILES : 1));
  expect(checks.map(({ state }) => state)).toEqual([
    'no_data',
    'ok',
    'ok',
    'ok',
    'alert',
    'alert',
    'ok',
    'ok',
    'ok',
  ]);
  expect(checks[4]!.value).toBeCloseTo(MILES, 2);
  expect(checks[4]!.explanation).toMatch(/miles to kilometres/);
  expect(checks[4]!.explanation).toMatch(/\b(\d+) of \1 keys/);
  expect([checks[4]!, checks[5]!].map((check) => instant(check.since))).toEqual([begins, begins]);
  // Noticed at the evaluation after its end, with both hours.
  expect([instant(checks[6]!.since), instant(checks[6]!.until)]).toEqual([begins, ends]);
  expect([checks[7]!.since, checks[7]!.until]).toEqual([null, null]);
});

it('finds one that begins and ends within a day', () => {
  const isOn = (hour: number) => hour >= hourOf(3, 5) && hour < hourOf(3, 11);
  const checks = play(5, (hour) => (isOn(hour) ? MILES : 1));
  expect([instant(checks[3]!.since), instant(checks[3]!.until)]).toEqual([
    hourOf(3, 5),
    hourOf(3, 11),
  ]);
  expect(checks[3]!.state).toBe('ok');
});

it('does not take other requests for other units', () => {
  const random = seededRandom('mix');
  let memory: UnitMemory = EMPTY_MEMORY;
  const day = (index: number, from: number): ReadonlyMap<string, readonly Sighting[]> => {
    const seen = Array.from({ length: 1000 }, (_, row) => {
      const route = from + drawBelow(random, 100);
      return {
        at: (index * 24 + row / 50) * HOUR_MICROS,
        key: `r${route}`,
        value: 100 + route * 10,
      };
    });
    return new Map([['distance', seen]]);
  };
  for (const index of [0, 1, 2]) memory = judgeUnits(day(index, 0), memory).memory;
  // Longer routes only, half of them known.
  const [check] = judgeUnits(day(3, 50), memory).checks;
  expect(check).toMatchObject({ state: 'ok', value: 1 });
});

it('says nothing of numbers that their keys do not fix', () => {
  const random = seededRandom('free');
  let memory: UnitMemory = EMPTY_MEMORY;
  for (let day = 0; day < 4; day += 1) {
    const seen = Array.from({ length: 500 }, (_, row) => {
      const at = (day * 24 + row / 25) * HOUR_MICROS;
      return { at, key: `k${row % 50}`, value: 1 + random() * 100 };
    });
    const { checks, memory: next } = judgeUnits(new Map([['amount', seen]]), memory);
    memory = next;
    if (day > 0) expect(checks).toEqual([]);
  }
});

it('goes on to know a change that lasts, and learns nothing from it', () => {
  const begins = hourOf(3, 0);
  const checks = play(40, (hour) => (hour >= begins ? MILES : 1));
  expect(checks.slice(3).every(({ state }) => state === 'alert')).toBe(true);
  expect(instant(checks.at(-1)!.since)).toBe(begins);
});
