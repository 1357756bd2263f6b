import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auc, type ScoredRows } from './auc.ts';
import { blockInterval } from './block-interval.ts';
import { blockJackknife } from './block-jackknife.ts';
import { aucStatistic, logLossStatistic, meanStatistic, wholeOf } from './block-statistic.ts';
import { logLoss } from './log-loss.ts';
import type { MeanSum } from './mean-sum.ts';
import { compareClassifiers, compareRegressors, type PairedBlock } from './paired-comparison.ts';
import { drawNormal, seededRandom, type Random } from './seeded-random.ts';

const ROWS = 5_000;

interface Days {
  readonly days: number;
  /** Mean difference of all rows. */
  readonly mean?: number;
  /** Standard deviations of a day's own effect, of a 6-hour block's, and of a row. */
  readonly dayEffect?: number;
  readonly rowEffect?: number;
  readonly blocksPerDay?: number;
  /** Of the last day's rows to those of the others. */
  readonly lastDay?: number;
}

/** Summed differences of rows whose days, and the blocks in them, are dependent. */
function seriesOf(
  random: Random,
  { days, mean = 0, dayEffect = 0.01, rowEffect = 0.3, blocksPerDay = 1, lastDay = 1 }: Days,
): readonly MeanSum[] {
  return Array.from({ length: days }, (_, day) => {
    const shift = mean + dayEffect * drawNormal(random);
    const count = Math.round(((day === days - 1 ? lastDay : 1) * ROWS) / blocksPerDay);
    return Array.from({ length: blocksPerDay }, () => ({
      count,
      sum: count * (shift + (rowEffect / Math.sqrt(count)) * drawNormal(random)),
    }));
  }).flat();
}

/** Share of series whose lower one-sided 95 % bound is above 0. */
function acceptedShare(seed: string, series: number, days: Days): number {
  const random = seededRandom(seed);
  let accepted = 0;
  for (let at = 0; at < series; at++) {
    const statistic = meanStatistic(seriesOf(random, days));
    const interval = blockInterval(statistic, { level: 0.9, random, resamples: 199 })!;
    if (interval.lower > 0) accepted++;
  }
  return accepted / series;
}

describe('bounds from day blocks', () => {
  it.each([3, 5, 7, 14])('accept no difference about 5 times in 100 on %i days', (days) => {
    // Twice the standard error of 3,000 series is 0.8 points.
    const alike = acceptedShare('alike', 3_000, { days, dayEffect: 0 });
    const different = acceptedShare('different', 3_000, { days });
    for (const share of [alike, different]) {
      expect(share).toBeGreaterThan(0.038);
      expect(share).toBeLessThan(0.062);
    }
  });

  it('accept it slightly more often when the last of few days is cut short', () => {
    expect(acceptedShare('short', 3_000, { days: 3, lastDay: 0.2 })).toBeLessThan(0.085);
    expect(acceptedShare('short', 3_000, { days: 7, lastDay: 0.2 })).toBeLessThan(0.07);
  });

  it('stay near 5 in 100 where the bootstrap takes over', () => {
    expect(acceptedShare('many', 400, { days: 24 })).toBeLessThan(0.085);
    expect(acceptedShare('many', 400, { days: 24 })).toBeGreaterThan(0.015);
  });

  it('are too narrow from 6-hour blocks when days differ, and right when they do not', () => {
    const quarters = { days: 3, blocksPerDay: 4 };
    expect(acceptedShare('quarters', 2_000, { ...quarters, dayEffect: 0 })).toBeLessThan(0.065);
    expect(acceptedShare('quarters', 2_000, { ...quarters, dayEffect: 0.01 })).toBeGreaterThan(
      0.12,
    );
  });

  it('find a difference of a few standard errors of a day', () => {
    const power = (days: number, mean: number) => acceptedShare('power', 500, { days, mean });
    expect(power(3, 0.04)).toBeGreaterThan(0.85);
    expect(power(7, 0.015)).toBeGreaterThan(0.85);
    expect(power(14, 0.01)).toBeGreaterThan(0.9);
  });

  it('name their method, blocks and level, and cut to the range', () => {
    const random = seededRandom('names');
    const few = blockInterval(meanStatistic(seriesOf(random, { days: 3 })))!;
    expect(few).toMatchObject({ method: 'jackknife-t', blocks: 3, level: 0.95 });
    const many = meanStatistic(seriesOf(random, { days: 20 }));
    expect(blockInterval(many)).toMatchObject({ method: 'bootstrap-t', blocks: 20 });
    expect(blockInterval(many)).toEqual(blockInterval(many));
    expect(blockInterval(many, { range: [0, 0] })).toMatchObject({ lower: 0, upper: 0 });
  });

  it('are none from one block, from none and from a level that is none', () => {
    expect(blockInterval(meanStatistic([{ sum: 1, count: 2 }]))).toBeNull();
    expect(blockInterval(meanStatistic([]))).toBeNull();
    const empty = [
      { sum: 1, count: 2 },
      { sum: 0, count: 0 },
    ];
    expect(blockInterval(meanStatistic(empty))).toBeNull();
    const two = meanStatistic([
      { sum: 1, count: 2 },
      { sum: 2, count: 2 },
    ]);
    expect(blockInterval(two)).not.toBeNull();
    expect(blockInterval(two, { level: 1 })).toBeNull();
    expect(blockInterval(meanStatistic([{ sum: NaN, count: 2 }]))).toBeNull();
  });
});

