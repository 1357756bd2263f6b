import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constantRatio, toleranceOf } from './constant-ratio.ts';
import { medianOf, quantilesOf } from './quantile.ts';
import { rangeLeft } from './range-left.ts';
import { drawBelow, drawNormal, seededRandom, type Random } from './seeded-random.ts';
import { findStep } from './step.ts';
import { nearestUnitPairs } from './unit-pairs.ts';
import { mediansByKey, pairsByKey, pairsByQuantile } from './value-pairs.ts';

const KEYS = { basis: 'keys' } as const;
const QUANTILES = { basis: 'quantiles' } as const;

interface Flights {
  readonly routes: readonly string[];
  readonly distances: Float64Array;
}

/** Flights of 60 routes with fixed distances; the larger `mix` is, the more are short. */
function flights(random: Random, rows: number, mix = 0): Flights {
  const drawn = Array.from({ length: rows }, () => {
    let route = drawBelow(random, 60);
    if (random() < mix) route = Math.min(route, drawBelow(random, 60));
    return route;
  });
  return {
    routes: drawn.map((route) => `route ${route}`),
    distances: Float64Array.from(drawn, (route) => Math.round(60 * 1.07 ** route)),
  };
}

const mediansOf = ({ routes, distances }: Flights) => mediansByKey(routes, distances);
const times = (values: Float64Array, factor: number) => values.map((value) => value * factor);

describe('by key, a change of unit', () => {
  const random = seededRandom('units');
  const reference = mediansOf(flights(random, 20_000));
  const now = flights(random, 1_000);
  const found = (change: (value: number) => number) =>
    constantRatio(
      pairsByKey(reference, mediansOf({ ...now, distances: now.distances.map(change) })),
      KEYS,
    );

  it.each([
    ['miles', 'kilometres', 1.609344],
    ['feet', 'metres', 0.3048],
    ['pounds', 'kilograms', 0.45359237],
    ['minutes', 'seconds (or hours to minutes)', 60],
    ['units', 'hundredths (currency to cents, shares to percent)', 100],
    ['hundredths (currency to cents, shares to percent)', 'units', 0.01],
    ['thousands', 'units (seconds to milliseconds, kilometres to metres)', 1_000],
    ['a value', 'its negative', -1],
  ])('from %s to %s is found and named', (from, to, factor) => {
    const finding = found((value) => value * factor);
    expect(finding).toMatchObject({ verdict: 'constant-ratio', agreeing: 1, offset: 0 });
    expect(finding.ratio).toBeCloseTo(factor, 9);
    expect(finding.lower).toBeLessThanOrEqual(finding.ratio! + 1e-9);
    expect(finding.upper).toBeGreaterThanOrEqual(finding.ratio! - 1e-9);
    expect(finding.hints[0]).toMatchObject({ from, to });
  });

  it('is found when values are rounded after it', () => {
    const finding = found((value) => Math.round(value * 1.609344));
    expect(finding.verdict).toBe('constant-ratio');
    expect(finding.hints[0]).toMatchObject({ from: 'miles', to: 'kilometres' });
  });

  it('of temperatures has a ratio and an offset', () => {
    const finding = found((value) => value * 1.8 + 32);
    expect(finding.verdict).toBe('affine');
    expect(finding.ratio).toBeCloseTo(1.8, 6);
    expect(finding.offset).toBeCloseTo(32, 4);
    expect(finding.hints[0]).toMatchObject({ from: 'degrees Celsius', to: 'degrees Fahrenheit' });
    const kelvins = found((value) => value + 273.15);
    expect(kelvins.verdict).toBe('constant-offset');
    expect(kelvins.hints[0]).toMatchObject({ from: 'degrees Celsius', to: 'kelvins' });
  });

  it('of half the routes is not one of all', () => {
    const pairs = [...reference].map(([, value], at) => ({
      reference: value,
      current: at % 2 === 0 ? value * 1.609344 : value,
    }));
    expect(constantRatio(pairs, KEYS).verdict).toBe('mixed');
  });

  it('without a known name is found and not named', () => {
    expect(found((value) => value * 7.77)).toMatchObject({ verdict: 'constant-ratio', hints: [] });
  });
});

describe('ordinary shifts are no change of unit', () => {
  it('a change of mix leaves keys as they were, and quantiles are not scaled alike', () => {
    const random = seededRandom('mix');
    for (let at = 0; at < 200; at++) {
      const reference = flights(random, 5_000);
      const now = flights(random, 1_000, random());
      expect(constantRatio(pairsByKey(mediansOf(reference), mediansOf(now)), KEYS)).toMatchObject({
        verdict: 'same',
        ratio: 1,
      });
      const marginal = constantRatio(
        pairsByQuantile(reference.distances, now.distances),
        QUANTILES,
      );
      expect(marginal.verdict).not.toBe('constant-ratio');
      expect(marginal.verdict).not.toBe('affine');
    }
  });

  it('noise of each key, growth of each key by its own rate, or by little', () => {
    const random = seededRandom('noise');
    for (let at = 0; at < 300; at++) {
      const change = [
        () => Math.exp(0.1 * drawNormal(random)),
        () => Math.exp(0.3 + 0.15 * drawNormal(random)),
        () => 1.03,
      ][at % 3]!;
      const pairs = Array.from({ length: 30 }, (_, key) => {
        const reference = 50 * 1.1 ** key;
        return { reference, current: reference * change() };
      });
      const { verdict } = constantRatio(pairs, KEYS);
      expect(['mixed', 'constant-offset']).toContain(verdict);
    }
  });

  it('a shift of the mean of a bell-shaped column', () => {
    const random = seededRandom('bell');
    const draw = (mean: number) =>
      Float64Array.from({ length: 4_000 }, () => mean + drawNormal(random));
    for (const mean of [0.1, 0.5, 2, 5]) {
      const { verdict } = constantRatio(pairsByQuantile(draw(0), draw(mean)), QUANTILES);
      expect(verdict).toBe('mixed');
    }
  });
});

