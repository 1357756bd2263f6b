import type { FeatureProfile } from './contract.ts';
import { ExactSum } from './exact-sum.ts';

/** Bins of a histogram; what drift is measured over later. */
const BINS = 50;
/** Values whose quantiles make the edges; taken at even steps, so always the same ones. */
const SAMPLE_MAX = 20_000;

/** Statistics of a column; NaN stands for null. */
export function profileOf(name: string, values: Float64Array): FeatureProfile {
  let nulls = 0;
  let min = Infinity;
  let max = -Infinity;
  const sum = new ExactSum();
  for (const value of values) {
    if (value !== value) {
      nulls += 1;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum.add(value);
  }
  const count = values.length - nulls;
  const mean = sum.value() / count;
  const edges = quantileEdges(values, count);
  return {
    name,
    count,
    nulls,
    min: count === 0 ? null : min,
    max: count === 0 ? null : max,
    mean: Number.isFinite(mean) ? mean : null,
    histogram: { edges, counts: binCounts(values, edges) },
  };
}

/** Inner edges, rising: bin `i` holds what is at least edge `i - 1` and below edge `i`. */
function quantileEdges(values: Float64Array, count: number): number[] {
  const step = Math.max(1, Math.ceil(count / SAMPLE_MAX));
  const sample = new Float64Array(Math.ceil(count / step));
  let seen = 0;
  for (const value of values) {
    if (value !== value) continue;
    if (seen % step === 0) sample[seen / step] = value;
    seen += 1;
  }
  sample.sort();
  const edges: number[] = [];
  for (let bin = 1; bin < BINS; bin += 1) {
    const edge = sample[Math.floor((bin * sample.length) / BINS)];
    // The least value is no edge: nothing lies below it.
    if (edge !== undefined && edge > (edges.at(-1) ?? sample[0]!)) edges.push(edge);
  }
  return edges;
}

function binCounts(values: Float64Array, edges: readonly number[]): number[] {
  const counts = Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    if (value !== value) continue;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value < edges[middle]!) high = middle;
      else low = middle + 1;
    }
    counts[low]! += 1;
  }
  return counts;
}
