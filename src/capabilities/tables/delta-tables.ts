import path from 'node:path';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import type { Clock } from '../../base/time.ts';
import { isCheckpointDue, writeCheckpoint } from '../../formats/delta/checkpoint.ts';
import {
  addColumns,
  createTable,
  redefineEmptyTable,
  type NewTable,
} from '../../formats/delta/create-table.ts';
import { findTxnCommit, readHistory, type CommitSummary } from '../../formats/delta/history.ts';
import {
  duplicateColumn,
  missingColumns,
  sameColumns,
  type Column,
} from '../../formats/delta/schema.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import { recordCount } from '../../formats/delta/stats.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import { noFaults, type Faults } from '../../platform/fault-points.ts';
import { silentLog, type Log } from '../../platform/log/log.ts';
import {
  appendToTable,
  ENGINE_INFO,
  guid,
  schemaMismatch,
  wallMs,
  type AppendOptions,
  type AppendRows,
} from './append.ts';
import {
  columnsOf,
  countRows,
  findRows,
  readPage,
  type FindRequest,
  type PageRequest,
  type RowFilter,
  type RowPage,
  type TableView,
} from './read-rows.ts';
import { RecentFiles, type RecentFile } from './recent-files.ts';
import { filesInOrder } from './row-selection.ts';
import { CommitOrder } from './commit-order.ts';
import { Compaction } from './compaction.ts';
import { isFolderName } from './lake-folders.ts';
import { listTables, type ListedTable, type ListPage } from './list-tables.ts';
import { replaceRows, type ReplaceRequest } from './replace.ts';
import { SnapshotCache } from './snapshot-cache.ts';
import {
  additionsAfter,
  tableFiles,
  type TableAddition,
  type TableFiles,
  type TableHead,
} from './table-files.ts';
import { TableLock } from './table-lock.ts';
import { tableNotFound } from './table-not-found.ts';

export interface DeltaTablesDeps {
  /** Absolute; a table lies in `<lakeFolder>/<namespace>/<name>`. */
  readonly lakeFolder: string;
  readonly analytics: Analytics;
  readonly clock: Pick<Clock, 'wall'>;
  readonly ids: Ids;
  readonly log?: Log;
  readonly faults?: Faults;
}

export interface TableRef {
  readonly namespace: string;
  readonly name: string;
}

export interface TableState {
  readonly version: number;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly files: number;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly location: string;
}

export type AppendInput = TableRef & AppendRows & AppendOptions;

export interface AppendDone {
  /** The version that holds the batch; of a duplicate the newest, when the first is not known. */
  readonly version: number;
  /** Rows added now. */
  readonly rows: number;
  readonly isDuplicate: boolean;
}

/** A committed batch of a stream. */
export interface CommittedBatch {
  readonly version: number;
  /** Null when the commit lies too far back to be looked at. */
  readonly rows: number | null;
}

/** Commits searched for a batch; batches are looked for right after they were sent. */
const BATCH_SEARCH_COMMITS = 1000;
/**
 * The Delta tables of the lake, as the engine process has them. Appends to one table run one after
 * the other; reads see the newest commit and never wait.
 */
export class DeltaTables {
  readonly #deps: DeltaTablesDeps;
  readonly #log: Log;
  readonly #cache = new SnapshotCache();
  readonly #recent = new RecentFiles();
  readonly #order = new CommitOrder(this.#recent);
  readonly #lock = new TableLock();
  readonly #compaction: Compaction;

  constructor(deps: DeltaTablesDeps) {
    this.#deps = deps;
    this.#log = deps.log ?? silentLog;
    const own = { cache: this.#cache, order: this.#order, lock: this.#lock, log: this.#log };
    this.#compaction = new Compaction({ faults: noFaults, ...deps, ...own });
  }

  /**
   * Creates the table, or takes over one in its place that has these columns or never held a row:
   * what a crash between the table's creation and its registration leaves. Else `TABLE_EXISTS`.
   */
  async create(ref: TableRef, columns: readonly Column[], user?: string): Promise<TableState> {
    return await this.#createOr(ref, { columns, user }, async (io, snapshot) => {
      const { files, tombstones, txns } = snapshot;
      if (files.size + tombstones.size + txns.size > 0) {
        throw new AppError('TABLE_EXISTS', `${io.location} holds a table with other columns.`, {
          hint: 'Create the table under another name, or with the columns of the one on disk.',
        });
      }
      return await redefineEmptyTable(io, snapshot, this.#newTable(columns, user));
    });
  }

