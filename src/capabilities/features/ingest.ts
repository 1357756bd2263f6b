import { toAppError } from '../../base/errors.ts';
import type { Clock, Micros } from '../../base/time.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { KvChange, KvWriter } from '../../platform/kv/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { Evaluate } from '../../formats/expression/evaluate.ts';
import type { CompiledView } from './compiled.ts';
import { ingestChanges } from './ingest-changes.ts';
import { IngestFill } from './ingest-fill.ts';
import { IngestPrune } from './ingest-prune.ts';
import { evaluatorsOf, recentEvents } from './recent-events.ts';
import { readEvents, type EventRows, type TableAddition } from './ingest-rows.ts';
import {
  abandonedKeys,
  catalogChanges,
  EMPTY_CATALOG,
  promoted,
  readCatalog,
  readWatermark,
  reconciled,
  replacing,
  tableKey,
  watermarkChange,
  type Build,
  type Catalog,
} from './tiles-catalog.ts';
import { FEATURES, prefixEnd } from './tiles-keys.ts';

export interface IngestDeps {
  readonly tables: Pick<DeltaTables, 'head' | 'files' | 'additionsAfter' | 'recentFile'>;
  readonly analytics: Pick<Analytics, 'select'>;
  readonly kv: KvWriter;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly faults: Faults;
}

export interface IngestInput {
  /** Views that are to have tiles; those of others are dropped. */
  readonly views: readonly CompiledView[];
  /** Domain time: events too old for any window at it are forgotten. */
  readonly now: Micros;
  /** Builds everything anew from the tables, while what is there is read on. */
  readonly rebuild?: boolean;
}

export interface IngestOutcome {
  /** False when there is more to do at once: the task stops after a while to let others run. */
  readonly done: boolean;
  /** Rows read by this call. */
  readonly rows: number;
  /** What kept tables back, one message each. */
  readonly failures: readonly { readonly table: string; readonly error: string }[];
}

/** How long one call works before it hands back: the log's flush waits for the same thread. */
const SLICE_MS = 1000;
/** Rows of commits that are taken in one step, so that many small appends cost one. */
const STEP_ROWS = 50_000;
/** Commits looked at in one step. */
const STEP_COMMITS = 1000;
/**
 * Rows of one commit that are taken at once, so that readers see all of it or nothing: each costs
 * about a kilobyte of memory. A larger commit is taken by filling new tiles, which replace the old
 * ones when they are full.
 */
const ATOMIC_ROWS_MAX = 300_000;

/**
 * Keeps the tiles up with their tables. All builds of a table that are read move from one version
 * to the next in one atomic change, watermark included: whenever it is killed, what it has not
 * finished it begins again.
 */
export class FeatureIngest {
  readonly #deps: IngestDeps;
  readonly #fill: IngestFill;
  readonly #prune: IngestPrune;
  #turn: Promise<unknown> = Promise.resolve();
  #first = 0;

  constructor(deps: IngestDeps) {
    this.#deps = deps;
    this.#fill = new IngestFill(deps);
    this.#prune = new IngestPrune(deps.kv);
  }

