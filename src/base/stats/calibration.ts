import type { ScoredRows } from './auc.ts';

/** Rows of one bin of predicted probabilities. */
export interface CalibrationBin {
  readonly count: number;
  /** Mean probability of label 1 that was predicted. */
  readonly predicted: number;
  /** Share of label 1 that came. */
  readonly observed: number;
}

export interface Calibration {
  /** Bins that hold rows, in ascending order of probability. */
  readonly bins: readonly CalibrationBin[];
  /** Expected calibration error: mean over rows of |predicted - observed| of their bin. */
  readonly ece: number;
  /** Calibration in the large: the means over all rows. */
  readonly predicted: number;
  readonly observed: number;
  readonly count: number;
}

interface BinSum {
  count: number;
  predicted: number;
  observed: number;
}

/**
 * Calibration over bins of equal row counts, as far as ties allow: equal scores share the bin of
 * their middle rank, so the order of rows does not matter. Rows with NaN are left out; null without
 * rows.
 */
export function calibrationByCount(rows: ScoredRows, binCount = 10): Calibration | null {
  const order: number[] = [];
  for (let at = 0; at < rows.scores.length; at++) {
    if (!Number.isNaN(rows.scores[at]!)) order.push(at);
  }
  const score = (rank: number) => rows.scores[order[rank]!]!;
  order.sort((a, b) => rows.scores[a]! - rows.scores[b]!);
  const sums = emptyBins(binCount);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && score(to) === score(from)) to++;
    const bin = sums[Math.floor(((from + to) / 2 / order.length) * sums.length)]!;
    for (let rank = from; rank < to; rank++) addRow(bin, rows, order[rank]!);
    from = to;
  }
  return summarise(sums);
}

/**
 * Calibration over fixed ascending edges of probabilities: a row falls into the bin whose upper
 * edge is the first one above it; below the first and from the last edge on lie bins too. Rows with
 * NaN are left out; null without rows.
 */
export function calibrationByEdges(
  rows: ScoredRows,
  edges: readonly number[] = TENTHS,
): Calibration | null {
  const sums = emptyBins(edges.length + 1);
  for (let at = 0; at < rows.scores.length; at++) {
    const score = rows.scores[at]!;
    if (Number.isNaN(score)) continue;
    const above = edges.findIndex((edge) => score < edge);
    addRow(sums[above === -1 ? edges.length : above]!, rows, at);
  }
  return summarise(sums);
}

const TENTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

function emptyBins(count: number): readonly BinSum[] {
  return Array.from({ length: Math.max(1, Math.floor(count)) }, () => ({
    count: 0,
    predicted: 0,
    observed: 0,
  }));
}

function addRow(bin: BinSum, { scores, labels }: ScoredRows, at: number): void {
  bin.count++;
  bin.predicted += scores[at]!;
  bin.observed += labels[at] === 0 ? 0 : 1;
}

function summarise(sums: readonly BinSum[]): Calibration | null {
  let [count, predicted, observed, gap] = [0, 0, 0, 0];
  const bins: CalibrationBin[] = [];
  for (const bin of sums) {
    if (bin.count === 0) continue;
    count += bin.count;
    predicted += bin.predicted;
    observed += bin.observed;
    gap += Math.abs(bin.predicted - bin.observed);
    bins.push({
      count: bin.count,
      predicted: bin.predicted / bin.count,
      observed: bin.observed / bin.count,
    });
  }
  if (count === 0) return null;
  return {
    bins,
    ece: gap / count,
    predicted: predicted / count,
    observed: observed / count,
    count,
  };
}
