import { expect, test } from 'vitest';
import { micros, parseInstant, type Micros } from '../../src/base/time.ts';
import { admit } from '../../src/capabilities/loop/admission.ts';
import { LoopSpec } from '../../src/capabilities/loop/contract.ts';
import { pastOf } from '../../src/capabilities/loop/cooldown.ts';
import { evaluationSpan } from '../../src/capabilities/loop/evaluation-span.ts';
import {
  causesOf,
  incidentsOf,
  NO_QUALITY,
  qualityAfter,
} from '../../src/capabilities/loop/findings.ts';
import { compilePolicy } from '../../src/capabilities/loop/loop-policy.ts';
import { cohortsOf, type CohortDay } from '../../src/capabilities/monitoring/cohort.ts';
import {
  DriftSpec,
  PersistSpec,
  QualitySpec,
  type Check,
} from '../../src/capabilities/monitoring/contract.ts';
import { judgeDrift } from '../../src/capabilities/monitoring/judge-drift.ts';
import { withHistory } from '../../src/capabilities/monitoring/judge-persistence.ts';
import { judgeQuality } from '../../src/capabilities/monitoring/judge-quality.ts';
import { profileOf } from '../../src/capabilities/monitoring/profile.ts';
import {
  dayPeriod,
  FEATURES,
  simulatedDay,
  type Course,
} from '../../src/capabilities/monitoring/simulated-days.ts';
import { slicesIn } from '../../src/capabilities/monitoring/slice.ts';

/** The monitor's judges and the loop's rules together, on streams whose truth is known. */

const MINUTES_5 = 300_000;
const HOUR = 3_600_000_000;
const TRAINING_DAYS = 28;
const DAYS = 60;
const MISHAP = 30;
/** As flights: days differ by far more than their requests do. */
const FLIGHTS = { rows: 400, dayEffect: 0.45, signalEffect: 0.12 };
const policy = compilePolicy(
  'late',
  LoopSpec.parse({ pipeline: 'train', triggers: ['quality', 'drift'], autonomy: 'full' }),
);

/** The day on which sixty days in traffic first make the loop retrain; null when they do not. */
function firstRetrain(course: Course): number | null {
  const profile = trainedOn(course);
  const cohorts: CohortDay[] = [];
  const former: (readonly Check[])[] = [];
  const since = micros(dayPeriod(TRAINING_DAYS).from);
  let quality = NO_QUALITY;
  for (let day = 0; day < DAYS; day += 1) {
    const period = dayPeriod(TRAINING_DAYS + day);
    const at = micros(period.until);
    const rows = simulatedDay(course, TRAINING_DAYS + day);
    cohorts.push(...cohortsOf(rows, period));
    const slices = slicesIn(rows, period, new Map([[1, profile]]));
    const found = [
      judgeQuality({ spec: QualitySpec.parse({}), version: 1, at, cohorts }).check,
      ...judgeDrift({ spec: DriftSpec.parse({}), profile, slices, ignore: new Set() }),
    ];
    const checks = withHistory(found, { at, persist: PersistSpec.parse({}), former });
    former.unshift(checks);
    const evaluation = { id: `eval_${day}`, at, findings: checks.map(toFinding) };
    quality = qualityAfter(quality, evaluation, 1);
    const release = { model: 'late', version: 1, revision: 1, by: 'ann', since };
    const maturedRows = day * FLIGHTS.rows;
    const answer = admit(policy, {
      at,
      causes: causesOf(policy, { at, evaluation, release, maturedRows, quality }),
      release,
      stopped: null,
      open: null,
      past: pastOf(policy, at, [], null),
      maturedRows,
      evaluation: evaluationSpan({ at, matureMicros: 12 * HOUR, holdoutDays: 3 }),
      exclusions: [],
      incidents: incidentsOf(evaluation),
    });
    if (answer?.kind === 'admitted') return day;
  }
  return null;
}

function toFinding({ kind, subject, version, state, explanation, ...check }: Check) {
  const { isBreach, value, reference, threshold } = check;
  const instant = (text: string | null): Micros | null =>
    text === null ? null : parseInstant(text);
  return {
    kind,
    subject,
    version,
    state,
    isBreach,
    since: instant(check.since),
    until: instant(check.until),
    explanation,
    numbers: { value, reference, threshold },
  };
}

function trainedOn(course: Course) {
  const { on: _, ...before } = course;
  const days = Array.from({ length: TRAINING_DAYS }, (__, day) => simulatedDay(before, day));
  const all = (read: (day: (typeof days)[number]) => Float64Array) =>
    Float64Array.from(days.flatMap((day) => [...read(day)]));
  const times = all((day) => day.answeredAt);
  const columns = new Map(FEATURES.map((name) => [name, all((day) => day.features.get(name)!)]));
  const scores = { times, values: all((day) => day.score) };
  return profileOf(1, { times, columns, scores, inputs: null });
}

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);

test(
  'sixty days without drift raise no retrain in a hundred seeds',
  () => {
    const retrained = seeds(100).filter((seed) => firstRetrain({ ...FLIGHTS, seed }) !== null);
    expect(retrained).toEqual([]);
  },
  MINUTES_5,
);

test(
  'labels that turn around do, and a season of the inputs does not',
  () => {
    const after = (change: object) => (day: number) => (day - TRAINING_DAYS < MISHAP ? {} : change);
    for (const seed of seeds(6).map((it) => 1000 + it)) {
      const flipped = firstRetrain({ ...FLIGHTS, seed, on: after({ flipped: 0.3 }) });
      expect(flipped).toBeGreaterThanOrEqual(MISHAP);
      expect(flipped).toBeLessThanOrEqual(MISHAP + 9);
      expect(firstRetrain({ ...FLIGHTS, seed, on: after({ shift: 2 }) })).toBeNull();
    }
  },
  MINUTES_5,
);
