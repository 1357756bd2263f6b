import { formatInstant, type Micros } from '../../base/time.ts';
import type { Scratch } from '../../platform/analytics/port.ts';
import type { CompiledService } from './compiled.ts';
import { keyOf, type FeatureInputs } from './online-key.ts';
import { requestReads, totalOf } from './online-plan.ts';
import type { VerifyReport } from './online-contract.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { tableKey } from './tiles-catalog.ts';
import { windowStride } from './tiles-read.ts';
import { noTotals } from './verify-history.ts';
import { loggedVectors, type LoggedVector } from './verify-logged.ts';
import { VerifyCounts } from './verify-counts.ts';
import {
  loadRevisions,
  loadSeen,
  type LoadedRevisions,
  type Past,
  type RevisionDeps,
  type SourceViews,
} from './verify-revisions.ts';
import { viewHistories, type ViewHistory } from './verify-views.ts';

export interface VerifyInput {
  /** Every definition of the service that is kept; the first is the present one. */
  readonly definitions: readonly CompiledService[];
  /** T of the vectors, half-open. */
  readonly from: Micros;
  readonly until: Micros;
  readonly endpoint?: string;
}

export interface VerifyDeps extends RevisionDeps {
  readonly tables: DeltaTables;
}

/** Vectors recomputed before others may run on the engine's thread. */
const TURN_VECTORS = 2000;

/**
 * Recomputes logged vectors from the Delta tables, never from tiles: with what the tables held at
 * the logged versions, which must give the logged values, and with what they hold now, which tells
 * what events that came late would have changed.
 */
export async function verifyVectors(
  deps: VerifyDeps,
  input: VerifyInput,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const { definitions, from, until, endpoint } = input;
  const present = definitions[0]!;
  const logged = await loggedVectors(
    deps,
    { service: present.name, from, until, ...(endpoint === undefined ? {} : { endpoint }) },
    signal,
  );
  const counts = new VerifyCounts(present);
  counts.skip(logged.unreadable);
  const byDefinition = Map.groupBy(logged.vectors, ({ definition }) => definition);
  for (const [hash, vectors] of byDefinition) {
    const definition = definitions.find((it) => it.hash === hash);
    const known = definition === undefined ? [] : vectors.filter((it) => isWhole(it, definition));
    counts.skip(vectors.length - known.length);
    if (definition === undefined || known.length === 0) continue;
    const load = (scratch: Scratch, of: SourceViews, past: Past): Promise<LoadedRevisions> =>
      loadRevisions(deps, scratch, of, past);
    const loader = { ...deps, load };
    const own = await recomputation(loader, definition, known, signal);
    const isOther = hash !== present.hash;
    const other = isOther ? await recomputation(loader, present, known, signal) : null;
    for (const [index, vector] of known.entries()) {
      if (index % TURN_VECTORS === 0) {
        signal.throwIfAborted();
        await nextTurn();
      }
      const recomputed = own.vector(vector, 'known');
      const settled = own.hadSettled ? recomputed : own.vector(vector, 'now');
      counts.compare(definition, vector, { known: recomputed, settled });
      if (other !== null) {
        counts.compareDefinitions(definition, vector, other.vector(vector, 'known'));
      }
    }
  }
  const [start, end] = [formatInstant(from), formatInstant(until)];
  return counts.report({ from: start, until: end, isPartial: logged.isPartial });
}

export interface RecomputeInput {
  readonly service: CompiledService;
  readonly rows: readonly FeatureInputs[];
  /** T of all of them, microseconds. */
  readonly at: number;
  readonly watermarks: Readonly<Record<string, number>>;
}

/** Vectors of a service at T from its source tables, as they were at these versions. */
export async function recomputeVectors(
  deps: RevisionDeps,
  { service, rows, at, watermarks }: RecomputeInput,
  signal: AbortSignal,
): Promise<readonly (readonly (number | null)[])[]> {
  const asked = rows.map((inputs) => ({ inputs, time: at, watermarks }));
  const load = (scratch: Scratch, of: SourceViews, past: Past): Promise<LoadedRevisions> =>
    loadSeen(deps, scratch, { ...of, rows }, past);
  const found = await recomputation({ ...deps, load }, service, asked, signal);
  return asked.map((one) => found.vector(one, 'known'));
}

