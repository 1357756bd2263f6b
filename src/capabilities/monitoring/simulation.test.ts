import { expect, it } from 'vitest';
import { micros } from '../../base/time.ts';
import { cohortsOf, type CohortDay } from './cohort.ts';
import { DriftSpec, PersistSpec, QualitySpec, type Check } from './contract.ts';
import { judgeCalibration } from './judge-calibration.ts';
import { judgeDrift } from './judge-drift.ts';
import { judgeCoverage } from './judge-labels.ts';
import { withHistory } from './judge-persistence.ts';
import { judgeQuality } from './judge-quality.ts';
import { DAY_MICROS } from './periods.ts';
import { profileOf, type Profile } from './profile.ts';
import { dayPeriod, FEATURES, simulatedDay, type Course } from './simulated-days.ts';
import { slicesIn } from './slice.ts';

const TRAINING_DAYS = 28;
const DAYS = 60;
/** When something happens, counted from the first day in traffic. */
const MISHAP = 30;
/**
 * As flights: the share of late ones swings from 0.06 to 0.28 from day to day, and the AUC of a day
 * by 0.04.
 */
const FLIGHTS = { rows: 400, dayEffect: 0.45, signalEffect: 0.12 };

function course(seed: number, on?: Course['on']): Course {
  const shifted = on === undefined ? {} : { on: (day: number) => on(day - TRAINING_DAYS) };
  return { ...FLIGHTS, seed, ...shifted };
}

interface Told {
  readonly day: number;
  readonly checks: readonly Check[];
}

/** What a monitor with all defaults tells of sixty days, each after its own end. */
function play(of: Course): readonly Told[] {
  const [quality, drift] = [QualitySpec.parse({}), DriftSpec.parse({})];
  const persist = PersistSpec.parse({});
  const profile = trained(of);
  const cohorts: CohortDay[] = [];
  const former: (readonly Check[])[] = [];
  return Array.from({ length: DAYS }, (_, day) => {
    const period = dayPeriod(TRAINING_DAYS + day);
    const rows = simulatedDay(of, TRAINING_DAYS + day);
    cohorts.push(...cohortsOf(rows, period));
    const slices = slicesIn(rows, period, new Map([[1, profile]]));
    const asked = { spec: quality, version: 1, cohorts };
    const calibration = judgeCalibration(asked);
    const found = [
      judgeQuality({ ...asked, at: period.until }).check,
      ...(calibration === null ? [] : [calibration]),
      judgeCoverage({ label: 'late', spec: quality, cohorts }),
      ...judgeDrift({ spec: drift, profile, slices, ignore: new Set() }),
    ];
    const checks = withHistory(found, { at: period.until, persist, former });
    former.unshift(checks);
    return { day, checks };
  });
}

function trained(of: Course): Profile {
  const days = Array.from({ length: TRAINING_DAYS }, (_, day) =>
    simulatedDay({ ...of, on: () => ({}) }, day),
  );
  const all = (read: (day: (typeof days)[number]) => Float64Array) =>
    Float64Array.from(days.flatMap((day) => [...read(day)]));
  const times = all((day) => day.answeredAt);
  const columns = new Map(FEATURES.map((name) => [name, all((day) => day.features.get(name)!)]));
  return profileOf(1, {
    times,
    columns,
    scores: { times, values: all((day) => day.score) },
    inputs: null,
  });
}

/** The first day of an alert of this kind, null for none. */
function firstAlert(told: readonly Told[], kind: Check['kind']): number | null {
  const found = told.find(({ checks }) =>
    checks.some((check) => check.kind === kind && check.state === 'alert'),
  );
  return found?.day ?? null;
}

function stateOn(told: readonly Told[], day: number, kind: Check['kind']): Check['state'] {
  return told[day]!.checks.find((check) => check.kind === kind)!.state;
}

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);

