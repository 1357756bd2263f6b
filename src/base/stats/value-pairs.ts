import { medianOf, quantilesOf } from './quantile.ts';

/** What one key (a route, an airport) or one quantile had in the reference, and has now. */
export interface ValuePair {
  readonly reference: number;
  readonly current: number;
}

/** The median of the finite values of each key that has at least `rowsMin` of them. */
export function mediansByKey(
  keys: readonly string[],
  values: Float64Array,
  rowsMin = 1,
): ReadonlyMap<string, number> {
  const groups = new Map<string, number[]>();
  keys.forEach((key, row) => {
    const value = values[row];
    if (value === undefined || !Number.isFinite(value)) return;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  });
  const medians = new Map<string, number>();
  for (const [key, group] of groups) {
    if (group.length >= rowsMin) medians.set(key, medianOf(group)!);
  }
  return medians;
}

/** Of the keys that both have; those that only one has are a change of mix, not of values. */
export function pairsByKey(
  reference: ReadonlyMap<string, number>,
  current: ReadonlyMap<string, number>,
): readonly ValuePair[] {
  return [...reference].flatMap(([key, value]) => {
    const now = current.get(key);
    return now === undefined ? [] : [{ reference: value, current: now }];
  });
}

/** Shares at which columns without a key are compared, without the tails, which few rows shape. */
export const QUANTILE_LEVELS: readonly number[] = Array.from(
  { length: 19 },
  (_, at) => (at + 1) / 20,
);

/** From quantiles at `QUANTILE_LEVELS` (or any same levels) of both. */
export function pairsOfQuantiles(
  reference: readonly number[],
  current: readonly number[],
): readonly ValuePair[] {
  return reference.slice(0, current.length).map((value, at) => ({
    reference: value,
    current: current[at]!,
  }));
}

/** The same from rows; empty where either has no finite value. */
export function pairsByQuantile(
  reference: Float64Array,
  current: Float64Array,
): readonly ValuePair[] {
  const [then, now] = [reference, current].map((rows) => quantilesOf(rows, QUANTILE_LEVELS));
  return then == null || now == null ? [] : pairsOfQuantiles(then, now);
}
