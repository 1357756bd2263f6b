/**
 * Where the numbers of a column are counted. Bin i holds edges[i - 1] <= x < edges[i]; the first
 * and the last one reach to infinity, and one more, the last of all, counts what is missing (NaN).
 */
export interface NumericBins {
  readonly kind: 'numeric';
  /** Ascending, without repeats. */
  readonly edges: readonly number[];
  /** One a bin without missing: the mean of the reference in it, where distances are taken from. */
  readonly centres: readonly number[];
}

/** Where categories are counted: the levels in this order, then all others, then missing. */
export interface CategoryBins {
  readonly kind: 'category';
  readonly levels: readonly string[];
}

export type Bins = NumericBins | CategoryBins;

const NUMERIC_BINS = 10;
/** More levels tell drift no better, and each costs a bin of every day of every column. */
const LEVELS_MAX = 50;

/**
 * Bins of about equal counts of the reference. A column with few distinct values (at most twice the
 * bins) gets a bin for each, and empty ones below the least and above the greatest, so that a
 * constant column notices any other value. Infinite and missing values shape no bins; a reference
 * without finite values has one bin.
 */
export function numericBins(reference: Float64Array, binCount = NUMERIC_BINS): NumericBins {
  const sorted = reference.filter(Number.isFinite).sort();
  const distinct = distinctOf(sorted, 2 * binCount);
  const edges = distinct === null ? quantileEdges(sorted, binCount) : edgesAround(distinct);
  return { kind: 'numeric', edges, centres: centresOf(sorted, edges) };
}

/** The most frequent categories of the reference; equally frequent ones in alphabetical order. */
export function categoryBins(
  reference: Iterable<string | null>,
  levelsMax = LEVELS_MAX,
): CategoryBins {
  const counts = new Map<string, number>();
  for (const value of reference) {
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const levels = [...counts]
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1))
    .slice(0, levelsMax)
    .map(([level]) => level);
  return { kind: 'category', levels };
}

/** How many counts a histogram over these bins has, the one of missing values included. */
export function binCountOf(bins: Bins): number {
  return bins.kind === 'numeric' ? bins.edges.length + 2 : bins.levels.length + 2;
}

/** Rows in each bin; infinities fall into the end bins, NaN counts as missing. */
export function countNumbers(bins: NumericBins, values: Float64Array): Float64Array {
  const counts = new Float64Array(binCountOf(bins));
  for (const value of values) {
    const bin = Number.isNaN(value) ? counts.length - 1 : binOfNumber(bins, value);
    counts[bin]!++;
  }
  return counts;
}

/** Rows in each bin; null counts as missing, a level that the reference did not have as other. */
export function countCategories(bins: CategoryBins, values: Iterable<string | null>): Float64Array {
  const counts = new Float64Array(binCountOf(bins));
  const position = new Map(bins.levels.map((level, at) => [level, at]));
  for (const value of values) {
    const bin = value === null ? counts.length - 1 : (position.get(value) ?? bins.levels.length);
    counts[bin]!++;
  }
  return counts;
}

