import { toAppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { KvReader } from '../../platform/kv/port.ts';
import type { Log } from '../../platform/log/log.ts';
import { after } from '../../platform/system.ts';
import type { TableRef } from '../tables/delta-tables.ts';
import type { CompiledView } from './compiled.ts';
import type { FeatureWatermark } from './online-contract.ts';
import type { OnlineFeaturesTasks } from './online-tasks.ts';
import { readCatalog, readWatermark, tableKey } from './tiles-catalog.ts';

export interface OnlineIngestDeps {
  readonly engine: Engine<OnlineFeaturesTasks>;
  readonly kv: Pick<KvReader, 'get' | 'peek'>;
  readonly events: Pick<Events, 'consume'>;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  readonly log: Log;
  /** Views of all services that are, or may be, read online. */
  readonly views: () => Promise<readonly CompiledView[]>;
}

/** How soon what failed is tried again, when nothing else asks before. */
const RETRY_MS = 5000;
const SLICE_TIMEOUT_MS = 300_000;

/**
 * Keeps the online features up with their tables: asks the engine for slice after slice whenever
 * rows were appended, and at start. Safe to ask at any time: the engine takes what is new.
 */
export class OnlineIngest {
  readonly #deps: OnlineIngestDeps;
  readonly #stopping = new AbortController();
  readonly #errors = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  #running: Promise<void> | null = null;
  /** By table the newest version for which a run was asked. */
  readonly #followed = new Map<string, number>();
  #isStarted = false;
  /** Asked for while a run was under way, which may have passed by what is new. */
  #isAskedAgain = false;
  #cancelRetry: () => void = () => undefined;

  constructor(deps: OnlineIngestDeps) {
    this.#deps = deps;
  }

  /** Follows the tables from now on; what happened before is caught up with at once. */
  async start(): Promise<void> {
    await this.#deps.events.consume(
      'features.ingest',
      async ({ kind, subject, data }) => {
        const isDefinition = kind === 'features.applied';
        if (kind !== 'table.appended' && !isDefinition) return;
        if (!isDefinition) {
          await this.#follow(subject.slice('table/'.length), Number(data['version']));
        } else await this.run().catch(() => undefined);
      },
      { from: 'next' },
    );
    this.#isStarted = true;
    this.request();
  }

  /** Begins to follow at once what the event will tell of. */
  appended(ref: TableRef, version: number): void {
    if (this.#isStarted) void this.#follow(tableKey(ref), version);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#cancelRetry();
    for (const wake of this.#waiting) wake();
    await this.#running?.catch(() => undefined);
  }

  /**
   * Resolves when everything that was in the tables before the call is in the online store, but for
   * tables that cannot be taken: `watermarks` tells why. Rejects when the engine cannot be reached.
   */
  async run(): Promise<void> {
    if (this.#running !== null) this.#isAskedAgain = true;
    this.#running ??= this.#untilDone().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  /**
   * As `run`, without waiting for it. Nothing before the start: not everything that answers has
   * said by then what it answers with, and tiles that nobody wants are dropped.
   */
  request(): void {
    if (!this.#isStarted) return;
    this.run().catch(() => undefined);
  }

  /** Builds everything anew; resolves when that has begun. */
  async rebuild(): Promise<{ readonly views: number }> {
    await this.run();
    const views = await this.#deps.views();
    await this.#slice({ views, rebuild: true });
    this.request();
    return { views: views.length };
  }

  watermarks(): readonly FeatureWatermark[] {
    const { kv } = this.#deps;
    const tables = new Map<string, FeatureWatermark>();
    for (const build of readCatalog(kv)?.builds ?? []) {
      const table = tableKey(build.table);
      const known = tables.get(table);
      const names = build.views.map(({ name }) => name);
      const isRead = build.state !== 'filling';
      const own = isRead ? (readWatermark(kv, build.id)?.version ?? null) : null;
      tables.set(table, {
        table,
        version: lower(known?.version ?? null, own),
        views: [...(known?.views ?? []), ...(isRead ? names : [])],
        building: [...(known?.building ?? []), ...(isRead ? [] : names)],
        error: this.#errors.get(table) ?? null,
      });
    }
    return [...tables.values()].sort((a, b) => (a.table < b.table ? -1 : 1));
  }

  /** True once the table is shown at least at this version; false when the time was over before. */
  async reaches(
    want: { readonly table: string; readonly version: number },
    within: { readonly ms: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const start = this.#deps.clock.elapsed();
    const views = await this.#viewsOf(want.table);
    while (!this.#shows(views, want.version)) {
      const left = within.ms - (this.#deps.clock.elapsed() - start);
      if (left <= 0 || within.signal.aborted || this.#stopping.signal.aborted) return false;
      await this.#turn(left, within.signal);
    }
    return true;
  }

  /** Resolves when the version is shown, or cannot be for now. */
  async #follow(table: string, version: number): Promise<void> {
    if (this.#shows(await this.#viewsOf(table), version)) return;
    // A run that began when the version was there already passes by it.
    if (this.#running === null || (this.#followed.get(table) ?? -1) < version) {
      this.#followed.set(table, version);
      void this.run().catch(() => undefined);
    }
    await this.#running?.catch(() => undefined);
  }

  /** Hashes of the views over a table: of one that is no source there is nothing to wait for. */
  async #viewsOf(table: string): Promise<readonly string[]> {
    const views = await this.#deps.views();
    return views.filter(({ source }) => tableKey(source.table) === table).map(({ hash }) => hash);
  }

  /** Whether all these views can be read and show at least this version of their table. */
  #shows(hashes: readonly string[], version: number): boolean {
    const { kv } = this.#deps;
    const shown = (readCatalog(kv)?.builds ?? []).filter(
      ({ id, state }) => state !== 'filling' && (readWatermark(kv, id)?.version ?? -1) >= version,
    );
    return hashes.every((hash) =>
      shown.some(({ views }) => views.some((view) => view.hash === hash)),
    );
  }

  /** Waits until a slice is done, the time is over or the client has gone. */
  async #turn(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = after(ms, wake);
      signal.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }

  async #untilDone(): Promise<void> {
    const { log, kv } = this.#deps;
    this.#cancelRetry();
    try {
      for (;;) {
        this.#isAskedAgain = false;
        const views = await this.#deps.views();
        // An engine without work stays small.
        if (views.length === 0 && readCatalog(kv) === null) return;
        const isDone = await this.#slice({ views });
        if (this.#stopping.signal.aborted) return;
        if (this.#errors.size > 0 && !this.#isAskedAgain) return this.#retryLater();
        if (isDone && !this.#isAskedAgain) return;
      }
    } catch (thrown) {
      const error = toAppError(thrown);
      if (this.#stopping.signal.aborted) return;
      log.warn('features.ingest.failed', { code: error.code, error: error.message });
      this.#retryLater();
      throw thrown;
    }
  }

  async #slice(input: {
    readonly views: readonly CompiledView[];
    readonly rebuild?: boolean;
  }): Promise<boolean> {
    const { engine, clock, log } = this.#deps;
    const { signal } = this.#stopping;
    const start = clock.elapsed();
    const { done, rows, failures } = await engine.run(
      'features.ingest',
      { ...input, now: clock.now() },
      { timeoutMs: SLICE_TIMEOUT_MS, signal },
    );
    for (const { table, error } of failures) {
      if (this.#errors.get(table) !== error) log.error('features.ingest.failed', { table, error });
    }
    this.#errors.clear();
    for (const { table, error } of failures) this.#errors.set(table, error);
    const ms = Math.round(clock.elapsed() - start);
    if (rows > 0) log.debug('features.ingested', { rows, duration_ms: ms });
    for (const wake of this.#waiting) wake();
    return done;
  }

  #retryLater(): void {
    if (this.#stopping.signal.aborted) return;
    this.#cancelRetry = after(RETRY_MS, () => {
      this.request();
    });
  }
}

function lower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
