import { medianOf, quantileOfSorted } from './quantile.ts';
import { nearestUnitPairs, type UnitPair } from './unit-pairs.ts';
import type { ValuePair } from './value-pairs.ts';

export type RatioVerdict =
  /** Values are what they were, up to the tolerance. */
  | 'same'
  /** Nearly all are one multiple of what they were: a change of unit looks like this. */
  | 'constant-ratio'
  /** Nearly all are one multiple plus one offset, as between temperature scales. */
  | 'affine'
  /** Nearly all moved by one amount. */
  | 'constant-offset'
  /** They changed, but not all alike: ordinary drift, or a change of mix. */
  | 'mixed'
  /** Too few pairs, or too little difference between them, to tell a ratio from anything else. */
  | 'too-few';

export interface RatioFinding {
  readonly verdict: RatioVerdict;
  /** current = ratio * reference + offset; null where nothing could be compared. */
  readonly ratio: number | null;
  readonly offset: number | null;
  /** 95 % interval of the median ratio over the pairs; null where `ratio` is not a plain one. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Share of pairs that agree with ratio and offset, up to the tolerance. */
  readonly agreeing: number;
  /** Pairs that were compared: finite, and not 0 both times. */
  readonly pairs: number;
  /** Known conversions nearby, for a person to check. */
  readonly hints: readonly UnitPair[];
}

export interface RatioOptions {
  /** Keys tell a change of values from a change of mix; quantiles see both. */
  readonly basis: 'keys' | 'quantiles';
  /**
   * How far two measurements of an unchanged pair may be apart, as a difference of logarithms;
   * `toleranceOf` finds it from the reference. 0.02 when not given.
   */
  readonly tolerance?: number;
}

const TOLERANCE = 0.02;
const AGREEING_MIN = 0.9;
const PAIRS_MIN = 5;
/** Below it (yards to metres is 1.09) common growth is as likely as a change of unit. */
const RATIO_MIN = Math.log(1.05);
/**
 * The least ratio between the larger and the smaller reference values (9th and 1st decile): alike
 * ones are scaled by any shift.
 */
const REFERENCE_SPREAD_MIN = Math.log(1.5);

/**
 * Whether current values are one constant multiple of the reference's, whatever share of rows each
 * key has: what a change of unit does, and drift of a mix does not. By quantiles a pure growth of a
 * column cannot be told from a change of unit; and since shifts of location and scale are common,
 * offsets count there only where they are a known conversion.
 */
export function constantRatio(pairs: readonly ValuePair[], options: RatioOptions): RatioFinding {
  const { basis, tolerance = TOLERANCE } = options;
  const told = pairs.filter(
    (it) =>
      Number.isFinite(it.reference) &&
      Number.isFinite(it.current) &&
      (it.reference !== 0 || it.current !== 0),
  );
  const plain = plainRatio(told, tolerance);
  if (plain === null) return { ...NOTHING, pairs: told.length };
  if (told.length < PAIRS_MIN) return { ...plain, verdict: 'too-few' };
  const off = plain.ratio > 0 ? Math.abs(Math.log(plain.ratio)) : Infinity;
  if (plain.agreeing >= AGREEING_MIN) {
    if (off <= Math.max(RATIO_MIN, 2 * tolerance)) {
      return { ...plain, verdict: off <= tolerance ? 'same' : 'mixed' };
    }
    if (spreadOf(told) < REFERENCE_SPREAD_MIN) return { ...plain, verdict: 'too-few' };
    return {
      ...plain,
      verdict: 'constant-ratio',
      hints: hintsFor(plain.ratio, 0, told, tolerance, plain),
    };
  }
  const line = straightLine(told, tolerance);
  if (line === null || line.agreeing < AGREEING_MIN) return { ...plain, verdict: 'mixed' };
  const hints = hintsFor(line.ratio, line.offset, told, tolerance, null);
  if (basis === 'quantiles' && hints.length === 0) return { ...plain, verdict: 'mixed' };
  const moved = Math.abs(Math.log(line.ratio)) <= Math.max(RATIO_MIN, 2 * tolerance);
  return {
    ...NOTHING,
    ...line,
    verdict: moved ? 'constant-offset' : 'affine',
    pairs: told.length,
    hints,
  };
}

/**
 * The tolerance that pairs of two parts of the reference need, so that 9 of 10 unchanged ones agree
 * with each other; never below 0.02. Null without pairs that have a ratio.
 */