  /** One slice of the work; calls run one after the other. */
  async run(input: IngestInput, signal: AbortSignal): Promise<IngestOutcome> {
    const turn = this.#turn.then(() => this.#run(input, signal));
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  async #run(input: IngestInput, signal: AbortSignal): Promise<IngestOutcome> {
    const { kv, clock } = this.#deps;
    const start = clock.elapsed();
    const slice: Slice = {
      now: input.now,
      signal,
      rows: 0,
      evaluators: evaluatorsOf(input.views),
      isOver: () => signal.aborted || clock.elapsed() - start > SLICE_MS,
    };
    const catalog = await this.#catalog(input);
    const failures: { table: string; error: string }[] = [];
    /** Thrown when the other tables had their turn. */
    const fatal: unknown[] = [];
    let isDone = true;
    const tables = [...tablesOf(catalog)];
    // Another one is first each time, so that a table without end does not keep the others waiting.
    this.#first += 1;
    for (let index = 0; index < tables.length; index += 1) {
      if (index > 0 && slice.isOver()) return { done: false, rows: slice.rows, failures };
      const table = tables[(this.#first + index) % tables.length]!;
      try {
        isDone = (await this.#advance(table, slice)) && isDone;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = toAppError(thrown);
        if (error.code === 'TABLE_NOT_FOUND') continue;
        if (error.code === 'INTERNAL' || error.code === 'DISK_FULL') fatal.push(thrown);
        if (error.code === 'FEATURES_DAMAGED') {
          await this.#replace(table);
          isDone = false;
        }
        failures.push({ table, error: error.message });
      }
    }
    if (fatal.length > 0) throw fatal[0];
    for (;;) {
      const hasMore = await this.#prune.step(readCatalog(kv) ?? EMPTY_CATALOG, input.now);
      if (!hasMore) return { done: isDone, rows: slice.rows, failures };
      if (slice.isOver()) return { done: false, rows: slice.rows, failures };
    }
  }

  /** The catalog with the wanted views; a new one when there is none, or none that can be read. */
  async #catalog({ views, rebuild = false }: IngestInput): Promise<Catalog> {
    const { kv } = this.#deps;
    const before = readCatalog(kv);
    if (before === null) await clear(kv);
    let catalog = reconciled(before ?? EMPTY_CATALOG, views);
    if (rebuild) catalog = replacing(catalog, servingIds(catalog));
    if (catalog !== before) await this.#put(before ?? EMPTY_CATALOG, catalog);
    return catalog;
  }

  async #put(before: Catalog, catalog: Catalog, changes: readonly KvChange[] = []): Promise<void> {
    const { kv } = this.#deps;
    const abandoned = abandonedKeys(before, catalog);
    await kv.apply([...changes, ...catalogChanges(catalog), ...abandoned]);
  }

  /** Brings one table's builds up to its newest version; false when the slice ended before. */
  async #advance(table: string, slice: Slice): Promise<boolean> {
    const { kv, tables } = this.#deps;
    const builds = (): readonly Build[] => buildsOf(readCatalog(kv) ?? EMPTY_CATALOG, table);
    const { table: ref } = builds()[0]!;
    const head = await tables.head(ref);
    const serving = builds().filter(({ state }) => state === 'serving');
    const isOther = serving.some(
      ({ id, tableId }) =>
        tableId !== head.tableId || (readWatermark(kv, id)?.version ?? Infinity) > head.version,
    );
    const followed =
      isOther || serving.length === 0 ? null : await this.#follow(serving, head.version, slice);
    if (followed === 'interrupted') return false;
    if (isOther || followed === 'impossible') await this.#replace(table);
    const filling = builds().filter(({ state }) => state === 'filling');
    if (filling.length === 0) return true;
    const files = await tables.files(ref);
    for (const build of filling) {
      if (!(await this.#fill.fill(build, files, slice))) return false;
    }
    return await this.#promote(table, slice);
  }

  /**
   * Takes what was added, at least to the version `seen` of the table; impossible when additions do
   * not tell what happened to it.
   */
  async #follow(
    builds: readonly Build[],
    seen: number,
    slice: Slice,
  ): Promise<'done' | 'interrupted' | 'impossible'> {
    const { kv, tables } = this.#deps;
    const { table } = builds[0]!;
    for (;;) {
      const version = readWatermark(kv, builds[0]!.id)!.version;
      const after = { version, seen, limit: STEP_COMMITS };
      const additions = await tables.additionsAfter(table, after);
      if (additions === null) return 'impossible';
      if (additions.length === 0) return 'done';
      for (const step of steps(additions)) {
        if (step.rows > ATOMIC_ROWS_MAX) return 'impossible';
        await this.#take(builds, step, slice);
        if (slice.isOver()) return 'interrupted';
      }
      // What was appended meanwhile is asked for by itself.
      if (additions.length < STEP_COMMITS) return 'done';
    }
  }

  /** Takes what some commits added into all these builds, and their watermark, in one change. */
  async #take(builds: readonly Build[], step: TableAddition, slice: Slice): Promise<void> {
    const { kv, faults } = this.#deps;
    const changes: KvChange[] = [];
    for (const build of builds) {
      const { forgottenBefore } = readWatermark(kv, build.id)!;
      if (step.files.length > 0) {
        const rows = await this.#rowsOf(build, step, slice);
        slice.rows += rows.ids.length;
        for (const change of ingestChanges(kv, build, { rows, forgottenBefore })) {
          changes.push(change);
        }
      }
      changes.push(watermarkChange(build.id, { version: step.version, forgottenBefore }));
    }
    faults.hit('ingest.before-apply');
    await kv.apply(changes);
    faults.hit('ingest.after-apply');
  }