it('wakes next to nobody for sixty days without drift', { timeout: 300_000 }, () => {
  const kinds = ['quality', 'calibration', 'score_drift', 'labels', 'drift'] as const;
  const woken = seeds(100).flatMap((seed) => {
    const told = play(course(seed));
    return kinds.filter((kind) => firstAlert(told, kind) !== null);
  });
  // Sixteen years of five kinds: one false alarm in eight years, all told.
  expect(woken.length).toBeLessThanOrEqual(2);
});

it('finds labels that turned around within nine days', { timeout: 60_000 }, () => {
  for (const seed of seeds(6)) {
    const told = play(course(1000 + seed, (day) => (day >= MISHAP ? { flipped: 0.3 } : {})));
    const day = firstAlert(told, 'quality');
    expect(day).toBeGreaterThanOrEqual(MISHAP);
    expect(day).toBeLessThanOrEqual(MISHAP + 9);
    // The inputs are as ever.
    expect(firstAlert(told, 'drift')).toBeNull();
  }
});

it('finds a moved feature within a week, and quality that stayed', { timeout: 60_000 }, () => {
  const found = seeds(6).map((seed) => {
    const told = play(course(1000 + seed, (day) => (day >= MISHAP ? { shift: 2 } : {})));
    expect(stateOn(told, MISHAP + 7, 'quality')).toBe('ok');
    expect(told.at(-1)!.checks.filter(({ state }) => state === 'alert')).toMatchObject([
      { kind: 'drift', subject: 'a' },
    ]);
    return firstAlert(told, 'drift');
  });
  for (const day of found) {
    expect(day).toBeGreaterThanOrEqual(MISHAP + 2);
    expect(day).toBeLessThanOrEqual(MISHAP + 7);
  }
});

it('warns of a spoilt weekend and does not take it for a trend', { timeout: 60_000 }, () => {
  for (const seed of seeds(6)) {
    const isSpoilt = (day: number) => day === MISHAP || day === MISHAP + 1;
    const spoilt = (day: number) => (isSpoilt(day) ? { shift: 3, flipped: 0.5 } : {});
    const told = play(course(1000 + seed, spoilt));
    expect(stateOn(told, MISHAP, 'drift')).toBe('warn');
    expect(stateOn(told, MISHAP + 1, 'drift')).toBe('warn');
    expect(firstAlert(told, 'drift')).toBeNull();
    // Two days that differ so much from five others make the week uncertain, not worse.
    expect(firstAlert(told, 'quality')).toBeNull();
    expect(stateOn(told, MISHAP + 10, 'drift')).toBe('ok');
  }
});

it('says nothing of quality while labels are missing, and says so', { timeout: 60_000 }, () => {
  const silent = (day: number) => (day >= MISHAP ? { unlabelled: 1 } : {});
  const told = play(course(7, silent));
  expect(stateOn(told, MISHAP - 1, 'quality')).not.toBe('no_data');
  expect(stateOn(told, DAYS - 1, 'quality')).toBe('no_data');
  expect(stateOn(told, MISHAP + 5, 'labels')).toBe('alert');
});

it('is not moved by labels that come sooner for one class', () => {
  const of = course(3);
  const days = Array.from({ length: 20 }, (_, day) =>
    cohortsOf(simulatedDay(of, day), dayPeriod(day)),
  ).flat();
  // Only the positive ones of the newest days have come.
  const early = days.map((cohort, day) => (day < 17 ? cohort : onlyPositive(cohort)));
  const spec = QualitySpec.parse({});
  const at = micros(20 * DAY_MICROS);
  const judged = judgeQuality({ spec, version: 1, at, cohorts: early }).check;
  const whole = judgeQuality({ spec, version: 1, at, cohorts: days.slice(0, 17) }).check;
  expect(judged.value).toBe(whole.value);
  expect(judged.days).toBe(7);
});

function onlyPositive(cohort: CohortDay): CohortDay {
  const kept = [...cohort.labels.keys()].filter((row) => cohort.labels[row] === 1);
  return {
    ...cohort,
    labelled: kept.length,
    scores: Float64Array.from(kept, (row) => cohort.scores[row]!),
    labels: Float64Array.from(kept, (row) => cohort.labels[row]!),
  };
}
