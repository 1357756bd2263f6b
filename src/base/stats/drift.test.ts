import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjustedP } from './benjamini-hochberg.ts';
import { chiSquared } from './chi-squared.ts';
import {
  binCountOf,
  binOfNumber,
  categoryBins,
  countCategories,
  countNumbers,
  densePair,
  mergeCounts,
  numericBins,
  rowsOf,
  smoothedShares,
} from './histogram.ts';
import { jensenShannon } from './jensen-shannon.ts';
import { kolmogorovQuantile, kolmogorovSmirnov, kolmogorovSmirnovP } from './kolmogorov-smirnov.ts';
import oracle from './oracle.json' with { type: 'json' };
import { populationStability, stabilityOfShares } from './population-stability.ts';
import { binnedDeviation, wasserstein } from './wasserstein.ts';

const { drift, tails } = oracle;
const A = Float64Array.from(drift.A);
const B = Float64Array.from(drift.B);
const sharesOf = (counts: Float64Array) => counts.map((count) => count / rowsOf(counts));

/** Bins at every value of both samples, where binned measures are those of the rows. */
const everyValue = {
  kind: 'numeric' as const,
  edges: [...new Set([...drift.R, ...drift.C])].sort((a, b) => a - b),
  centres: [0, ...[...new Set([...drift.R, ...drift.C])].sort((a, b) => a - b)],
};
const R = countNumbers(everyValue, Float64Array.from(drift.R));
const C = countNumbers(everyValue, Float64Array.from(drift.C));

describe('drift measures give what SciPy gives', () => {
  it('PSI, Jensen-Shannon and chi-squared of categories', () => {
    expect(stabilityOfShares(sharesOf(A), sharesOf(B))).toBeCloseTo(drift.psi, 12);
    expect(stabilityOfShares(sharesOf(A), sharesOf(B))).toBeCloseTo(0.037218381577290835, 12);
    expect(jensenShannon(A, B)).toBeCloseTo(drift.jensenShannon, 12);
    expect(jensenShannon(A, B)).toBeCloseTo(0.08173421330573756, 12);
    const test = chiSquared(A, B)!;
    expect(test.statistic).toBeCloseTo(drift.chiSquared.statistic, 12);
    expect(test.degrees).toBe(5);
    expect(test.pValue).toBeCloseTo(0.8985262394026607, 10);
  });

  it('Kolmogorov-Smirnov and Wasserstein of numbers, with a bin for each value', () => {
    expect(kolmogorovSmirnov(R, C)).toBeCloseTo(0.625, 12);
    expect(wasserstein(everyValue.centres, R, C)).toBeCloseTo(4.1625, 12);
    expect(4.1625 / binnedDeviation(everyValue.centres, R)!).toBeCloseTo(0.781236105789365, 12);
    const [a, b] = [A, B].map((counts) => Float64Array.of(...counts, 0));
    expect(kolmogorovSmirnov(a!, b!)).toBeCloseTo(drift.kolmogorovSmirnovOfCounts, 12);
    expect(wasserstein([1, 2, 3, 4, 5, 6], a!, b!)).toBeCloseTo(drift.wassersteinOfCounts, 12);
  });

  it('the limit law of Kolmogorov-Smirnov', () => {
    for (const [level, expected] of tails.kolmogorovQuantile) {
      expect(kolmogorovQuantile(level!)).toBeCloseTo(expected!, 9);
    }
    expect(kolmogorovSmirnovP(1.3581 * Math.sqrt(2 / 1_000), 1_000, 1_000)).toBeCloseTo(0.05, 5);
    expect(kolmogorovSmirnovP(0, 10, 10)).toBe(1);
    expect(kolmogorovSmirnovP(0.5, 0, 10)).toBeNull();
  });

  it('p-values adjusted for their number', () => {
    adjustedP(drift.pValues).forEach((p, at) => expect(p).toBeCloseTo(drift.adjusted[at]!, 12));
    expect(adjustedP([0.01, null, 0.04])).toEqual([0.02, null, 0.04]);
    expect(adjustedP([NaN, 0.01])).toEqual([1, 0.02]);
    expect(adjustedP([])).toEqual([]);
  });
});

const numbers = fc
  .array(
    fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 5e-324, 1.7e308),
    ),
    { maxLength: 80 },
  )
  .map((values) => Float64Array.from(values));
const words = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd', '')), { maxLength: 40 });