/** The bin of a number that is not NaN. */
export function binOfNumber({ edges }: NumericBins, value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value < edges[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The histogram of all rows from those of its parts, over the same bins. */
export function mergeCounts(parts: Iterable<Float64Array>): Float64Array {
  let merged = new Float64Array(0);
  for (const part of parts) {
    if (part.length > merged.length) {
      const longer = part.slice();
      for (let bin = 0; bin < merged.length; bin++) longer[bin]! += merged[bin]!;
      merged = longer;
    } else {
      for (let bin = 0; bin < part.length; bin++) merged[bin]! += part[bin]!;
    }
  }
  return merged;
}

export function rowsOf(counts: Float64Array): number {
  let rows = 0;
  for (const count of counts) rows += count;
  return rows;
}

/** Shares with half a row added to each bin, so that none is 0: (c + 0.5) / (n + 0.5 B). */
export function smoothedShares(counts: Float64Array): Float64Array {
  const rows = rowsOf(counts) + counts.length / 2;
  return counts.map((count) => (count + 0.5) / rows);
}

/** Both histograms with the bins merged into one that are too sparse to compare. */
export interface DensePair {
  readonly reference: Float64Array;
  readonly current: Float64Array;
}

/** Expected rows of the smaller sample below which a bin's share is mostly noise. */
const EXPECTED_ROWS_MIN = 3;

/**
 * Merges bins that would hold fewer than 3 rows of the smaller sample were both of one distribution
 * (Cochran's rule, in its weak form): the laws of PSI, Jensen-Shannon and chi-squared without drift
 * hold only for bins that are filled. What is merged still counts, so a new category or a column
 * that goes missing shows. Null when either is without rows.
 */
export function densePair(reference: Float64Array, current: Float64Array): DensePair | null {
  const [ofReference, ofCurrent] = [rowsOf(reference), rowsOf(current)];
  if (!(ofReference > 0 && ofCurrent > 0) || reference.length !== current.length) return null;
  const least = (EXPECTED_ROWS_MIN * (ofReference + ofCurrent)) / Math.min(ofReference, ofCurrent);
  const first: number[] = [];
  const second: number[] = [];
  let [sparseFirst, sparseSecond] = [0, 0];
  for (let bin = 0; bin < reference.length; bin++) {
    const [a, b] = [reference[bin]!, current[bin]!];
    if (a + b >= least) {
      first.push(a);
      second.push(b);
    } else {
      sparseFirst += a;
      sparseSecond += b;
    }
  }
  if (sparseFirst + sparseSecond > 0) {
    first.push(sparseFirst);
    second.push(sparseSecond);
  }
  return { reference: Float64Array.from(first), current: Float64Array.from(second) };
}

function distinctOf(sorted: Float64Array, max: number): readonly number[] | null {
  const distinct: number[] = [];
  for (const value of sorted) {
    if (value === distinct.at(-1)) continue;
    if (distinct.length === max) return null;
    distinct.push(value);
  }
  return distinct;
}

function edgesAround(distinct: readonly number[]): readonly number[] {
  if (distinct.length === 0) return [];
  const [least, greatest] = [distinct[0]!, distinct.at(-1)!];
  const between = distinct.slice(1).map((value, at) => distinct[at]! / 2 + value / 2);
  // Neighbouring doubles have no middle; Set drops the edge that would repeat.
  return [...new Set([least, ...between, justAbove(greatest)])].filter(Number.isFinite);
}

/** A number above this one by a rounding error of it. */
function justAbove(value: number): number {
  return value + Math.max(Math.abs(value) * 2 ** -50, Number.MIN_VALUE);
}

function quantileEdges(sorted: Float64Array, binCount: number): readonly number[] {
  const edges: number[] = [];
  for (let at = 1; at < binCount; at++) {
    const edge = sorted[Math.floor((at * sorted.length) / binCount)]!;
    // The least value as an edge would leave the bin below it empty by construction.
    if (edge !== edges.at(-1) && edge > sorted[0]!) edges.push(edge);
  }
  return edges;
}

function centresOf(sorted: Float64Array, edges: readonly number[]): readonly number[] {
  const centres: number[] = [];
  let from = 0;
  for (let bin = 0; bin <= edges.length; bin++) {
    let to = from;
    while (to < sorted.length && !(sorted[to]! >= (edges[bin] ?? Infinity))) to++;
    const edge = edges[Math.min(bin, edges.length - 1)] ?? 0;
    centres.push(to > from ? meanOfSorted(sorted.subarray(from, to)) : edge);
    from = to;
  }
  return centres;
}

/** Divides before it adds, so that large values do not overflow, and stays between the ends. */
function meanOfSorted(sorted: Float64Array): number {
  const mean = sorted.reduce((sum, value) => sum + value / sorted.length, 0);
  return Math.min(sorted.at(-1)!, Math.max(sorted[0]!, mean));
}
