import { blockInterval, type BlockMethod } from './block-interval.ts';
import {
  aucStatistic,
  brierStatistic,
  differenceOf,
  logLossStatistic,
  meanStatistic,
  wholeOf,
  type BlockStatistic,
} from './block-statistic.ts';
import type { ScoredRows } from './auc.ts';
import type { MeanSum } from './mean-sum.ts';
import type { Random } from './seeded-random.ts';

/** What two models gave for the same rows of one block (a day, say), and what came. */
export interface PairedBlock {
  readonly champion: Float64Array;
  readonly challenger: Float64Array;
  readonly labels: Uint8Array;
}

/** The same for numbers: `actual` is the true value, in the unit of the predictions. */
export interface PairedRegressionBlock {
  readonly champion: Float64Array;
  readonly challenger: Float64Array;
  readonly actual: Float64Array;
}

export type ClassifierMetric = 'log_loss' | 'brier' | 'auc';
export type RegressionMetric = 'mae' | 'mse';

export interface PairedComparison {
  readonly champion: number | null;
  readonly challenger: number | null;
  /** In the unit of the metric, above 0 when the challenger is better. */
  readonly improvement: number | null;
  /** One-sided bounds of the improvement, each at `level`; null when `method` is none. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly standardError: number | null;
  /** One-sided. */
  readonly level: number;
  /** `none`: fewer than two blocks, or a metric that is undefined without one of them. */
  readonly method: BlockMethod | 'none';
  /** Blocks that hold rows. */
  readonly blocks: number;
  /** Rows that both models answered with a number; only they count. */
  readonly rows: number;
  readonly rowsLeftOut: number;
}

export interface PairedOptions {
  /** One-sided, 0.95 when not given: a challenger no better passes `lower > 0` in 5 of 100. */
  readonly level?: number;
  readonly random?: Random;
  readonly resamples?: number;
}

/**
 * Whether a challenger is better than the champion on the same labelled rows: the improvement with
 * bounds from blocks, since rows of one day are not independent. How the bounds are found, and how
 * often they are wrong: `blockInterval`.
 */
export function compareClassifiers(
  metric: ClassifierMetric,
  blocks: readonly PairedBlock[],
  options: PairedOptions = {},
): PairedComparison {
  const kept = blocks.map((block) => commonRows(block, block.labels.length));
  const side = (name: 'champion' | 'challenger') =>
    classifierStatistic(
      metric,
      blocks.map((block, at): ScoredRows => ({
        scores: pick(block[name], kept[at]!),
        labels: Uint8Array.from(kept[at]!, (row) => block.labels[row]!),
      })),
    );
  return compareStatistics(side('champion'), side('challenger'), {
    ...options,
    better: metric === 'auc' ? 'higher' : 'lower',
    ...rowCounts(
      kept,
      blocks.map((block) => block.labels.length),
    ),
  });
}

/** The same for predicted numbers: mean absolute or mean squared error. */
export function compareRegressors(
  metric: RegressionMetric,
  blocks: readonly PairedRegressionBlock[],
  options: PairedOptions = {},
): PairedComparison {
  const kept = blocks.map((block) =>
    commonRows(block, block.actual.length).filter((row) => Number.isFinite(block.actual[row])),
  );
  const side = (name: 'champion' | 'challenger') =>
    meanStatistic(
      blocks.map((block, at): MeanSum => {
        let sum = 0;
        for (const row of kept[at]!) {
          const error = Math.abs(block[name][row]! - block.actual[row]!);
          sum += metric === 'mae' ? error : error * error;
        }
        return { sum, count: kept[at]!.length };
      }),
    );
  return compareStatistics(side('champion'), side('challenger'), {
    ...options,
    better: 'lower',
    ...rowCounts(
      kept,
      blocks.map((block) => block.actual.length),
    ),
  });
}

export interface StatisticOptions extends PairedOptions {
  readonly better: 'higher' | 'lower';
  readonly rows: number;
  readonly rowsLeftOut: number;
}

/** The same for any statistic of both models over the same blocks. */
export function compareStatistics(
  champion: BlockStatistic,
  challenger: BlockStatistic,
  { better, rows, rowsLeftOut, level = 0.95, ...rest }: StatisticOptions,
): PairedComparison {
  const improvement =
    better === 'higher' ? differenceOf(challenger, champion) : differenceOf(champion, challenger);
  // Each bound of a two-sided interval at 2 * level - 1 holds at `level` alone.
  const interval = blockInterval(improvement, { ...rest, level: 2 * level - 1 });
  return {
    champion: wholeOf(champion),
    challenger: wholeOf(challenger),
    improvement: wholeOf(improvement),
    lower: interval?.lower ?? null,
    upper: interval?.upper ?? null,
    standardError: interval?.standardError ?? null,
    level,
    method: interval?.method ?? 'none',
    blocks: improvement.blocks,
    rows,
    rowsLeftOut,
  };
}

function classifierStatistic(
  metric: ClassifierMetric,
  blocks: readonly ScoredRows[],
): BlockStatistic {
  switch (metric) {
    case 'log_loss':
      return logLossStatistic(blocks);
    case 'brier':
      return brierStatistic(blocks);
    case 'auc':
      return aucStatistic(blocks);
  }
}

/** Rows that both models answered with a finite number. */
function commonRows(
  { champion, challenger }: Pick<PairedBlock, 'champion' | 'challenger'>,
  length: number,
): readonly number[] {
  const rows: number[] = [];
  for (let row = 0; row < length; row++) {
    if (Number.isFinite(champion[row]) && Number.isFinite(challenger[row])) rows.push(row);
  }
  return rows;
}

function rowCounts(kept: readonly (readonly number[])[], lengths: readonly number[]) {
  const rows = kept.reduce((sum, each) => sum + each.length, 0);
  const all = lengths.reduce((sum, each) => sum + each, 0);
  return { rows, rowsLeftOut: all - rows };
}

function pick(values: Float64Array, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => values[row]!);
}
