import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../base/errors.ts';
import type { Clock, Micros } from '../../base/time.ts';
import type { Analytics, ScanFile } from '../../platform/analytics/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { KvWriter } from '../../platform/kv/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { DeclaredLabel } from './declared-labels.ts';
import type { IndexedKeys } from './indexed-keys.ts';
import { JoinedLabels } from './joined-labels.ts';
import { identityOf, LabelProgressStore, type LabelProgress } from './label-progress.ts';
import { readLabelRows, type SourceRow } from './label-rows.ts';
import { LabelTaking } from './label-taking.ts';
import { INDEX_COMPLETE, RequestIndex } from './request-index.ts';
import { WaitingLabels } from './waiting-labels.ts';

export interface JoinDeps {
  readonly tables: DeltaTables;
  readonly analytics: Pick<Analytics, 'select'>;
  readonly index: KvWriter;
  readonly indexed: IndexedKeys;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly faults: Faults;
}

export interface JoinInput {
  readonly label: DeclaredLabel;
  readonly now: Micros;
  readonly wall: Micros;
}

export interface JoinOutcome {
  /** False when there is more to do at once: the task stops after a while to let others run. */
  readonly done: boolean;
  /** Null as long as the source has no table. */
  readonly progress: Omit<LabelProgress, 'identity' | 'waitingSince' | 'seq'> | null;
}

/** How long one call follows commits before it hands back: flushes wait for the same thread. */
const SLICE_MS = 1000;
/** Rows taken in one step: the memory of a step, and how many small appends cost one. */
const STEP_ROWS = 50_000;
/** Commits looked at in one step. */
const STEP_COMMITS = 1000;

type Head = Awaited<ReturnType<DeltaTables['head']>>;
type Addition = NonNullable<Awaited<ReturnType<DeltaTables['additionsAfter']>>>[number];

/**
 * Puts the rows of declared sources into `labels.<endpoint>`, exactly once: each append carries the
 * Delta transaction (`join/<label>`, number of its last row), and what was appended without being
 * noted, because the engine died in between, is found again by those numbers.
 */
