import { expect, it } from 'vitest';
import { drawNormal, seededRandom } from '../../base/stats/seeded-random.ts';
import { micros } from '../../base/time.ts';
import type { CohortDay } from './cohort.ts';
import { QualitySpec } from './contract.ts';
import { judgeCalibration } from './judge-calibration.ts';
import { judgeQuality } from './judge-quality.ts';
import { DAY_MICROS } from './periods.ts';

/** A regression's days: predictions off by noise of this size. */
function numbers(day: number, noise: number): CohortDay {
  const random = seededRandom(`numbers ${day}`);
  const labels = Float64Array.from({ length: 200 }, () => 50 + 10 * drawNormal(random));
  const scores = labels.map((label) => label + noise * drawNormal(random));
  return cohort(day, scores, labels);
}

function chances(day: number, off: number): CohortDay {
  const random = seededRandom(`chances ${day}`);
  const real = Float64Array.from({ length: 300 }, () => 0.05 + 0.3 * random());
  const labels = real.map((chance) => (random() < chance ? 1 : 0));
  return cohort(
    day,
    real.map((chance) => Math.min(1, chance * off)),
    labels,
  );
}

function cohort(day: number, scores: Float64Array, labels: Float64Array): CohortDay {
  return {
    from: micros(day * DAY_MICROS),
    until: micros((day + 1) * DAY_MICROS),
    version: 1,
    requests: scores.length,
    labelled: labels.length,
    scores,
    labels,
  };
}

const days = (count: number, make: (day: number) => CohortDay) =>
  Array.from({ length: count }, (_, day) => make(day));
const end = (count: number) => micros((count + 0.5) * DAY_MICROS);
const judged = (spec: object, cohorts: readonly CohortDay[], at = end(cohorts.length)) =>
  judgeQuality({ spec: QualitySpec.parse(spec), version: 1, at, cohorts });

it('compares the newest days with the first ones, never with themselves', () => {
  const spec = { metric: 'mae', window: '5d', drop: 0.5 };
  expect(
    judged(
      spec,
      days(9, (day) => numbers(day, 2)),
    ).check.state,
  ).toBe('too_few_labels');
  const { check, reference } = judged(
    spec,
    days(12, (day) => numbers(day, 2)),
  );
  expect(check).toMatchObject({ state: 'ok', days: 5, rows: 1000, threshold: 0.5 });
  expect(check.value).toBeCloseTo(2 * Math.sqrt(2 / Math.PI), 0);
  expect(reference).toMatchObject({ days: 7, from: '1970-01-01T00:00:00Z', metric: 'mae' });
  expect(
    judged(
      spec,
      days(60, (day) => numbers(day, 2)),
    ).reference,
  ).toMatchObject({ days: 28 });
});

it('breaches when errors grow by more than drop and more than days differ by', () => {
  const spec = { metric: 'rmse', window: '5d', drop: 0.5 };
  const worse = days(20, (day) => numbers(day, day < 15 ? 2 : 3));
  const { check } = judged(spec, worse);
  expect(check).toMatchObject({ state: 'warn', isBreach: true });
  expect(check.explanation).toMatch(
    /worse by (0\.9|1\.0).* More than 0\.5 and more than chance\.$/,
  );
  expect(judged({ ...spec, drop: 2 }, worse).check).toMatchObject({ state: 'ok', isBreach: false });
});

it('leaves out days that are not labelled as a whole', () => {
  const spec = { metric: 'mae', window: '3d', drop: 0.5 };
  const partly = days(12, (day) => {
    const whole = numbers(day, day >= 9 ? 9 : 2);
    return day >= 9 ? { ...whole, labelled: 100 } : whole;
  });
  const { check } = judged(spec, partly);
  expect(check).toMatchObject({ state: 'ok', days: 3 });
  expect(check.explanation).toContain('until 1970-01-09');
});

it('does not say how good answers are now by days of long ago', () => {
  const spec = { metric: 'mae', window: '3d', drop: 0.5 };
  const old = judged(
    spec,
    days(12, (day) => numbers(day, 2)),
    end(20),
  ).check;
  expect(old).toMatchObject({ state: 'no_data', value: null });
});

it('refuses a metric of probabilities for labels that are numbers', () => {
  const { check } = judged(
    { metric: 'auc', window: '3d' },
    days(8, (day) => numbers(day, 2)),
  );
  expect(check).toMatchObject({ state: 'no_data' });
  expect(check.explanation).toContain('mae or rmse');
});

it('finds probabilities that are too high, and leaves those be that are right', () => {
  const spec = QualitySpec.parse({});
  const of = (off: number) =>
    judgeCalibration({ spec, version: 1, cohorts: days(7, (day) => chances(day, off)) });
  expect(of(1)).toMatchObject({ state: 'ok' });
  expect(of(2)).toMatchObject({ state: 'warn', isBreach: true });
  expect(of(2)!.explanation).toContain('too high');
  const numeric = QualitySpec.parse({ metric: 'mae' });
  expect(judgeCalibration({ spec: numeric, version: 1, cohorts: [] })).toBeNull();
});
