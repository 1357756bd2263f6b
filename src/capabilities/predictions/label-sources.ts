import { toAppError } from '../../base/errors.ts';
import { micros, type Clock, type Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { Log } from '../../platform/log/log.ts';
import { after, every } from '../../platform/system.ts';
import type { DeclaredLabel, DeclaredLabels } from './declared-labels.ts';
import type { LabelSourcesStore, StoredLabelSource } from './label-sources-store.ts';
import type { PredictionLog } from './log.ts';
import type { PredictionTasks } from './tasks.ts';

export interface LabelSourcesDeps {
  readonly declared: DeclaredLabels;
  readonly store: LabelSourcesStore;
  readonly engine: Engine<PredictionTasks>;
  readonly log: Pick<PredictionLog, 'flush'>;
  readonly events: Pick<Events, 'consume'>;
  readonly clock: Pick<Clock, 'now' | 'wall'>;
  readonly logger: Log;
}

/** How soon rows of a source become labels by themselves. */
const INTERVAL_MS = 5000;
/** How long a stop waits for what is under way, which may wait for a flush by a hung engine. */
const CLOSE_WAIT_MS = 5000;
/** Reading a table of a hundred million rows for the first time takes minutes. */
const JOIN_TIMEOUT_MS = 3600 * 1000;

/** Turns rows of declared sources into labels, and knows how far that is. */
export class LabelSources {
  readonly #deps: LabelSourcesDeps;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #stopping = new AbortController();
  #isWanted = true;
  #isRunning = false;
  #stop: () => void = () => undefined;
  readonly #told = new Map<string, string>();

  constructor(deps: LabelSourcesDeps) {
    this.#deps = deps;
  }

  /** Follows the tables from now on; what happened before is joined with the first turn. */
  async start(): Promise<void> {
    await this.#deps.events.consume(
      'predictions.labels',
      async ({ kind }) => {
        // Nothing is awaited here: a step of a replay clock waits for every consumer.
        if (kind === 'table.appended' || kind === 'workspace.applied') this.#isWanted = true;
        await Promise.resolve();
      },
      { from: 'next' },
    );
    this.#stop = every(INTERVAL_MS, () => {
      if (!this.#isWanted || this.#isRunning) return;
      this.catchUp(this.#deps.clock.now()).catch(() => undefined);
    });
  }

  async close(): Promise<void> {
    this.#stop();
    this.#stopping.abort();
    await new Promise<void>((resolve) => {
      const cancel = after(CLOSE_WAIT_MS, resolve);
      const finish = (): void => {
        cancel();
        resolve();
      };
      this.#turn.then(finish, finish);
    });
  }

  /**
   * Joins every row that was in a source's table before the call, for every request answered before
   * it; `at` is when that becomes known. One source that cannot be joined holds up no other: its
   * status says why. Rejects when the engine cannot be reached.
   */
  async catchUp(at: Micros): Promise<void> {
    const turn = this.#turn.then(() => this.#catchUp(at));
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  /** The declared label of an endpoint, and how far it was joined; null without one. */
  async statusOf(
    endpoint: string,
  ): Promise<{ readonly label: DeclaredLabel; readonly joined: StoredLabelSource | null } | null> {
    const { declared, store } = this.#deps;
    const label = (await declared.labels()).find((one) => one.endpoint === endpoint);
    if (label === undefined) return null;
    const joined = await store.find(endpoint);
    return { label, joined: joined?.label === label.name ? joined : null };
  }

  async #catchUp(at: Micros): Promise<void> {
    const { declared, log, logger } = this.#deps;
    this.#isRunning = true;
    this.#isWanted = false;
    try {
      const labels = await declared.labels();
      if (labels.length === 0) return;
      await log.flush();
      for (const label of labels) await this.#join(label, at);
    } catch (thrown) {
      this.#isWanted = true;
      if (this.#stopping.signal.aborted) return;
      const { code, message } = toAppError(thrown);
      logger.warn('predictions.labels.failed', { code, error: message });
      throw thrown;
    } finally {
      this.#isRunning = false;
    }
  }

  async #join(label: DeclaredLabel, now: Micros): Promise<void> {
    const { engine, clock } = this.#deps;
    const { signal } = this.#stopping;
    const options = { timeoutMs: JOIN_TIMEOUT_MS, signal };
    try {
      for (;;) {
        const input = { label, now, wall: clock.wall() };
        const { done, progress } = await engine.run('predictions.join-labels', input, options);
        if (!done) continue;
        await this.#tell(label, progress, null);
        return;
      }
    } catch (thrown) {
      const error = toAppError(thrown);
      signal.throwIfAborted();
      if (!OF_SOURCE.has(error.code)) throw thrown;
      await this.#tell(label, null, error.message);
    }
  }

  /** Keeps what the engine said; with an error what it had said before. */
  async #tell(
    label: DeclaredLabel,
    progress: PredictionTasks['predictions.join-labels']['output']['progress'],
    error: string | null,
  ): Promise<void> {
    const { store, clock } = this.#deps;
    const { endpoint, name, table, matureMicros } = label;
    const former = error === null ? null : await store.find(endpoint);
    const { namespace, name: tableName } = table;
    const source = {
      endpoint,
      label: name,
      source_table: `${namespace}.${tableName}`,
      mature_us: matureMicros,
      table_version: progress?.version ?? former?.table_version ?? null,
      row_count: progress?.rows ?? former?.row_count ?? 0,
      matched: progress?.matched ?? former?.matched ?? 0,
      corrected: progress?.corrected ?? former?.corrected ?? 0,
      orphans: progress?.orphans ?? former?.orphans ?? 0,
      newest_at:
        progress?.newestAt == null ? (former?.newest_at ?? null) : micros(progress.newestAt),
      error,
    };
    const said = JSON.stringify(source);
    if (this.#told.get(endpoint) === said) return;
    await store.put({ ...source, updated_wall: clock.wall() });
    this.#told.set(endpoint, said);
  }
}

/** What concerns one source only. */
const OF_SOURCE: ReadonlySet<string> = new Set([
  'SCHEMA_MISMATCH',
  'TABLE_NOT_FOUND',
  'TABLE_CORRUPT',
  'TABLE_FEATURE_UNSUPPORTED',
  'COMMIT_CONFLICT',
  'INVALID_INPUT',
]);
