import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auc, type ScoredRows } from './auc.ts';
import { brier, brierSum } from './brier.ts';
import { calibrationByCount, calibrationByEdges } from './calibration.ts';
import { logLoss, logLossSum } from './log-loss.ts';
import { meanOf, mergeSums } from './mean-sum.ts';
import oracle from './oracle.json' with { type: 'json' };
import { errorSums, mergeErrors, regressionError } from './regression-error.ts';

const rowsOf = (scores: readonly number[], labels: readonly number[]): ScoredRows => ({
  scores: Float64Array.from(scores),
  labels: Uint8Array.from(labels),
});

/** Few distinct scores, so that ties are common. */
const someRows = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 1 })), {
    maxLength: 60,
  })
  .map((pairs) =>
    rowsOf(
      pairs.map(([score]) => score / 8),
      pairs.map(([, label]) => label),
    ),
  );

describe('classifier quality', () => {
  it.each(oracle.classifiers)('is what scikit-learn says', (it) => {
    const rows = rowsOf(it.scores, it.labels);
    expect(auc(rows)).toBeCloseTo(it.auc, 12);
    expect(auc(rows, Float64Array.from(it.counts))).toBeCloseTo(it.countedAuc, 12);
    expect(logLoss(rows)).toBeCloseTo(it.logLoss, 12);
    expect(brier(rows)).toBeCloseTo(it.brier, 12);
  });

  it('counts pairs as the definition of the AUC does', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        let [pairs, wins] = [0, 0];
        rows.labels.forEach((label, a) => {
          rows.labels.forEach((other, b) => {
            if (label !== 1 || other !== 0) return;
            pairs++;
            wins += (Math.sign(rows.scores[a]! - rows.scores[b]!) + 1) / 2;
          });
        });
        expect(auc(rows)).toBe(pairs === 0 ? null : wins / pairs);
        const counts = new Float64Array(rows.scores.length).fill(3);
        const counted = auc(rows, counts);
        if (pairs === 0) expect(counted).toBeNull();
        else expect(counted).toBeCloseTo(wins / pairs, 12);
      }),
    );
  });

  it('does not depend on the order of rows, and reverses with the scores', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const turned = { scores: rows.scores.toReversed(), labels: rows.labels.toReversed() };
        expect(auc(turned)).toBe(auc(rows));
        expect(calibrationByCount(turned)?.ece ?? 0).toBeCloseTo(
          calibrationByCount(rows)?.ece ?? 0,
          12,
        );
        const negated = auc({ ...rows, scores: rows.scores.map((score) => -score) });
        if (negated !== null) expect(negated).toBeCloseTo(1 - auc(rows)!, 12);
      }),
    );
  });

  it('merges sums of parts to those of the whole', () => {
    fc.assert(
      fc.property(someRows, someRows, (a, b) => {
        const whole = rowsOf([...a.scores, ...b.scores], [...a.labels, ...b.labels]);
        for (const sums of [logLossSum, brierSum]) {
          const merged = mergeSums([sums(a), sums(b)]);
          expect(merged.count).toBe(sums(whole).count);
          expect(merged.sum).toBeCloseTo(sums(whole).sum, 9);
        }
      }),
    );
  });

  it('clips certain probabilities instead of answering infinity', () => {
    expect(logLoss(rowsOf([0], [1]))).toBeCloseTo(36.04, 2);
    expect(logLoss(rowsOf([1], [1]))).toBeLessThan(1e-15);
    expect(logLoss(rowsOf([Infinity, -Infinity], [1, 0]))).toBeLessThan(1e-15);
  });

  it('leaves out rows without a score, and knows nothing of no rows', () => {
    expect(auc(rowsOf([0.1, NaN, 0.9], [0, 0, 1]))).toBe(1);
    expect(auc(rowsOf([-Infinity, Infinity], [0, 1]))).toBe(1);
    expect(logLoss(rowsOf([NaN, 0.5], [1, 1]))).toBeCloseTo(Math.LN2, 12);
    for (const rows of [rowsOf([], []), rowsOf([NaN], [1])]) {
      expect(auc(rows)).toBeNull();
      expect(logLoss(rows)).toBeNull();
      expect(brier(rows)).toBeNull();
      expect(calibrationByCount(rows)).toBeNull();
      expect(calibrationByEdges(rows)).toBeNull();
    }
    expect(auc(rowsOf([0.5], [1]))).toBeNull();
    expect(meanOf({ sum: 0, count: 0 })).toBeNull();
  });
});

describe('calibration', () => {
  it('finds the gap between what was predicted and what came', () => {
    const rows = rowsOf([0.1, 0.1, 0.1, 0.1, 0.8, 0.8], [0, 0, 0, 1, 1, 0]);
    const byEdges = calibrationByEdges(rows)!;
    expect(byEdges.bins.map((bin) => bin.count)).toEqual([4, 2]);
    expect(byEdges.ece).toBeCloseTo((4 * 0.15 + 2 * 0.3) / 6, 12);
    expect(byEdges.predicted).toBeCloseTo(2 / 6, 12);
    expect(byEdges.observed).toBeCloseTo(2 / 6, 12);
    expect(calibrationByCount(rows, 2)!.ece).toBeCloseTo(byEdges.ece, 12);
  });

  it('fills bins with equal counts where scores differ', () => {
    const scores = Array.from({ length: 100 }, (_, at) => at ** 2 / 10_000);
    const found = calibrationByCount(
      rowsOf(
        scores,
        Array.from({ length: 100 }, () => 0),
      ),
      10,
    )!;
    expect(found.bins.map((bin) => bin.count)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(found.observed).toBe(0);
  });

  it('keeps its error between 0 and 1, and at least the gap of the means', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const found = calibrationByCount(rows, 5);
        if (found === null) return;
        expect(found.ece).toBeLessThanOrEqual(1);
        expect(found.ece).toBeGreaterThanOrEqual(
          Math.abs(found.predicted - found.observed) - 1e-12,
        );
      }),
    );
  });
});

describe('regression quality', () => {
  const { regressors } = oracle;
  const predicted = Float64Array.from(regressors.predicted);
  const actual = Float64Array.from(regressors.actual);

  it('is what scikit-learn says, whole or merged from days', () => {
    const part = (from: number, to: number) =>
      errorSums({ predicted: predicted.subarray(from, to), actual: actual.subarray(from, to) });
    for (const sums of [part(0, 50), mergeErrors([part(0, 13), part(13, 14), part(14, 50)])]) {
      const error = regressionError(sums)!;
      expect(error.mae).toBeCloseTo(regressors.mae, 12);
      expect(error.rmse).toBeCloseTo(regressors.rmse, 12);
      expect(error.bias).toBeCloseTo(regressors.bias, 12);
    }
  });

  it('leaves out rows without numbers', () => {
    const sums = errorSums({
      predicted: Float64Array.of(1, NaN, Infinity),
      actual: Float64Array.of(3, 1, 2),
    });
    expect(regressionError(sums)).toEqual({ mae: 2, rmse: 2, bias: -2 });
    expect(regressionError(mergeErrors([]))).toBeNull();
  });
});
