import { blockJackknife } from '../../base/stats/block-jackknife.ts';
import { studentQuantile } from '../../base/stats/student-t.ts';
import { micros, type Micros } from '../../base/time.ts';
import { isWhole, type CohortDay } from './cohort.ts';
import type { QualitySpec } from './contract.ts';
import { DayCohorts } from './day-cohorts.ts';
import { sliceFile, type EvaluateDeps, type StoredSlice } from './evaluate.ts';
import { DAY_MICROS, slicesOf, spanDays, type Period } from './periods.ts';
import { fitsMetric, qualityStatistic } from './quality-statistic.ts';

export interface QualityDaysInput extends Period {
  readonly endpoint: string;
  readonly spec: QualitySpec;
  /** How often the monitor is evaluated, microseconds. */
  readonly every: number;
}

/** One version on one day; `labelled` null while its labels may still come. */
export interface QualityDayFound extends Period {
  readonly version: number;
  readonly requests: number;
  readonly labelled: number | null;
  readonly isWhole: boolean;
  readonly value: number | null;
  readonly window: {
    readonly value: number;
    readonly lower: number;
    readonly upper: number;
    readonly days: number;
  } | null;
}

export interface QualityDaysFound {
  readonly matureUntil: Micros | null;
  readonly days: readonly QualityDayFound[];
}

/** Two-sided, as quality references have it. */
const LEVEL = 0.975;

/** Quality by day and version from what evaluations have kept. */
export async function qualityDays(
  deps: Pick<EvaluateDeps, 'files' | 'readRows'>,
  input: QualityDaysInput,
): Promise<QualityDaysFound> {
  const { endpoint, spec, from, until } = input;
  // The first days' windows reach back before them.
  const reach = micros(from - 2 * spanDays(spec.window) * DAY_MICROS);
  const kept = await new DayCohorts(deps).kept({ endpoint, from: reach, until });
  const mature = measuredDays(kept.cohorts, spec).filter((day) => day.from >= from);
  const waiting = await waitingDays(deps, { ...input, from: kept.until ?? from });
  return { matureUntil: kept.until, days: [...mature, ...waiting].toSorted(byTime) };
}

/** Each day by itself, and the window that ends with it. */
export function measuredDays(
  cohorts: readonly CohortDay[],
  spec: QualitySpec,
): readonly QualityDayFound[] {
  const length = spanDays(spec.window);
  const whole = new Map<number, CohortDay[]>();
  return cohorts.map((cohort) => {
    const { from, until, version, requests, labelled } = cohort;
    const day = { from, until, version, requests, labelled };
    if (!isWhole(cohort, spec.coverage)) {
      return { ...day, isWhole: false, value: null, window: null };
    }
    const days = [...(whole.get(version) ?? []), cohort].slice(-length);
    whole.set(version, days);
    if (!fitsMetric(spec.metric, days)) {
      return { ...day, isWhole: true, value: null, window: null };
    }
    const alone = qualityStatistic(spec.metric, [cohort]);
    const value = alone.blocks === 0 ? null : alone.at(new Float64Array(alone.blocks).fill(1));
    return { ...day, isWhole: true, value, window: days.length < length ? null : windowOf(days) };

    function windowOf(of: readonly CohortDay[]): QualityDayFound['window'] {
      const found = blockJackknife(qualityStatistic(spec.metric, of));
      if (found === null) return null;
      const error = found.standardError * studentQuantile(LEVEL, of.length - 1);
      const bounds = { lower: found.value - error, upper: found.value + error };
      return { value: found.value, ...bounds, days: of.length };
    }
  });
}

/** Days whose labels may still come: only how much was answered is known of them. */
async function waitingDays(
  { files }: Pick<EvaluateDeps, 'files'>,
  { endpoint, from, until, every }: QualityDaysInput,
): Promise<readonly QualityDayFound[]> {
  const days = new Map<string, QualityDayFound>();
  const first = micros(Math.floor(from / DAY_MICROS) * DAY_MICROS);
  for (const period of slicesOf({ from: first, until }, every)) {
    const stored = await files.read<StoredSlice>(endpoint, sliceFile(period), (value) => value);
    for (const { version, requests, errors } of stored?.slices ?? []) {
      const start = micros(Math.floor(period.from / DAY_MICROS) * DAY_MICROS);
      const known = days.get(`${start}/${version}`);
      days.set(`${start}/${version}`, {
        from: start,
        until: micros(start + DAY_MICROS),
        version,
        requests: (known?.requests ?? 0) + requests - errors,
        labelled: null,
        isWhole: false,
        value: null,
        window: null,
      });
    }
  }
  return [...days.values()];
}

function byTime(a: QualityDayFound, b: QualityDayFound): number {
  return a.from - b.from || a.version - b.version;
}
