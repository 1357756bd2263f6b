import type { FeatureProfile } from './contract.ts';
import { ExactSum } from './exact-sum.ts';
import { sortedDoubles } from './radix-sort.ts';

/** Bins of a histogram; what drift is measured over later. */
const BINS = 50;

/** Statistics of a column; NaN stands for null. */
export function profileOf(name: string, values: Float64Array): FeatureProfile {
  const known = new Float64Array(values.length);
  const sum = new ExactSum();
  let count = 0;
  for (const value of values) {
    if (value !== value) continue;
    known[count] = value;
    count += 1;
  }
  const sorted = sortedDoubles(known.subarray(0, count));
  sum.addAll(sorted);
  const mean = sum.value() / count;
  const edges = quantileEdges(sorted);
  return {
    name,
    count,
    nulls: values.length - count,
    min: sorted[0] ?? null,
    max: sorted.at(-1) ?? null,
    mean: Number.isFinite(mean) ? mean : null,
    histogram: { edges, counts: binCounts(sorted, edges) },
  };
}

/** Inner edges, rising: bin `i` holds what is at least edge `i - 1` and below edge `i`. */
function quantileEdges(sorted: Float64Array): number[] {
  const edges: number[] = [];
  for (let bin = 1; bin < BINS; bin += 1) {
    const edge = sorted[Math.floor((bin * sorted.length) / BINS)];
    // The least value is no edge: nothing lies below it.
    if (edge !== undefined && edge > (edges.at(-1) ?? sorted[0]!)) edges.push(edge);
  }
  return edges;
}

function binCounts(sorted: Float64Array, edges: readonly number[]): number[] {
  const starts = [0, ...edges.map((edge) => firstAtLeast(sorted, edge))];
  return starts.map((start, bin) => (starts[bin + 1] ?? sorted.length) - start);
}

function firstAtLeast(sorted: Float64Array, edge: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < edge) low = middle + 1;
    else high = middle;
  }
  return low;
}