describe('histograms', () => {
  it('count every row once and merge to those of the whole', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (reference, a, b) => {
        const bins = numericBins(reference, 4);
        const whole = countNumbers(bins, Float64Array.of(...a, ...b));
        const merged = mergeCounts([countNumbers(bins, a), countNumbers(bins, b)]);
        expect(merged).toEqual(whole);
        expect(rowsOf(whole)).toBe(a.length + b.length);
        expect(whole.length).toBe(binCountOf(bins));
        // A set has one zero.
        const edges = bins.edges.map((edge) => edge + 0);
        expect(edges).toEqual([...new Set(edges)].sort((x, y) => x - y));
        expect(bins.centres.length).toBe(bins.edges.length + 1);
        expect(bins.centres).toEqual(bins.centres.toSorted((x, y) => x - y));
      }),
    );
    fc.assert(
      fc.property(words, words, words, (reference, a, b) => {
        const bins = categoryBins(reference, 3);
        const whole = countCategories(bins, [...a, ...b]);
        expect(mergeCounts([countCategories(bins, a), countCategories(bins, b)])).toEqual(whole);
        expect(rowsOf(whole)).toBe(a.length + b.length);
      }),
    );
  });

  it('have bins of equal counts, whatever the order of the reference', () => {
    const values = Float64Array.from({ length: 1_000 }, (_, at) => Math.sqrt(at));
    const bins = numericBins(values.toReversed());
    expect([...countNumbers(bins, values)]).toEqual([...Array.from({ length: 10 }, () => 100), 0]);
  });

  it('give few values a bin each, and room on both sides', () => {
    const bins = numericBins(Float64Array.of(0, 1, 1, 2));
    expect([...countNumbers(bins, Float64Array.of(-1, 0, 1, 2, 3, NaN))]).toEqual([
      1, 1, 1, 1, 1, 1,
    ]);
  });

  it('let a constant column notice any other value', () => {
    for (const constant of [0, 7, -3.25, 1e300, 5e-324]) {
      const bins = numericBins(Float64Array.of(constant, constant));
      const other = [constant - Math.abs(constant) - 1, constant + Math.abs(constant) + 1];
      const at = [other[0]!, constant, other[1]!].map((value) => binOfNumber(bins, value));
      expect(at).toEqual([0, 1, 2]);
    }
  });

  it('put levels that are new, or beyond the most frequent, with the others', () => {
    const bins = categoryBins(['b', 'b', 'a', 'c', null], 2);
    expect(bins.levels).toEqual(['b', 'a']);
    expect([...countCategories(bins, ['a', 'c', 'new', null, 'b'])]).toEqual([1, 1, 2, 1]);
  });

  it('smooth to shares of which none is 0 and all are 1', () => {
    const shares = smoothedShares(Float64Array.of(0, 3, 1));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(shares[0]).toBeCloseTo(0.5 / 5.5, 12);
  });

  it('merge sparse bins of both samples without losing a row', () => {
    const pair = densePair(Float64Array.of(500, 2, 1, 497), Float64Array.of(10, 0, 1, 9))!;
    expect([...pair.reference]).toEqual([500, 497, 3]);
    expect([...pair.current]).toEqual([10, 9, 1]);
  });
});

describe('drift measures', () => {
  const pairs = fc.integer({ min: 2, max: 8 }).chain((size) => {
    const counts = fc
      .array(fc.oneof(fc.nat(40), fc.constant(0)), { minLength: size, maxLength: size })
      .map((values) => Float64Array.from(values));
    return fc.tuple(counts, counts);
  });

  it('stay in their bounds, are the same both ways, and 0 between equals', () => {
    const centres = [0, 1, 3, 4, 7, 8, 20];
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const ordered = centres.slice(0, a.length - 1);
        for (const [measure, most] of [
          [populationStability, Infinity],
          [jensenShannon, 1],
          [kolmogorovSmirnov, 1],
          [(x: Float64Array, y: Float64Array) => wasserstein(ordered, x, y), 20],
        ] as const) {
          const value = measure(a, b);
          if (value === null) continue;
          expect(value).toBeGreaterThanOrEqual(-1e-12);
          expect(value).toBeLessThanOrEqual(most);
          expect(measure(b, a)).toBeCloseTo(value, 9);
          expect(measure(a, a)).toBeCloseTo(0, 9);
        }
        const test = chiSquared(a, b);
        if (test !== null) expect(test.pValue).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('have no value without rows', () => {
    const none = new Float64Array(3);
    const some = Float64Array.of(1, 2, 0);
    for (const [a, b] of [
      [none, some],
      [some, none],
      [none, none],
    ] as const) {
      expect(populationStability(a, b)).toBeNull();
      expect(jensenShannon(a, b)).toBeNull();
      expect(kolmogorovSmirnov(a, b)).toBeNull();
      expect(wasserstein([0, 1], a, b)).toBeNull();
      expect(chiSquared(a, b)).toBeNull();
    }
  });

  it('see a column that goes missing, from one row on', () => {
    const reference = Float64Array.of(500, 500, 0);
    expect(populationStability(reference, Float64Array.of(2, 3, 95))).toBeGreaterThan(2);
    expect(jensenShannon(reference, Float64Array.of(0, 0, 100))).toBe(1);
    expect(kolmogorovSmirnov(reference, Float64Array.of(0, 0, 100))).toBeNull();
    expect(jensenShannon(reference, Float64Array.of(0, 0, 1))).not.toBeNull();
  });
});
