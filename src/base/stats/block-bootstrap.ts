import { blockJackknife, type BlockSpread } from './block-jackknife.ts';
import type { BlockStatistic } from './block-statistic.ts';
import { drawBelow, type Random } from './seeded-random.ts';

/**
 * The studentised distances (value of a resample - value) / standard error of that resample, in
 * ascending order, of resamples of whole blocks with replacement: the bootstrap-t of Efron (1981),
 * second-order right for skewed statistics (Hall 1988), where percentiles of resampled values are
 * too narrow. Resamples on which the statistic or its error is undefined count as infinitely far
 * on both sides, in turn, so that they widen intervals and never narrow them.
 */
export function studentisedResamples(
  statistic: BlockStatistic,
  whole: BlockSpread,
  { random, resamples }: { readonly random: Random; readonly resamples: number },
): Float64Array {
  const distances = new Float64Array(resamples);
  const weights = new Float64Array(statistic.blocks);
  let undefinedSide = Infinity;
  for (let at = 0; at < resamples; at++) {
    weights.fill(0);
    for (let draw = 0; draw < weights.length; draw++) {
      const block = drawBelow(random, weights.length);
      weights[block] = weights[block]! + 1;
    }
    const spread = blockJackknife(statistic, weights);
    if (spread === null || spread.standardError === 0) {
      distances[at] = undefinedSide;
      undefinedSide = -undefinedSide;
    } else {
      distances[at] = (spread.value - whole.value) / spread.standardError;
    }
  }
  return distances.sort();
}