/** Lets messages of other tasks in. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function isWhole({ values, watermarks }: LoggedVector, definition: CompiledService): boolean {
  return (
    values.length === definition.features.length &&
    definition.views.every(({ source }) => Number.isSafeInteger(watermarks[tableKey(source.table)]))
  );
}

/** What a vector is computed from. */
type Asked = Pick<LoggedVector, 'inputs' | 'time' | 'watermarks'>;

interface Loader extends RevisionDeps {
  /** Brings what the views of one source need into a scratch table. */
  load(scratch: Scratch, of: SourceViews, past: Past): Promise<LoadedRevisions>;
}

async function recomputation(
  deps: Loader,
  service: CompiledService,
  vectors: readonly Asked[],
  signal: AbortSignal,
): Promise<Recomputation> {
  const histories = new Map<string, ViewHistory>();
  let [first, last] = [Infinity, -Infinity];
  for (const { time } of vectors) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const groups = Map.groupBy(service.views, ({ source }) => JSON.stringify(source));
  for (const views of groups.values()) {
    const { source } = views[0]!;
    const table = tableKey(source.table);
    const longest = Math.max(...views.flatMap((it) => it.windows.map((window) => window.micros)));
    const version = vectors.reduce(
      (least, { watermarks }) => Math.min(least, watermarks[table] ?? Infinity),
      Infinity,
    );
    if (version === Infinity) continue;
    const past = { from: first - longest, until: last, version };
    const of = { source, views };
    const found = await deps.analytics.scratch(
      async (scratch) => viewHistories(scratch, of, await deps.load(scratch, of, past), past),
      signal,
    );
    for (const [name, history] of found) histories.set(name, history);
  }
  return new Recomputation(service, histories);
}

/** Vectors of one definition, from what its source tables held. */
class Recomputation {
  readonly #service: CompiledService;
  readonly #views: readonly {
    readonly table: string;
    readonly keys: CompiledService['views'][number]['keys'];
    readonly windows: readonly number[];
    readonly history: ViewHistory;
    readonly empty: Float64Array;
    /** Filled anew for each vector. */
    readonly totals: Float64Array;
    readonly features: readonly {
      readonly position: number;
      readonly value: (totals: Float64Array) => number | null;
    }[];
  }[];
  readonly #requested: ReturnType<typeof requestReads>;
  #hadSettled = true;

  constructor(service: CompiledService, histories: ReadonlyMap<string, ViewHistory>) {
    this.#service = service;
    this.#requested = requestReads(service);
    this.#views = service.views.flatMap((view) => {
      const history = histories.get(view.name);
      if (history === undefined) return [];
      const windows = view.windows.toSorted((a, b) => a.micros - b.micros);
      const { expressions } = history;
      const features = service.features.flatMap((feature, position) => {
        if (feature.kind !== 'window' || feature.view !== view.name) return [];
        const window = windows.findIndex(({ name }) => name === feature.window);
        const aggregate = view.aggregates.find(({ name }) => name === feature.aggregate)!;
        const start = window * windowStride(expressions.length);
        return [{ position, value: totalOf(aggregate, start, expressions) }];
      });
      return [
        {
          table: tableKey(view.source.table),
          keys: view.keys,
          windows: windows.map((window) => window.micros),
          history,
          empty: noTotals(windows.length, expressions.length),
          totals: noTotals(windows.length, expressions.length),
          features,
        },
      ];
    });
  }

  /** Whether all that is known now gives the last vector, too. */
  get hadSettled(): boolean {
    return this.#hadSettled;
  }

  /** With the events known at the vector's watermarks, or with all that are known now. */
  vector({ inputs, time, watermarks }: Asked, as: 'known' | 'now'): readonly (number | null)[] {
    const values = this.#service.features.map((): number | null => null);
    this.#hadSettled = true;
    for (const view of this.#views) {
      const version = as === 'now' ? Infinity : (watermarks[view.table] ?? Infinity);
      const key = keyOf(view.keys, inputs);
      const history = key === null ? undefined : view.history.of(key);
      history?.totals(view.windows, { time, version: last(version) }, view.totals);
      const totals = history === undefined ? view.empty : view.totals;
      if (history?.hadSettled === false) this.#hadSettled = false;
      for (const { position, value } of view.features) values[position] = value(totals);
    }
    const row = { ...inputs, T: time };
    for (const { position, value } of this.#requested) values[position] = value(row);
    return values;
  }
}

/** A revision that still counts is seen until infinity, exclusive. */
function last(version: number): number {
  return Math.min(version, Number.MAX_SAFE_INTEGER);
}