  /**
   * Creates the table unless it exists with these columns; adds those at the end that a table made
   * by a former version lacks and that may be null. `SCHEMA_MISMATCH` when it differs otherwise.
   */
  async ensure(ref: TableRef, columns: readonly Column[]): Promise<TableState> {
    return await this.#createOr(ref, { columns }, async (io, snapshot) => {
      const missing = missingColumns(columnsOf(snapshot), columns);
      if (missing === null) throw schemaMismatch(io.location);
      return await addColumns(io, snapshot, this.#newTable(missing));
    });
  }

  async #createOr(
    ref: TableRef,
    { columns, user }: { readonly columns: readonly Column[]; readonly user?: string | undefined },
    onOtherColumns: (io: TableIo, snapshot: Snapshot) => Promise<Snapshot>,
  ): Promise<TableState> {
    const twice = duplicateColumn(columns);
    if (twice !== null) {
      throw new AppError('INVALID_INPUT', `The column ${twice} is declared twice.`, {
        hint: 'Delta Lake takes names that differ only in case for the same.',
      });
    }
    const io = this.#io(ref);
    return await this.#lock.run(io.location, async () => {
      const table = this.#newTable(columns, user);
      let snapshot = (await this.#cache.newest(io)) ?? (await createTable(io, table));
      snapshot ??= await this.#newest(ref, io);
      if (!sameColumns(columnsOf(snapshot), columns)) snapshot = await onOtherColumns(io, snapshot);
      this.#cache.put(io, snapshot);
      return await this.#stateOf(io, snapshot);
    });
  }

  /** Tables of the lake in the order of `<namespace>.<name>`, those after `after`. */
  async list(page: ListPage): Promise<ListedTable[]> {
    return await listTables(this.#deps.lakeFolder, page, (ref) => this.view(ref));
  }

  async describe(ref: TableRef, version?: number): Promise<TableState> {
    const io = this.#io(ref);
    return await this.#stateOf(io, await this.#at(ref, io, version));
  }

  /**
   * Adds the rows durably, all or none. With `txn`, exactly once. Errors: `INVALID_INPUT` (line and
   * column), `TABLE_NOT_FOUND`, `SCHEMA_MISMATCH`, `COMMIT_CONFLICT`, `TABLE_FEATURE_UNSUPPORTED`.
   */
  async append(input: AppendInput): Promise<AppendDone> {
    const io = this.#io(input);
    return await this.#lock.run(io.location, async () => {
      const base = await this.#newest(input, io);
      const done = await appendToTable(this.#deps, io, base, input);
      const { snapshot, isDuplicate, rows } = done;
      this.#cache.put(io, snapshot);
      if (done.recent !== undefined) this.#recent.add(done.recent);
      if (isDuplicate) {
        const { appId, version } = input.txn!;
        const found = await this.#findBatch(io, snapshot, { appId, version });
        return { version: found?.version ?? snapshot.version, rows, isDuplicate };
      }
      if (snapshot !== base && isCheckpointDue(snapshot)) await this.#checkpoint(io, snapshot);
      this.#compaction.consider(io, snapshot);
      return { version: snapshot.version, rows, isDuplicate };
    });
  }

  /**
   * Makes the rows the whole of the newest version, exactly once by `txn`, and creates the table
   * when there is none. Former versions keep their rows and columns.
   */
  async replace(ref: TableRef, request: ReplaceRequest): Promise<AppendDone> {
    const io = this.#io(ref);
    return await this.#lock.run(io.location, async () => {
      let base = await this.#cache.newest(io);
      base ??= await createTable(io, this.#newTable(request.columns));
      base ??= await this.#newest(ref, io);
      const { snapshot, rows, isDuplicate } = await replaceRows(this.#deps, io, base, request);
      this.#cache.put(io, snapshot);
      if (isDuplicate) {
        const found = await this.#findBatch(io, snapshot, request.txn);
        return { version: found?.version ?? snapshot.version, rows: 0, isDuplicate };
      }
      if (isCheckpointDue(snapshot)) await this.#checkpoint(io, snapshot);
      return { version: snapshot.version, rows, isDuplicate };
    });
  }

  /** A checkpoint only saves readers time; without it the commit stands all the same. */
  async #checkpoint(io: TableIo, snapshot: Snapshot): Promise<void> {
    try {
      await writeCheckpoint(io, snapshot, wallMs(this.#deps.clock));
      this.#cache.put(io, { ...snapshot, checkpointVersion: snapshot.version });
    } catch (error) {
      const { version } = snapshot;
      this.#log.warn('tables.checkpoint.failed', {
        table: io.location,
        version,
        error: String(error),
      });
    }
  }

  /** The newest committed batch of a stream, or null. */
  async txnVersion(ref: TableRef, appId: string): Promise<number | null> {
    const snapshot = await this.#newest(ref, this.#io(ref));
    return snapshot.txns.get(appId)?.version ?? null;
  }

  /** Whether this batch of the stream is in. Waits for appends under way, which might be it. */
  async findBatch(
    ref: TableRef,
    batch: { readonly appId: string; readonly version: number },
  ): Promise<CommittedBatch | null> {
    const io = this.#io(ref);
    return await this.#lock.run(io.location, async () =>
      this.#findBatch(io, await this.#newest(ref, io), batch),
    );
  }

  async #findBatch(
    io: TableIo,
    snapshot: Snapshot,
    batch: { readonly appId: string; readonly version: number },
  ): Promise<CommittedBatch | null> {
    const newest = snapshot.txns.get(batch.appId)?.version;
    if (newest === undefined || newest < batch.version) return null;
    const found = await findTxnCommit(io, {
      appId: batch.appId,
      txnVersion: batch.version,
      newest: snapshot.version,
      limit: BATCH_SEARCH_COMMITS,
    });
    if (found !== null) return { version: found.version, rows: found.rowsAdded };
    return newest === batch.version ? { version: snapshot.version, rows: null } : null;
  }

  /** A page of the newest or a given version; its order and form are in `readPage`. */
  async rows(
    ref: TableRef,
    request: PageRequest & { readonly version?: number },
  ): Promise<RowPage> {
    const io = this.#io(ref);
    return await readPage(this.#view(io, await this.#at(ref, io, request.version)), request);
  }

  /** Rows of the newest version that satisfy all filters. */
  async find(ref: TableRef, request: FindRequest): Promise<RowPage> {
    const io = this.#io(ref);
    return await findRows(this.#view(io, await this.#newest(ref, io)), request);
  }

  /** What the newest version is, without looking at its files. */
  async head(ref: TableRef): Promise<TableHead> {
    const snapshot = await this.#newest(ref, this.#io(ref));
    const { metadata, version } = snapshot;
    return { tableId: metadata.id, version, columns: columnsOf(snapshot) };
  }

  /** The data files of the newest or a given version, those that can hold what `where` asks. */
  async files(
    ref: TableRef,
    version?: number,
    where: readonly RowFilter[] = [],
  ): Promise<TableFiles> {
    const io = this.#io(ref);
    const view = this.#view(io, await this.#at(ref, io, version));
    return await tableFiles(view, this.#order, where);
  }

  /**
   * What later commits added, or null: see `additionsAfter`. `seen`: a version that the caller
   * knows of, so that the log need not be looked at for newer ones.
   */
  async additionsAfter(
    ref: TableRef,
    after: { readonly version: number; readonly limit: number; readonly seen?: number },
  ): Promise<readonly TableAddition[] | null> {
    const io = this.#io(ref);
    const { seen = Infinity } = after;
    const snapshot = (await this.#cache.atLeast(io, seen)) ?? absent(ref);
    return await additionsAfter(this.#view(io, snapshot), this.#recent, after);
  }

  /** The rows of a data file (absolute path) that this process wrote lately; else null. */
  recentFile(file: string): RecentFile | null {
    return this.#recent.find(file);
  }

  /** Commits below `before`, newest first; those that log cleanup removed are gone. */
  async history(
    ref: TableRef,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<CommitSummary[]> {
    const io = this.#io(ref);
    await this.#newest(ref, io);
    return await readHistory(io, page);
  }

  #io({ namespace, name }: TableRef): TableIo {
    for (const part of [namespace, name]) {
      assert(isFolderName(part), `${part} is no name of a table`);
    }
    return this.#deps.analytics.table(path.join(this.#deps.lakeFolder, namespace, name));
  }

  /** The newest or a given version, for readers of other files. */
  async view(ref: TableRef, version?: number): Promise<TableView> {
    const io = this.#io(ref);
    return this.#view(io, await this.#at(ref, io, version));
  }

  #view(io: TableIo, snapshot: Snapshot): TableView {
    return { analytics: this.#deps.analytics, io, snapshot };
  }

  async #newest(ref: TableRef, io: TableIo): Promise<Snapshot> {
    return (await this.#cache.newest(io)) ?? absent(ref);
  }

  async #at(ref: TableRef, io: TableIo, version: number | undefined): Promise<Snapshot> {
    return (await this.#cache.at(io, version)) ?? absent(ref);
  }

  #newTable(columns: readonly Column[], user?: string): NewTable {
    const { clock, ids } = this.#deps;
    const by = user === undefined ? {} : { userName: user };
    return { id: guid(ids), columns, timeMs: wallMs(clock), engineInfo: ENGINE_INFO, ...by };
  }

  async #stateOf(io: TableIo, snapshot: Snapshot): Promise<TableState> {
    const hasUncounted = snapshot.uncountedFiles > 0;
    const uncounted = hasUncounted
      ? filesInOrder(snapshot).filter((file) => recordCount(file.stats) === null)
      : [];
    const counts = await countRows(this.#view(io, snapshot), uncounted);
    return {
      version: snapshot.version,
      columns: columnsOf(snapshot),
      rows: counts.reduce((sum, count) => sum + count, snapshot.countedRows),
      files: snapshot.files.size,
      sizeBytes: snapshot.sizeBytes,
      createdMs: createdMs(snapshot),
      location: io.location,
    };
  }
}

/** Other engines may leave it out. */
function createdMs(snapshot: Snapshot): number {
  return snapshot.metadata.createdTime ?? 0;
}

function absent(ref: TableRef): never {
  throw tableNotFound(ref);
}
