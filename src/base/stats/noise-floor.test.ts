import { describe, expect, it } from 'vitest';
import { adjustedP } from './benjamini-hochberg.ts';
import {
  jensenShannonMeasure,
  kolmogorovSmirnovMeasure,
  psiMeasure,
  wassersteinMeasure,
  type DriftMeasure,
} from './drift-measure.ts';
import { chiSquaredQuantile } from './gamma.ts';
import { binOfNumber, mergeCounts, type NumericBins } from './histogram.ts';
import { measureDrift, noiseFloor } from './noise-floor.ts';
import { drawNormal, seededRandom, type Random } from './seeded-random.ts';

/** Tenths of the standard normal distribution. */
const BINS: NumericBins = {
  kind: 'numeric',
  edges: [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816],
  centres: [-1.755, -1.045, -0.677, -0.386, -0.126, 0.126, 0.386, 0.677, 1.045, 1.755],
};
const MEASURES: readonly DriftMeasure[] = [
  psiMeasure,
  jensenShannonMeasure,
  kolmogorovSmirnovMeasure,
  wassersteinMeasure(BINS.centres),
];

interface Days {
  readonly days: number;
  readonly rows: number;
  readonly shift?: number;
  /** Standard deviation of a day's own shift, and its correlation with the day before. */
  readonly dayEffect?: number;
  readonly correlation?: number;
}

function daysOf(random: Random, it: Days): readonly Float64Array[] {
  const { correlation = 0, dayEffect = 0, shift = 0 } = it;
  let effect = drawNormal(random);
  return Array.from({ length: it.days }, () => {
    effect = correlation * effect + Math.sqrt(1 - correlation ** 2) * drawNormal(random);
    const counts = new Float64Array(11);
    for (let row = 0; row < it.rows; row++) {
      counts[binOfNumber(BINS, shift + dayEffect * effect + drawNormal(random))]!++;
    }
    return counts;
  });
}

interface Trial {
  readonly reference: Days;
  /** Rows are those of a day. */
  readonly window: Days;
}

/** For each measure, the share of windows that were above their floor at 0.95. */
function alarms(seed: string, windows: number, { reference, window }: Trial): readonly number[] {
  const random = seededRandom(seed);
  const counts = MEASURES.map(() => 0);
  for (let at = 0; at < windows; at++) {
    const days = daysOf(random, reference);
    const current = { counts: mergeCounts(daysOf(random, window)), days: window.days };
    MEASURES.forEach((measure, index) => {
      const found = measureDrift(measure, days, current)!;
      expect(found.value > found.floor).toBe(found.pValue < 1 - found.level);
      if (found.value > found.floor) counts[index]!++;
    });
  }
  return counts.map((count) => count / windows);
}

describe('without drift, a noise floor is passed', () => {
  // Twice the standard error of 500 windows at 5 % is 1.9 points.
  it.each([50, 200, 1_000, 5_000])('by at most 5 in 100 windows of %i rows', (rows) => {
    const reference = { days: 14, rows: 200 };
    const shares = alarms('alike', 500, { reference, window: { days: 1, rows } });
    expect(Math.max(...shares), String(shares)).toBeLessThan(0.07);
  });

  it.each([50, 500])('by at most 5 in 100 windows of %i rows in many rare categories', (rows) => {
    const random = seededRandom('rare');
    // The chance of level k falls about as 1 / k^1.5.
    const draw = (count: number) => {
      const counts = new Float64Array(52);
      for (let row = 0; row < count; row++) counts[Math.floor((1 - random()) ** -2 - 1) % 50]!++;
      return counts;
    };
    let passed = 0;
    for (let at = 0; at < 400; at++) {
      const days = Array.from({ length: 14 }, () => draw(200));
      const found = measureDrift(psiMeasure, days, { counts: draw(rows), days: 1 })!;
      if (found.value > found.floor) passed++;
    }
    expect(passed / 400).toBeLessThan(0.075);
  });

  it('by not many more where days differ', () => {
    const [reference, window] = [
      { days: 28, rows: 300, dayEffect: 0.2 },
      { days: 1, rows: 1_000, dayEffect: 0.2 },
    ];
    const shares = alarms('differ', 200, { reference, window });
    expect(Math.max(...shares), String(shares)).toBeLessThan(0.12);
  });

  it('by some more where days are like the day before', () => {
    const day = { dayEffect: 0.2, correlation: 0.5 };
    const reference = { days: 28, rows: 300, ...day };
    const shares = alarms('correlated', 200, { reference, window: { days: 3, rows: 200, ...day } });
    expect(Math.max(...shares), String(shares)).toBeLessThan(0.15);
  });

  it('far more often when it knows row counts alone', () => {
    const random = seededRandom('rows alone');
    let passed = 0;
    for (let at = 0; at < 100; at++) {
      const reference = mergeCounts(daysOf(random, { days: 14, rows: 300, dayEffect: 0.2 }));
      const counts = daysOf(random, { days: 1, rows: 1_000, dayEffect: 0.2 })[0]!;
      const found = measureDrift(psiMeasure, [reference], { counts, days: 1 })!;
      expect(found.method).toBe('row-noise');
      if (found.value > found.floor) passed++;
    }
    expect(passed).toBeGreaterThan(40);
  });
});

