/** A sum and how many rows it is over: means of several merge by adding both. */
export interface MeanSum {
  readonly sum: number;
  readonly count: number;
}

export function meanOf({ sum, count }: MeanSum): number | null {
  return count > 0 ? sum / count : null;
}

export function mergeSums(sums: Iterable<MeanSum>): MeanSum {
  let [sum, count] = [0, 0];
  for (const each of sums) {
    sum += each.sum;
    count += each.count;
  }
  return { sum, count };
}