export function toleranceOf(unchanged: readonly ValuePair[]): number | null {
  const logs = unchanged
    .map(({ reference, current }) => Math.abs(Math.log(current / reference)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return logs.length === 0 ? null : Math.max(TOLERANCE, quantileOfSorted(logs, AGREEING_MIN));
}

const NOTHING: RatioFinding = {
  verdict: 'too-few',
  ratio: null,
  offset: null,
  lower: null,
  upper: null,
  agreeing: 0,
  pairs: 0,
  hints: [],
};

/** The median ratio; null where no pair has one. Signs may change, if nearly all do. */
function plainRatio(
  pairs: readonly ValuePair[],
  tolerance: number,
): (RatioFinding & { readonly ratio: number }) | null {
  const quotients = pairs
    .map(({ reference, current }) => current / reference)
    .filter((quotient) => quotient !== 0 && Number.isFinite(quotient));
  const flipped = quotients.filter((quotient) => quotient < 0).length * 2 > quotients.length;
  const sign = flipped ? -1 : 1;
  const logs = quotients
    .filter((quotient) => quotient * sign > 0)
    .map((quotient) => Math.log(quotient * sign))
    .sort((a, b) => a - b);
  const middle = medianOf(logs);
  if (middle === null) return null;
  const agreeing = logs.filter((log) => Math.abs(log - middle) <= tolerance).length;
  // Order statistics that a median lies between in 95 of 100 samples, by the normal approximation.
  const reach = 0.98 * Math.sqrt(logs.length);
  const low = logs[Math.max(0, Math.floor(logs.length / 2 - reach))]!;
  const high = logs[Math.min(logs.length - 1, Math.ceil(logs.length / 2 + reach) - 1)]!;
  const ends = [sign * Math.exp(low), sign * Math.exp(high)].sort((a, b) => a - b);
  return {
    ...NOTHING,
    ratio: sign * Math.exp(middle),
    offset: 0,
    lower: ends[0]!,
    upper: ends[1]!,
    agreeing: agreeing / pairs.length,
    pairs: pairs.length,
  };
}

interface Line {
  readonly ratio: number;
  readonly offset: number;
  readonly agreeing: number;
}

/**
 * The median slope over pairs half the ranks apart and the median rest (Theil 1950, incomplete), a
 * line that a tenth of strays does not move. Null where it does not rise.
 */
function straightLine(pairs: readonly ValuePair[], tolerance: number): Line | null {
  // Of equal references too, so that the order in which pairs are given does not matter.
  const sorted = pairs.toSorted((a, b) => a.reference - b.reference || a.current - b.current);
  const half = Math.floor(sorted.length / 2);
  const slopes = sorted.slice(0, sorted.length - half).flatMap((low, at) => {
    const high = sorted[at + half]!;
    const run = high.reference - low.reference;
    return run > 0 ? [(high.current - low.current) / run] : [];
  });
  const ratio = medianOf(slopes);
  if (ratio === null || !(ratio > 0) || ratio === Infinity) return null;
  const offset = medianOf(sorted.map((it) => it.current - ratio * it.reference))!;
  const allowed = tolerance * currentSpread(pairs);
  const agreeing = sorted.filter(
    (it) => Math.abs(it.current - ratio * it.reference - offset) <= allowed,
  ).length;
  return { ratio, offset, agreeing: agreeing / pairs.length };
}

/** Between the 1st and the 9th decile of what the pairs have now. */
function currentSpread(pairs: readonly ValuePair[]): number {
  const sorted = pairs.map((it) => it.current).sort((a, b) => a - b);
  return quantileOfSorted(sorted, 0.9) - quantileOfSorted(sorted, 0.1);
}

/** How many times larger the 9th decile of reference values is than the 1st, as a logarithm. */
function spreadOf(pairs: readonly ValuePair[]): number {
  const logs = pairs
    .map((it) => Math.log(Math.abs(it.reference)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return quantileOfSorted(logs, 0.9) - quantileOfSorted(logs, 0.1);
}

function hintsFor(
  scale: number,
  offset: number,
  pairs: readonly ValuePair[],
  tolerance: number,
  interval: Pick<RatioFinding, 'lower' | 'upper'> | null,
): readonly UnitPair[] {
  const width = interval === null ? 0 : Math.abs(Math.log(interval.upper! / interval.lower!));
  return nearestUnitPairs(
    { scale, offset },
    { tolerance: Math.max(tolerance / 2, width), spread: Math.max(1, currentSpread(pairs)) },
  );
}
