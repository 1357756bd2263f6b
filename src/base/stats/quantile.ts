/**
 * Values that these shares of the finite rows lie below, with linear interpolation between rows
 * (Hyndman and Fan 1996, type 7); null without finite rows.
 */
export function quantilesOf(
  values: Float64Array,
  levels: readonly number[],
): readonly number[] | null {
  const sorted = values.filter(Number.isFinite).sort();
  return sorted.length === 0 ? null : levels.map((level) => quantileOfSorted(sorted, level));
}

/** Of at least one value in ascending order. */
export function quantileOfSorted(sorted: ArrayLike<number>, level: number): number {
  const rank = Math.min(1, Math.max(0, level)) * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  const share = rank - Math.floor(rank);
  return share === 0 ? low : low * (1 - share) + high * share;
}

export function medianOf(values: ArrayLike<number>): number | null {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? null : quantileOfSorted(sorted, 0.5);
}
