/**
 * The first Wasserstein distance between two histograms of numbers over the same bins, each row
 * taken as lying at its bin's centre (`NumericBins.centres`, ascending): in the unit of the column.
 * A last count beyond the centres is that of missing rows and left out. Binned: what moves within a
 * bin, or beyond the reference's ends, is not seen. Null when either has no rows.
 */
export function wasserstein(
  centres: readonly number[],
  reference: Float64Array,
  current: Float64Array,
): number | null {
  const [n, m] = [rowsIn(reference, centres.length), rowsIn(current, centres.length)];
  if (!(n > 0 && m > 0)) return null;
  let [distance, below] = [0, 0];
  for (let bin = 0; bin + 1 < centres.length; bin++) {
    below += reference[bin]! / n - current[bin]! / m;
    distance += Math.abs(below) * (centres[bin + 1]! - centres[bin]!);
  }
  return distance;
}

/** Rows of the first bins of a histogram. */
export function rowsIn(counts: Float64Array, bins: number): number {
  let rows = 0;
  for (let bin = 0; bin < bins; bin++) rows += counts[bin] ?? 0;
  return rows;
}

/** The standard deviation of a histogram's rows, each at its bin's centre; null without rows. */
export function binnedDeviation(centres: readonly number[], counts: Float64Array): number | null {
  const rows = rowsIn(counts, centres.length);
  if (!(rows > 0)) return null;
  const mean = centres.reduce((sum, centre, bin) => sum + (centre * counts[bin]!) / rows, 0);
  const squares = centres.reduce(
    (sum, centre, bin) => sum + ((centre - mean) ** 2 * counts[bin]!) / rows,
    0,
  );
  return Math.sqrt(squares);
}
