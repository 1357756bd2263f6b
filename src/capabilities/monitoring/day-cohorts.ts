import { micros, type Micros } from '../../base/time.ts';
import {
  cohortsOf,
  decodeCohort,
  encodeCohort,
  isWhole,
  type CohortDay,
  type StoredCohort,
} from './cohort.ts';
import type { QualitySpec } from './contract.ts';
import { REFERENCE_DAYS_MAX } from './judge-quality.ts';
import { DAY_MICROS, spanDays, type Period } from './periods.ts';
import type { ReadRows } from './rows-port.ts';
import type { SummaryFiles } from './summary-files.ts';

/** Days before a monitor's first evaluation that it looks at. */
const BACKFILL_DAYS = 60;
/** How long a day without enough labels is looked at again: sources come back. */
const RETRY_DAYS = 14;

/** Counts of a cohort day, without its rows. */
type CohortCounts = Omit<CohortDay, 'scores' | 'labels'>;

interface CohortIndex {
  /** Days before it have been looked at. */
  readonly until: Micros;
  readonly cohorts: readonly CohortCounts[];
}

const INDEX = 'cohorts';

export interface CohortRequest {
  readonly endpoint: string;
  readonly at: Micros;
  readonly matureMicros: number;
  readonly spec: QualitySpec;
}

/**
 * The mature days of an endpoint, each read once: a day is kept as it is once it has its labels,
 * and looked at again for two weeks while it has not.
 */
export class DayCohorts {
  readonly #files: SummaryFiles;
  readonly #readRows: ReadRows;

  constructor(deps: { readonly files: SummaryFiles; readonly readRows: ReadRows }) {
    this.#files = deps.files;
    this.#readRows = deps.readRows;
  }

  /**
   * All mature days in the order of time; rows only of those that quality is computed from, which
   * are the first and the newest whole ones of each version.
   */
  async upTo(request: CohortRequest, signal: AbortSignal): Promise<readonly CohortDay[]> {
    const { endpoint, at, matureMicros } = request;
    const mature = micros(Math.floor((at - matureMicros) / DAY_MICROS) * DAY_MICROS);
    const first = micros(mature - BACKFILL_DAYS * DAY_MICROS);
    const known = await this.#index(endpoint);
    const cohorts = new Map<Micros, readonly CohortCounts[]>();
    for (const one of known?.cohorts ?? []) {
      if (one.until <= mature) cohorts.set(one.from, [...(cohorts.get(one.from) ?? []), one]);
    }
    const from = Math.min(known?.until ?? first, mature);
    const retried = micros(mature - RETRY_DAYS * DAY_MICROS);
    const again = [...cohorts]
      .filter(([day, of]) => day >= retried && day < from && !isLabelled(of, request.spec))
      .map(([day]) => day);
    const fresh: Micros[] = [];
    for (let day = from; day < mature; day += DAY_MICROS) fresh.push(micros(day));
    for (const day of [...again, ...fresh]) {
      cohorts.set(day, await this.#read(request, day, signal));
    }
    const counts = [...cohorts].sort(([a], [b]) => a - b).flatMap(([, of]) => of);
    if (again.length + fresh.length > 0 && mature >= (known?.until ?? mature)) {
      const value: CohortIndex = { until: mature, cohorts: counts };
      await this.#files.write(endpoint, INDEX, { value, encode: same });
    }
    return await this.#withRows(request, counts, signal);
  }

  /**
   * The days of a period that evaluations have kept, with their rows; reads nothing new. `until` is
   * where the days end that have had time for their labels; null before the first evaluation.
   */
  async kept({ endpoint, from, until }: Period & { readonly endpoint: string }): Promise<{
    readonly until: Micros | null;
    readonly cohorts: readonly CohortDay[];
  }> {
    const known = await this.#index(endpoint);
    const found: CohortDay[] = [];
    const days = new Set(known?.cohorts.map((one) => one.from));
    for (const day of [...days].sort((a, b) => a - b)) {
      if (day < from || day >= until) continue;
      found.push(...((await this.#stored(endpoint, day)) ?? []));
    }
    return { until: known?.until ?? null, cohorts: found };
  }

  async #stored(endpoint: string, day: Micros): Promise<readonly CohortDay[] | null> {
    const decode = (stored: readonly StoredCohort[]) => stored.map(decodeCohort);
    return await this.#files.read(endpoint, fileOf(day), decode);
  }

  async #index(endpoint: string): Promise<CohortIndex | null> {
    return await this.#files.read<CohortIndex>(endpoint, INDEX, same);
  }

  async #read(
    { endpoint, at }: CohortRequest,
    from: Micros,
    signal: AbortSignal,
  ): Promise<readonly CohortCounts[]> {
    const day = { from, until: micros(from + DAY_MICROS) };
    const rows = await this.#readRows({ endpoint, ...day, at, layouts: [] }, signal);
    const value = cohortsOf(rows, day);
    if (value.length > 0) {
      const encode = (all: readonly CohortDay[]) => all.map(encodeCohort);
      await this.#files.write(endpoint, fileOf(from), { value, encode });
    }
    return value.map(countsOf);
  }

  async #withRows(
    request: CohortRequest,
    counts: readonly CohortCounts[],
    signal: AbortSignal,
  ): Promise<readonly CohortDay[]> {
    const needed = neededDays(counts, request.spec);
    const days = new Map<Micros, readonly CohortDay[]>();
    for (const { from, version } of counts) {
      if (!needed.has(`${version}/${from}`) || days.has(from)) continue;
      let found = await this.#stored(request.endpoint, from);
      if (found === null) {
        // The file is gone, the index is not.
        await this.#read(request, from, signal);
        found = await this.#stored(request.endpoint, from);
      }
      days.set(from, found ?? []);
    }
    return counts.map(
      (one) =>
        days.get(one.from)?.find(({ version }) => version === one.version) ?? {
          ...one,
          scores: NONE,
          labels: NONE,
        },
    );
  }
}

const NONE = new Float64Array(0);

function countsOf({ from, until, version, requests, labelled }: CohortDay): CohortCounts {
  return { from, until, version, requests, labelled };
}

/** Whether the day as a whole has its labels: a version with a handful of rows may lack some. */
function isLabelled(of: readonly CohortCounts[], { coverage }: QualitySpec): boolean {
  const requests = of.reduce((sum, one) => sum + one.requests, 0);
  const labelled = of.reduce((sum, one) => sum + one.labelled, 0);
  return labelled >= coverage * requests;
}

/** Version and day of the first and newest whole days of each version. */
function neededDays(counts: readonly CohortCounts[], spec: QualitySpec): ReadonlySet<string> {
  const days = spanDays(spec.window);
  const byVersion = Map.groupBy(
    counts.filter((one) => isWhole(one, spec.coverage)),
    ({ version }) => version,
  );
  const needed = new Set<string>();
  for (const [version, whole] of byVersion) {
    const kept = [...whole.slice(0, REFERENCE_DAYS_MAX), ...whole.slice(-days)];
    for (const { from } of kept) needed.add(`${version}/${from}`);
  }
  return needed;
}

function fileOf(day: Micros): string {
  return `cohorts/${day / DAY_MICROS}`;
}

function same<Value>(value: Value): Value {
  return value;
}