const someBlocks: fc.Arbitrary<readonly ScoredRows[]> = fc.array(
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 1 })), {
      minLength: 1,
      maxLength: 12,
    })
    .map((pairs) => ({
      scores: Float64Array.from(pairs, ([score]) => score / 10),
      labels: Uint8Array.from(pairs, ([, label]) => label),
    })),
  { minLength: 1, maxLength: 6 },
);

function joined(blocks: readonly ScoredRows[]): ScoredRows {
  return {
    scores: Float64Array.from(blocks.flatMap((block) => [...block.scores])),
    labels: Uint8Array.from(blocks.flatMap((block) => [...block.labels])),
  };
}

describe('statistics of weighted blocks', () => {
  it('are those of the rows, each block repeated as often as it weighs', () => {
    fc.assert(
      fc.property(someBlocks, fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }), (blocks, w) => {
        const weights = Float64Array.from(blocks, (_, at) => w[at]!);
        const rows = joined(
          blocks.flatMap((block, at) => Array.from({ length: w[at]! }, () => block)),
        );
        expectClose(aucStatistic(blocks).at(weights), auc(rows));
        expectClose(logLossStatistic(blocks).at(weights), logLoss(rows));
        expectClose(wholeOf(aucStatistic(blocks)), auc(joined(blocks)));
      }),
    );
  });

  it('have the standard error of a mean when blocks are rows', () => {
    const values = [3, 5, 9, 1, 4];
    const spread = blockJackknife(meanStatistic(values.map((sum) => ({ sum, count: 1 }))))!;
    const variance = values.reduce((sum, x) => sum + (x - 4.4) ** 2, 0) / 4;
    expect(spread.value).toBeCloseTo(4.4, 12);
    expect(spread.standardError).toBeCloseTo(Math.sqrt(variance / 5), 12);
  });
});

function expectClose(got: number | null, expected: number | null): void {
  if (expected === null) expect(got).toBeNull();
  else expect(got).toBeCloseTo(expected, 9);
}

/** Days of a champion that is off by `noise` on the logit and of a challenger that is not. */
function pairedDays(days: number, rows: number, noise: number): readonly PairedBlock[] {
  const random = seededRandom('paired');
  return Array.from({ length: days }, () => {
    const logits = Float64Array.from({ length: rows }, () => 1.5 * drawNormal(random));
    const probability = (logit: number) => 1 / (1 + Math.exp(-logit));
    return {
      champion: logits.map((logit) => probability(logit + noise * drawNormal(random))),
      challenger: logits.map(probability),
      labels: Uint8Array.from(logits, (logit) => (random() < probability(logit) ? 1 : 0)),
    };
  });
}