export class LabelJoins {
  readonly #deps: JoinDeps;
  readonly #requests: RequestIndex;
  readonly #waiting = new Map<string, { identity: string; readonly rows: WaitingLabels }>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: JoinDeps) {
    this.#deps = deps;
    this.#requests = new RequestIndex(deps.index);
  }

  /** One slice of the work; calls run one after the other. */
  async run(input: JoinInput, signal: AbortSignal): Promise<JoinOutcome> {
    const turn = this.#turn.then(() => this.#run(input, signal));
    this.#turn = turn.catch(() => {
      // What it holds of a step that failed is not what was noted.
      this.#waiting.delete(input.label.endpoint);
    });
    return await turn;
  }

  async #run(input: JoinInput, signal: AbortSignal): Promise<JoinOutcome> {
    const { index, clock } = this.#deps;
    if (index.get(INDEX_COMPLETE) === null) {
      throw new AppError('ENGINE_UNAVAILABLE', 'Requests are being indexed anew.', {
        hint: 'Labels find their requests once that is done; it follows the start by itself.',
      });
    }
    const { label } = input;
    const head = await this.#head(label);
    if (head === null) return { done: true, progress: null };
    const identity = identityOf(label, head.tableId);
    const store = new LabelProgressStore(index, label.endpoint);
    const known = store.read(identity);
    const start = clock.elapsed();
    const slice = { signal, isOver: () => clock.elapsed() - start > SLICE_MS };
    let taking: LabelTaking | null = null;
    let isDone = true;
    if (known !== null && known.version >= 0 && known.version <= head.version) {
      taking = await this.#taking(input, store, known);
      const followed = (await this.#remember(taking, input, slice))
        ? await this.#follow(taking, input, slice)
        : 'impossible';
      isDone = followed === 'done';
      if (followed === 'impossible') taking = null;
    }
    taking ??= await this.#fill(input, store, signal);
    const { version, rows, matched, corrected, orphans, newestAt } = taking.progress;
    const progress = { version, rows, matched, corrected, orphans, newestAt };
    return { done: isDone, progress };
  }

  async #head({ table }: DeclaredLabel): Promise<Head | null> {
    try {
      return await this.#deps.tables.head(table);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
      throw thrown;
    }
  }

  async #taking(
    input: JoinInput,
    store: LabelProgressStore,
    progress: LabelProgress,
  ): Promise<LabelTaking> {
    const { tables, analytics, faults } = this.#deps;
    const joined = new JoinedLabels({ tables, analytics, faults }, input);
    const recovered = await joined.after(progress.seq);
    const { endpoint } = input.label;
    let waiting = this.#waiting.get(endpoint);
    if (waiting?.identity !== progress.identity) {
      waiting = { identity: progress.identity, rows: new WaitingLabels() };
      this.#waiting.set(endpoint, waiting);
    }
    const { indexed } = this.#deps;
    const parts = { store, joined, waiting: waiting.rows, requests: this.#requests, indexed };
    return new LabelTaking(input, parts, { progress, recovered });
  }

  /**
   * After a restart of the engine: reads again what waits for its request. False when the log no
   * longer tells.
   */
  async #remember(taking: LabelTaking, input: JoinInput, slice: Slice): Promise<boolean> {
    const { version, waitingSince } = taking.progress;
    if (!taking.isWaitingLost || waitingSince === version) return true;
    for (let since = waitingSince; since < version;) {
      const after = { version: since, limit: Math.min(STEP_COMMITS, version - since) };
      const additions = await this.#deps.tables.additionsAfter(input.label.table, after);
      if (additions === null || additions.length === 0) return false;
      for (const step of steps(additions)) {
        taking.remember(await this.#rows(step.files, input, slice.signal), since);
        since = step.version;
      }
    }
    return true;
  }

  /** Takes what was added; impossible when additions do not tell what happened to the table. */
  async #follow(
    taking: LabelTaking,
    input: JoinInput,
    slice: Slice,
  ): Promise<'done' | 'interrupted' | 'impossible'> {
    for (;;) {
      const after = { version: taking.progress.version, limit: STEP_COMMITS };
      const additions = await this.#deps.tables.additionsAfter(input.label.table, after);
      if (additions === null) return 'impossible';
      if (additions.length === 0) {
        // Requests may have come to what waits.
        await taking.take([], { version: after.version });
        return 'done';
      }
      for (const step of steps(additions)) {
        const rows = await this.#rows(step.files, input, slice.signal);
        await taking.take(rows, { version: step.version });
        if (slice.isOver()) return 'interrupted';
      }
    }
  }

  /** Reads the whole table: it is new here, is another one, or lost rows. */
  async #fill(
    input: JoinInput,
    store: LabelProgressStore,
    signal: AbortSignal,
  ): Promise<LabelTaking> {
    const head = await this.#deps.tables.files(input.label.table);
    await store.clear();
    this.#waiting.delete(input.label.endpoint);
    const taking = await this.#taking(input, store, {
      identity: identityOf(input.label, head.tableId),
      version: -1,
      seq: 0,
      rows: 0,
      matched: 0,
      corrected: 0,
      orphans: 0,
      newestAt: null,
      waitingSince: -1,
    });
    let rows: (SourceRow | null)[] = [];
    const from = { files: head.files, columns: head.columns, signal };
    for await (const piece of readLabelRows(this.#deps, input.label, from)) {
      for (const row of piece) rows.push(row);
      if (rows.length < STEP_ROWS) continue;
      await taking.take(rows, { version: -1 });
      rows = [];
      await setImmediate();
    }
    await taking.take(rows, { version: head.version });
    return taking;
  }

  async #rows(
    files: readonly ScanFile[],
    { label }: JoinInput,
    signal: AbortSignal,
  ): Promise<readonly (SourceRow | null)[]> {
    if (files.length === 0) return [];
    const { columns } = await this.#deps.tables.head(label.table);
    const rows: (SourceRow | null)[] = [];
    for await (const piece of readLabelRows(this.#deps, label, { files, columns, signal })) {
      for (const row of piece) rows.push(row);
    }
    return rows;
  }
}

interface Slice {
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
}

/** Neighbouring commits that together have few rows are one step. */
function steps(additions: readonly Addition[]): readonly Addition[] {
  const found: Addition[] = [];
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
