import { AppError } from '../../base/errors.ts';
import { formatInstant, micros, parseInstant, type Clock, type Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { DeclaredLabel, DeclaredLabels } from './declared-labels.ts';
import type { LabelSource, LabelStates } from './label-contract.ts';
import type { LabelSources } from './label-sources.ts';
import type { StoredLabelSource } from './label-sources-store.ts';
import type { PredictionLog } from './log.ts';
import type { PredictionTasks } from './tasks.ts';

export interface LabelServiceDeps {
  readonly sources: LabelSources;
  readonly declared: DeclaredLabels;
  readonly log: Pick<PredictionLog, 'flush'>;
  readonly engine: Engine<PredictionTasks>;
  readonly clock: Pick<Clock, 'now'>;
  readonly isEndpoint: (name: string) => Promise<boolean>;
}

const DAY = 24 * 3600 * 1_000_000;
/** What is shown when no time is given. */
const SHOWN_DAYS = 7;
const MICROS_PER_SECOND = 1_000_000;

export interface StatesQuery {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly at?: string | undefined;
  /** Only what this version of the endpoint's model answered. */
  readonly version?: number | undefined;
}

/** What became of the labels of requests. */
export class LabelService {
  readonly #deps: LabelServiceDeps;

  constructor(deps: LabelServiceDeps) {
    this.#deps = deps;
  }

  /** Joins what there is, and tells how far every source is. */
  async catchUp(): Promise<readonly (LabelSource & { readonly endpoint: string })[]> {
    const { sources, declared, clock } = this.#deps;
    await sources.catchUp(clock.now());
    const found = [];
    for (const { endpoint } of await declared.labels()) {
      const status = await sources.statusOf(endpoint);
      if (status !== null) found.push({ endpoint, ...toSource(status.label, status.joined) });
    }
    return found;
  }

  /** Only what was appended and answered before the call is sure to be in it after a `catchUp`. */
  async states(endpoint: string, query: StatesQuery): Promise<LabelStates> {
    const { sources, engine, log, clock, isEndpoint } = this.#deps;
    if (!(await isEndpoint(endpoint))) {
      throw new AppError('ENDPOINT_NOT_FOUND', `There is no endpoint ${endpoint}.`, {
        hint: 'See the endpoints with: millwright endpoints ls',
      });
    }
    const { from, until, at } = timesOf(query, clock.now());
    const status = await sources.statusOf(endpoint);
    await log.flush();
    const matureMicros = status?.label.matureMicros ?? null;
    const { version } = query;
    const of = version === undefined ? {} : { version };
    const input = { endpoint, from, until, at, matureMicros, ...of };
    const counts = await engine.run('predictions.label-states', input);
    const { requests, failed, matched, pending, expired, mature, matureMatched } = counts;
    return {
      endpoint,
      from: formatInstant(from),
      until: formatInstant(until),
      at: formatInstant(at),
      source: status === null ? null : toSource(status.label, status.joined),
      requests,
      failed,
      matched,
      pending,
      expired,
      mature,
      coverage: mature === 0 ? null : matureMatched / mature,
      delays:
        mature === 0
          ? []
          : counts.delays.map((delay) => ({
              seconds: delay.micros / MICROS_PER_SECOND,
              share: delay.known / mature,
            })),
    };
  }
}

function timesOf(
  query: StatesQuery,
  now: Micros,
): { readonly from: Micros; readonly until: Micros; readonly at: Micros } {
  const given = (text: string | undefined): Micros | null =>
    text === undefined ? null : parseInstant(text);
  const at = given(query.at) ?? now;
  const until = given(query.until) ?? at;
  const from = given(query.from) ?? micros(until - SHOWN_DAYS * DAY);
  if (from < until) return { from, until, at };
  throw new AppError('INVALID_INPUT', 'The time ends before it begins.', {
    hint: 'Give from before until.',
  });
}

function toSource(label: DeclaredLabel, joined: StoredLabelSource | null): LabelSource {
  const { namespace, name } = label.table;
  const newest = joined?.newest_at ?? null;
  return {
    label: label.name,
    table: `${namespace}.${name}`,
    matureSeconds: label.matureMicros / MICROS_PER_SECOND,
    version: joined?.table_version ?? null,
    rows: joined?.row_count ?? 0,
    matched: joined?.matched ?? 0,
    corrected: joined?.corrected ?? 0,
    orphans: joined?.orphans ?? 0,
    newestAt: newest === null ? null : formatInstant(newest),
    error: joined?.error ?? null,
  };
}