describe('without keys, a change of unit', () => {
  const random = seededRandom('marginal');
  const draw = (rows: number) =>
    Float64Array.from({ length: rows }, () => Math.exp(drawNormal(random)));

  it('scales all quantiles alike', () => {
    const reference = draw(20_000);
    const now = draw(20_000);
    const finding = constantRatio(pairsByQuantile(reference, times(now, 1.609344)), {
      ...QUANTILES,
      tolerance: 0.05,
    });
    expect(finding.verdict).toBe('constant-ratio');
    expect(finding.ratio).toBeCloseTo(1.609, 1);
    expect(finding.hints[0]).toMatchObject({ from: 'miles', to: 'kilometres' });
    expect(constantRatio(pairsByQuantile(reference, now), QUANTILES).verdict).not.toBe(
      'constant-ratio',
    );
  });
});

describe('what cannot be told', () => {
  it('is said to be too few', () => {
    const pair = { reference: 5, current: 8 };
    expect(constantRatio([], KEYS)).toMatchObject({ verdict: 'too-few', ratio: null, pairs: 0 });
    expect(constantRatio([pair, pair], KEYS).verdict).toBe('too-few');
    const alike = Array.from({ length: 20 }, () => pair);
    expect(constantRatio(alike, KEYS).verdict).toBe('too-few');
    const zeros = Array.from({ length: 20 }, () => ({ reference: 0, current: 0 }));
    expect(constantRatio(zeros, KEYS).verdict).toBe('too-few');
  });

  it('never throws, and keeps shares between 0 and 1', () => {
    const value = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }), fc.constant(1e308));
    const pairs = fc.array(fc.record({ reference: value, current: value }), { maxLength: 30 });
    fc.assert(
      fc.property(pairs, fc.constantFrom(KEYS, QUANTILES), (list, options) => {
        const finding = constantRatio(list, options);
        expect(finding.agreeing).toBeGreaterThanOrEqual(0);
        expect(finding.agreeing).toBeLessThanOrEqual(1);
        expect(finding.pairs).toBeLessThanOrEqual(list.length);
        const turned = constantRatio(list.toReversed(), options);
        expect(turned.ratio).toEqual(finding.ratio);
      }),
    );
  });

  it('takes its tolerance from how far unchanged pairs are apart', () => {
    const pairs = Array.from({ length: 10 }, (_, at) => ({ reference: 100, current: 100 + at }));
    expect(toleranceOf(pairs)).toBeCloseTo(Math.log(1.081), 3);
    expect(toleranceOf([{ reference: 1, current: 1 }])).toBe(0.02);
    expect(toleranceOf([{ reference: 0, current: 0 }])).toBeNull();
  });
});

it('known pairs are found both ways, nearest first', () => {
  const near = (scale: number) =>
    nearestUnitPairs({ scale, offset: 0 }, { tolerance: 0.02, spread: 1 });
  expect(near(0.6214)[0]).toMatchObject({ from: 'kilometres', to: 'miles' });
  expect(near(1_010).map((pair) => pair.scale)).toEqual([1_000, 1_024]);
  expect(near(5)).toEqual([]);
  expect(near(NaN)).toEqual([]);
});

describe('a range', () => {
  it('is left when surely more rows are outside than tolerated', () => {
    const range = { least: 0, greatest: 10 };
    const rows = (outside: number) =>
      Float64Array.from({ length: 1_000 }, (_, at) => (at < outside ? 11 : 5));
    expect(rangeLeft(range, rows(5))).toMatchObject({ isLeft: false, above: 0.005 });
    expect(rangeLeft(range, rows(30))).toMatchObject({ isLeft: true, above: 0.03, below: 0 });
    expect(rangeLeft(range, Float64Array.of(11))!.isLeft).toBe(true);
    expect(rangeLeft(range, Float64Array.of(NaN, Infinity))).toBeNull();
  });
});

describe('a step', () => {
  it('is found where the level changes and stays', () => {
    const series = [0, 0.001, 0, -0.001, 0, 0.476, 0.476, 0.475];
    expect(findStep(series)).toMatchObject({ at: 5, before: 0, after: 0.476 });
    expect(findStep([0, 0, 0, NaN, 0, 0, 0.476, 0.476])).toMatchObject({ at: 6, size: Infinity });
  });

  it('is none where values wander, stray once, or are too few', () => {
    expect(findStep([0, 0, 0, 5, 0, 0, 0])).toBeNull();
    expect(findStep([1, 2, 3, 4, 5, 6, 7])).toBeNull();
    expect(findStep([0, 0, 1, 1])).toBeNull();
    expect(findStep([])).toBeNull();
    expect(findStep(Array.from({ length: 9 }, () => NaN))).toBeNull();
    const random = seededRandom('no step');
    const steps = Array.from({ length: 1_000 }, () =>
      findStep(Array.from({ length: 24 }, () => drawNormal(random))),
    );
    expect(steps.filter((step) => step !== null).length).toBeLessThan(10);
  });
});

it('quantiles interpolate between rows and leave out what is not finite', () => {
  const values = Float64Array.of(4, NaN, 1, Infinity, 3, 2);
  expect(quantilesOf(values, [0, 0.5, 0.9, 1])).toEqual([1, 2.5, 3.7, 4]);
  expect(quantilesOf(Float64Array.of(NaN), [0.5])).toBeNull();
  expect(medianOf([])).toBeNull();
});
