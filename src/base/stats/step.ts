import { medianOf } from './quantile.ts';

export interface Step {
  /** The first value after the step. */
  readonly at: number;
  /** Medians of what was before, and of what came from it on. */
  readonly before: number;
  readonly after: number;
  /** |after - before| in units of the typical change from one value to the next. */
  readonly size: number;
}

const VALUES_MIN = 5;
/** Measured without a step: 1 of 100 series of 5 to 10 normal values reach it, none of 72. */
const SIZE_MIN = 6;
/** Of a normal variable's median absolute deviation to its standard deviation. */
const MAD_OF_NORMAL = 0.6745;

/**
 * Where a series of values in the order of time (a bucket's median, a log-ratio by hour) steps from
 * one level to another and stays: the split that medians of both sides explain best. One stray
 * value makes no step unless it is the last. Null where no step stands out from the changes between
 * neighbours, or with fewer than 5 finite values; `at` counts in the series as given.
 */
export function findStep(series: readonly number[]): Step | null {
  const kept = series.flatMap((value, at) => (Number.isFinite(value) ? [{ value, at }] : []));
  if (kept.length < VALUES_MIN) return null;
  const values = kept.map((it) => it.value);
  const changes = values.slice(1).map((value, at) => Math.abs(value - values[at]!));
  const scale = medianOf(changes)! / (MAD_OF_NORMAL * Math.SQRT2);
  const split = bestSplit(values);
  const before = medianOf(values.slice(0, split))!;
  const after = medianOf(values.slice(split))!;
  const gap = Math.abs(after - before);
  if (gap === 0) return null;
  // Two medians are each less sure the fewer values they are of.
  const unsure = Math.sqrt(1 / split + 1 / (values.length - split));
  const size = scale === 0 ? Infinity : gap / scale;
  if (size / unsure < SIZE_MIN) return null;
  return { at: kept[split]!.at, before, after, size };
}

/** The split with the least sum of squares around the means of both sides. */
function bestSplit(values: readonly number[]): number {
  const total = values.reduce((sum, value) => sum + value, 0);
  let [sum, best, split] = [0, -1, 1];
  for (let at = 1; at < values.length; at++) {
    sum += values[at - 1]!;
    const between = (sum / at - (total - sum) / (values.length - at)) ** 2;
    const explained = (between * at * (values.length - at)) / values.length;
    if (explained > best) [best, split] = [explained, at];
  }
  return split;
}
