import fc from 'fast-check';
import { expect, it } from 'vitest';
import { auc, type ScoredRows } from './auc.ts';
import { blockInterval } from './block-interval.ts';
import { aucStatistic, wholeOf } from './block-statistic.ts';
import { brier } from './brier.ts';
import { logLoss } from './log-loss.ts';
import {
  mergeSketches,
  sketchedAuc,
  sketchedBrier,
  sketchedLogLoss,
  sketchScores,
} from './score-sketch.ts';
import { drawNormal, seededRandom } from './seeded-random.ts';

/** Probabilities around `centre` on the logit, and labels that follow them. */
function day(seed: string, rows: number, centre: number): ScoredRows {
  const random = seededRandom(seed);
  const scores = Float64Array.from(
    { length: rows },
    () => 1 / (1 + Math.exp(-centre - drawNormal(random))),
  );
  return { scores, labels: Uint8Array.from(scores, (score) => (random() < score ? 1 : 0)) };
}

const days = (centre: number) =>
  Array.from({ length: 6 }, (_, at) => day(`day ${at}`, 2_000, centre));

it.each([0, -2, -5])('keeps quality of rows with a logit of about %i', (centre) => {
  const blocks = days(centre);
  const sketches = blocks.map(sketchScores);
  const all: ScoredRows = {
    scores: Float64Array.from(blocks.flatMap((block) => [...block.scores])),
    labels: Uint8Array.from(blocks.flatMap((block) => [...block.labels])),
  };
  expect(Math.abs(wholeOf(sketchedAuc(sketches))! - auc(all)!)).toBeLessThan(0.001);
  expect(wholeOf(sketchedLogLoss(sketches))).toBeCloseTo(logLoss(all)!, 12);
  expect(wholeOf(sketchedBrier(sketches))).toBeCloseTo(brier(all)!, 12);
  const merged = mergeSketches(sketches);
  expect(wholeOf(sketchedAuc([merged]))).toBeCloseTo(wholeOf(sketchedAuc(sketches))!, 12);
  expect(merged.count).toBe(12_000);
});

it('gives the interval that rows give', () => {
  const blocks = days(-1);
  const [ofRows, ofSketches] = [
    blockInterval(aucStatistic(blocks))!,
    blockInterval(sketchedAuc(blocks.map(sketchScores)))!,
  ];
  expect(ofSketches.lower).toBeCloseTo(ofRows.lower, 3);
  expect(ofSketches.upper).toBeCloseTo(ofRows.upper, 3);
});

it('merges parts to the whole, whatever the scores', () => {
  const rows = fc
    .array(fc.tuple(fc.oneof(fc.double(), fc.double({ min: 0, max: 1 })), fc.nat(1)))
    .map((pairs) => ({
      scores: Float64Array.from(pairs, ([score]) => score),
      labels: Uint8Array.from(pairs, ([, label]) => label),
    }));
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      const merged = mergeSketches([sketchScores(a), sketchScores(b)]);
      const whole = sketchScores({
        scores: Float64Array.of(...a.scores, ...b.scores),
        labels: Uint8Array.of(...a.labels, ...b.labels),
      });
      expect(merged.positives).toEqual(whole.positives);
      expect(merged.negatives).toEqual(whole.negatives);
      expect(merged.count).toBe(whole.count);
    }),
  );
});

it('knows nothing of days without rows', () => {
  const empty = sketchScores({ scores: Float64Array.of(NaN), labels: Uint8Array.of(1) });
  expect(wholeOf(sketchedAuc([empty]))).toBeNull();
  expect(wholeOf(sketchedLogLoss([empty, mergeSketches([])]))).toBeNull();
});