it('a real shift is above the floor, the more days differ the larger it has to be', () => {
  const power = (dayEffect: number, shift: number) =>
    alarms('power', 60, {
      reference: { days: 14, rows: 300, dayEffect },
      window: { days: 1, rows: 1_000, dayEffect, shift },
    });
  expect(Math.min(...power(0, 0.25))).toBeGreaterThan(0.95);
  expect(Math.min(...power(0.1, 0.6))).toBeGreaterThan(0.9);
  expect(Math.max(...power(0.2, 0.1))).toBeLessThan(0.3);
});

describe('a noise floor', () => {
  const random = seededRandom('floors');
  const days = daysOf(random, { days: 14, rows: 300 });

  it('is never below the closed form for independent rows', () => {
    const closed = chiSquaredQuantile(0.95, 9) * (1 / 4_200 + 1 / 500);
    const found = noiseFloor(psiMeasure, days, { rows: 500, days: 1 })!;
    expect(found.floor).toBeGreaterThanOrEqual(closed);
    expect(found).toMatchObject({ method: 'day-blocks', referenceDays: 14, referenceRows: 4_200 });
    const one = noiseFloor(psiMeasure, [mergeCounts(days)], { rows: 500, days: 1 })!;
    expect(one.floor).toBeCloseTo(closed, 12);
    expect(one.method).toBe('row-noise');
  });

  it('falls with rows and days, and rises with the level', () => {
    const at = (rows: number, window: number, level?: number) =>
      noiseFloor(psiMeasure, days, { rows, days: window }, level)!.floor;
    expect(at(100, 1)).toBeGreaterThan(at(1_000, 1));
    expect(at(1_000, 1)).toBeGreaterThan(at(100_000, 1));
    expect(at(1_000, 1, 0.999)).toBeGreaterThan(at(1_000, 1));
  });

  it('is none without rows, and holds for columns without values or without change', () => {
    const empty = new Float64Array(11);
    expect(noiseFloor(psiMeasure, [], { rows: 10, days: 1 })).toBeNull();
    expect(noiseFloor(psiMeasure, [empty, empty], { rows: 10, days: 1 })).toBeNull();
    expect(noiseFloor(psiMeasure, days, { rows: 0, days: 1 })).toBeNull();
    expect(noiseFloor(psiMeasure, days, { rows: 10, days: 1 }, 1)).toBeNull();
    const missing = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40);
    const constant = Float64Array.of(0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0);
    for (const measure of MEASURES) {
      for (const column of [missing, constant]) {
        const reference = [column, column, column, column];
        const same = measureDrift(measure, reference, { counts: column, days: 1 });
        if (same !== null) expect([same.value, same.pValue]).toEqual([0, 1]);
        for (const window of [1, 2, 50]) {
          const floor = noiseFloor(measure, reference, { rows: 1, days: window });
          if (floor !== null) expect(floor.floor).toBeGreaterThanOrEqual(0);
        }
      }
    }
  });

  it('lets p-values be adjusted for the number of columns', () => {
    const quiet = Array.from({ length: 40 }, () => {
      const reference = daysOf(random, { days: 14, rows: 100 });
      const counts = daysOf(random, { days: 1, rows: 300 })[0]!;
      return measureDrift(psiMeasure, reference, { counts, days: 1 })!.pValue;
    });
    const reference = daysOf(random, { days: 14, rows: 100 });
    const shifted = daysOf(random, { days: 1, rows: 300, shift: 0.6 })[0]!;
    const real = measureDrift(psiMeasure, reference, { counts: shifted, days: 1 })!.pValue;
    const adjusted = adjustedP([...quiet, real]);
    expect(adjusted.at(-1)).toBeLessThan(0.05);
    expect(adjusted.slice(0, -1).filter((p) => p! < 0.05).length).toBeLessThanOrEqual(1);
  });
});