describe('champion against challenger', () => {
  const blocks = pairedDays(3, 4_000, 1.5);

  it.each(['log_loss', 'brier', 'auc'] as const)('finds the better %s', (metric) => {
    const found = compareClassifiers(metric, blocks);
    expect(found).toMatchObject({ method: 'jackknife-t', blocks: 3, level: 0.95, rows: 12_000 });
    expect(found.lower).toBeGreaterThan(0);
    expect(found.lower).toBeLessThan(found.improvement!);
    expect(found.upper).toBeGreaterThan(found.improvement!);
    const gap = found.challenger! - found.champion!;
    expect(found.improvement).toBeCloseTo(metric === 'auc' ? gap : -gap, 12);

    const turned = blocks.map((block) => ({
      ...block,
      champion: block.challenger,
      challenger: block.champion,
    }));
    const other = compareClassifiers(metric, turned);
    expect(other.upper).toBeLessThan(0);
    expect(other.lower).toBeCloseTo(-found.upper!, 12);
  });

  it('does not accept a model against itself', () => {
    const same = blocks.map((block) => ({ ...block, challenger: block.champion }));
    const found = compareClassifiers('log_loss', same);
    expect([found.improvement, found.lower, found.upper]).toEqual([0, 0, 0]);
  });

  it.each(['log_loss', 'auc'] as const)('accepts an equal model by %s about 5 in 100', (metric) => {
    const random = seededRandom('equals');
    const probability = (logit: number) => 1 / (1 + Math.exp(-logit));
    const noisy = (logits: Float64Array) => {
      // Each model has good and bad days of its own.
      const noise = 1 + 0.4 * drawNormal(random);
      return logits.map((logit) => probability(logit + noise * drawNormal(random)));
    };
    let accepted = 0;
    for (let at = 0; at < 600; at++) {
      const days = Array.from({ length: 3 }, () => {
        const logits = Float64Array.from({ length: 200 }, () => 1.5 * drawNormal(random));
        return {
          champion: noisy(logits),
          challenger: noisy(logits),
          labels: Uint8Array.from(logits, (logit) => (random() < probability(logit) ? 1 : 0)),
        };
      });
      if (compareClassifiers(metric, days).lower! > 0) accepted++;
    }
    // Twice the standard error of 600 is 1.8 points.
    expect(accepted / 600).toBeGreaterThan(0.025);
    expect(accepted / 600).toBeLessThan(0.075);
  });

  it('compares only rows that both answered, and counts the others', () => {
    const holed = blocks.map((block) => ({ ...block, champion: block.champion.slice() }));
    holed[0]!.champion[5] = NaN;
    holed[2]!.champion[7] = Infinity;
    const found = compareClassifiers('auc', holed);
    expect(found).toMatchObject({ rows: 11_998, rowsLeftOut: 2 });
    expect(found.lower).toBeGreaterThan(0);
  });

  it('says none, not no, where there is nothing to judge by', () => {
    const one = compareClassifiers('log_loss', blocks.slice(0, 1));
    expect(one).toMatchObject({ method: 'none', lower: null, upper: null, blocks: 1 });
    expect(one.improvement).toBeGreaterThan(0);
    const oneClass = blocks.map((block) => ({ ...block, labels: new Uint8Array(4_000) }));
    expect(compareClassifiers('auc', oneClass)).toMatchObject({
      method: 'none',
      champion: null,
      improvement: null,
    });
    expect(compareClassifiers('auc', [])).toMatchObject({ method: 'none', blocks: 0, rows: 0 });
  });

  it('compares predicted numbers by absolute or squared error', () => {
    const random = seededRandom('numbers');
    const days = Array.from({ length: 5 }, () => {
      const actual = Float64Array.from({ length: 400 }, () => 10 * drawNormal(random));
      return {
        actual,
        champion: actual.map((value) => value + 2 * drawNormal(random)),
        challenger: actual.map((value) => value + drawNormal(random)),
      };
    });
    for (const metric of ['mae', 'mse'] as const) {
      expect(compareRegressors(metric, days).lower).toBeGreaterThan(0);
    }
    expect(compareRegressors('mse', days).champion).toBeCloseTo(4, 0);
  });
});
