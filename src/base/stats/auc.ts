/** Scores and 0/1 outcomes of the same rows, in the same order. */
export interface ScoredRows {
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
}

/**
 * Area under the ROC curve: the chance that a row with label 1 is scored above one with label 0,
 * ties counting half (Mann and Whitney 1947, midranks). Scores need only an order; infinite ones
 * have it, rows with NaN are left out. `counts` are rows of that kind each. Null when one class is
 * missing.
 */
export function auc({ scores, labels }: ScoredRows, counts?: Float64Array): number | null {
  if (counts !== undefined) return countedAuc(scores, labels, counts);
  const { positives, negatives } = splitByClass({ scores, labels });
  if (positives.length === 0 || negatives.length === 0) return null;
  return winsOver(positives, negatives) / (positives.length * negatives.length);
}

/** Scores of each class in ascending order, without NaN. */
export interface SortedClasses {
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** Two sorts of plain numbers are several times faster than one of row indices. */
export function splitByClass({ scores, labels }: ScoredRows): SortedClasses {
  const length = Math.min(scores.length, labels.length);
  const positives = new Float64Array(length);
  const negatives = new Float64Array(length);
  let [ones, zeros] = [0, 0];
  for (let at = 0; at < length; at++) {
    const score = scores[at]!;
    if (Number.isNaN(score)) continue;
    if (labels[at] === 0) negatives[zeros++] = score;
    else positives[ones++] = score;
  }
  return {
    positives: positives.subarray(0, ones).sort(),
    negatives: negatives.subarray(0, zeros).sort(),
  };
}

/** Pairs in which the one of `high` is above the one of `low`, ties half; both sorted. */
export function winsOver(high: Float64Array, low: Float64Array): number {
  let [below, upTo, wins] = [0, 0, 0];
  for (const score of high) {
    while (below < low.length && low[below]! < score) below++;
    if (upTo < below) upTo = below;
    while (upTo < low.length && low[upTo]! <= score) upTo++;
    wins += (below + upTo) / 2;
  }
  return wins;
}

function countedAuc(scores: Float64Array, labels: Uint8Array, counts: Float64Array): number | null {
  const rows: number[] = [];
  for (let at = 0; at < scores.length; at++) {
    if (!Number.isNaN(scores[at]!) && counts[at]! > 0) rows.push(at);
  }
  rows.sort((a, b) => (scores[a]! < scores[b]! ? -1 : scores[a]! > scores[b]! ? 1 : 0));
  let [ones, zeros, wins] = [0, 0, 0];
  for (let from = 0; from < rows.length;) {
    let [tiedOnes, tiedZeros, to] = [0, 0, from];
    for (; to < rows.length && scores[rows[to]!] === scores[rows[from]!]; to++) {
      if (labels[rows[to]!] === 0) tiedZeros += counts[rows[to]!]!;
      else tiedOnes += counts[rows[to]!]!;
    }
    wins += tiedOnes * (zeros + tiedZeros / 2);
    ones += tiedOnes;
    zeros += tiedZeros;
    from = to;
  }
  return ones > 0 && zeros > 0 ? wins / (ones * zeros) : null;
}