  async #rowsOf(build: Build, { files }: TableAddition, slice: Slice): Promise<EventRows> {
    const { tables, analytics } = this.#deps;
    const { evaluators, signal } = slice;
    const recent = recentEvents(tables, build, { files, evaluators });
    if (recent !== null) return recent;
    const { columns } = await tables.head(build.table);
    const pieces: EventRows[] = [];
    for await (const piece of readEvents(analytics, build, { files, columns, signal })) {
      pieces.push(piece);
    }
    return joined(pieces, build);
  }

  /**
   * Lets full builds be read from now on. They must show the version that the other builds of the
   * table show, because one request reads all of them as one table.
   */
  async #promote(table: string, slice: Slice): Promise<boolean> {
    const { kv, faults } = this.#deps;
    const catalog = readCatalog(kv) ?? EMPTY_CATALOG;
    const builds = buildsOf(catalog, table);
    const filling = builds.filter(({ state }) => state === 'filling');
    for (const build of filling) {
      const followed = await this.#follow([build], Infinity, slice);
      if (followed === 'impossible') await this.#replace(table);
      if (followed !== 'done') return false;
    }
    const read = [...filling, ...builds.filter(({ state }) => state === 'serving')];
    const versions = new Set(read.map(({ id }) => readWatermark(kv, id)?.version));
    // Somebody appended meanwhile: the next slice brings all of them to one version.
    if (versions.size > 1) return false;
    const full = promoted(catalog, new Set(filling.map(({ id }) => id)));
    faults.hit('ingest.before-promote');
    await this.#put(catalog, full);
    return true;
  }

  async #replace(table: string): Promise<void> {
    const { kv } = this.#deps;
    const catalog = readCatalog(kv) ?? EMPTY_CATALOG;
    const builds = buildsOf(catalog, table).filter(({ state }) => state !== 'stale');
    await this.#put(catalog, replacing(catalog, new Set(builds.map(({ id }) => id))));
  }
}

/** One call's share of the work. */
export interface Slice {
  readonly now: Micros;
  readonly signal: AbortSignal;
  rows: number;
  /** Of the expressions of the views that are wanted. */
  readonly evaluators: ReadonlyMap<string, Evaluate>;
  readonly isOver: () => boolean;
}

/** Neighbouring commits that together have few rows are one step. */
function steps(additions: readonly TableAddition[]): readonly TableAddition[] {
  const found: TableAddition[] = [];
  for (const addition of additions) {
    const last = found.at(-1);
    if (last === undefined || last.rows + addition.rows > STEP_ROWS) found.push(addition);
    else {
      const { version } = addition;
      const files = [...last.files, ...addition.files];
      found[found.length - 1] = { version, files, rows: last.rows + addition.rows };
    }
  }
  return found;
}

function joined(pieces: readonly EventRows[], build: Build): EventRows {
  return {
    ids: pieces.flatMap(({ ids }) => ids),
    times: pieces.flatMap(({ times }) => times),
    keys: build.keys.map((_, index) => pieces.flatMap(({ keys }) => keys[index]!)),
    values: build.expressions.map((_, index) => pieces.flatMap(({ values }) => values[index]!)),
  };
}

function servingIds({ builds }: Catalog): ReadonlySet<number> {
  return new Set(builds.filter(({ state }) => state === 'serving').map(({ id }) => id));
}

function tablesOf({ builds }: Catalog): ReadonlySet<string> {
  return new Set(builds.map(({ table }) => tableKey(table)));
}

function buildsOf({ builds }: Catalog, table: string): readonly Build[] {
  return builds.filter((build) => tableKey(build.table) === table);
}

/** Removes everything of features, a bounded number of keys at a time. */
async function clear(kv: KvWriter): Promise<void> {
  const bounds = { from: FEATURES, to: prefixEnd(FEATURES), limit: 2000 };
  for (;;) {
    const found = kv.range(bounds);
    if (found.length === 0) return;
    await kv.apply(found.map(({ key }) => ({ key, value: null })));
  }
}
