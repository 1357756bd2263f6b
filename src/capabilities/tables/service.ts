import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import type { PageQuery } from '../../base/page.ts';
import {
  formatInstant,
  micros,
  MICROS_PER_MS,
  MICROS_PER_SECOND,
  type Clock,
} from '../../base/time.ts';
import { Turns } from '../../base/turns.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Events, EventInput } from '../../platform/events/port.ts';
import { AppendBuffer } from './append-buffer.ts';
import { AppendSpool } from './append-spool.ts';
import {
  BATCH_EXPIRY_HOURS,
  DIFFERENCE_COMMITS_MAX,
  RESERVED_NAMESPACES,
  type AppendReply,
  type Column,
  type Commit,
  type RowsReply,
  type Table,
  type TableDifference,
  type TableListItem,
} from './contract.ts';
import type { AppendDone, CommittedBatch, TableRef, TableState } from './delta-tables.ts';
import { tableExists, type TablesStore } from './store.ts';
import { TableLock } from './table-lock.ts';
import { tableNotFound } from './table-not-found.ts';
import type { AppendBody, TablesTasks } from './tasks.ts';

export interface TablesDeps {
  readonly store: TablesStore;
  readonly engine: Engine<TablesTasks>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly ids: Ids;
  readonly events: Pick<Events, 'step'>;
  /** Folder for the Parquet bodies of appends under way; its own, and the engine reads it. */
  readonly spoolFolder: string;
}

/** Told of a commit at once; the event that tells of it durably follows a moment later. */
export type AppendListener = (ref: TableRef, version: number) => void;

export type AppendFormat = 'ndjson' | 'parquet';

export interface AppendRequest extends TableRef {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Of the bytes; the default is NDJSON. */
  readonly format?: AppendFormat;
  readonly batch?: string | undefined;
  readonly stream?: string | undefined;
  readonly sequence?: number | undefined;
  readonly actor: string;
}

/** A Parquet append of the largest size on a slow machine, with room to spare. */
const PARQUET_TIMEOUT_MS = 600_000;

/** Pages of rows that are made at once: each may have megabytes, on both sides of the engine. */
const PAGES_AT_ONCE = 4;

const BATCH_EXPIRY_MICROS = BATCH_EXPIRY_HOURS * 3600 * MICROS_PER_SECOND;

/**
 * The stream that batch ids are numbered in. No client stream has this name: theirs are prefixed.
 */
const BATCHES = 'batches';
const CLIENT_STREAM_PREFIX = 'stream:';

/** Delta tables: made and written by the engine; here is what makes every append exactly-once. */
export class TablesService {
  readonly #deps: TablesDeps;
  readonly #listeners = new Set<AppendListener>();
  /** Tables that were found to be registered, which they stay. */
  readonly #registered = new Set<string>();
  readonly #lock = new TableLock();
  readonly #pages = new Turns(PAGES_AT_ONCE);
  readonly #buffer: AppendBuffer;
  readonly #spool: AppendSpool;

  constructor(deps: TablesDeps) {
    this.#deps = deps;
    const { spoolFolder: folder, ids } = deps;
    this.#spool = new AppendSpool({ folder, kind: 'parquet', ids });
    const long = new AppendSpool({ folder: `${folder}-ndjson`, kind: 'ndjson', ids });
    this.#buffer = new AppendBuffer(long);
  }

  /** `TABLE_EXISTS` for a table that is registered; one that a crash left half-made is finished. */
  async create(
    request: TableRef & { readonly columns: readonly Column[]; readonly actor: string },
  ): Promise<Table> {
    const { store, engine, events, clock } = this.#deps;
    const { namespace, name, columns, actor } = request;
    const ref = { namespace, name };
    assertWritable(ref);
    return await this.#lock.run(lockKey(ref), async () => {
      if ((await store.findTable(ref)) !== null) throw tableExists(ref);
      const state = await engine.run('tables.create', { ...ref, columns, user: actor });
      const created = event(ref, actor, 'table.created', { columns: columns.length });
      await store.insertTable({ ...ref, created_at: clock.wall(), created_by: actor }, [
        events.step(created),
      ]);
      return toTable(ref, state);
    });
  }

  async parquetColumns(bytes: AsyncIterable<Uint8Array>): Promise<{ readonly columns: Column[] }> {
    const { engine } = this.#deps;
    const columns = await this.#spool.use(bytes, (parquetPath) =>
      engine.run('tables.columns', { parquetPath }),
    );
    return { columns: [...columns] };
  }

  /** Tables by name, also those that Millwright keeps itself. */
  async list(query: PageQuery): Promise<Page<TableListItem>> {
    const after = decodeCursor(query.cursor, 'string');
    const limit = query.limit + 1;
    const found = await this.#deps.engine.run('tables.list', {
      limit,
      ...(after === null ? {} : { after }),
    });
    const items = found.map(({ createdMs, lastChange, ...table }) => ({
      ...table,
      createdAt: instantOf(createdMs),
      lastChange: lastChange === null ? null : toCommit(lastChange),
    }));
    return nextPage(items, query.limit, (last) => `${last.namespace}.${last.name}`);
  }

  async get(ref: TableRef, version: number | undefined): Promise<Table> {
    const input = version === undefined ? ref : { ...ref, version };
    return toTable(ref, await this.#deps.engine.run('tables.describe', input));
  }

  async rows(
    ref: TableRef,
    page: {
      readonly version?: number | undefined;
      readonly limit: number;
      readonly offset: number;
    },
    signal: AbortSignal,
  ): Promise<RowsReply> {
    const { limit, offset, version } = page;
    const input = { ...ref, limit, offset, ...(version === undefined ? {} : { version }) };
    return await this.#pages.run(async () => {
      const found = await this.#deps.engine.run('tables.rows', input, { signal });
      return { ...found, columns: [...found.columns] };
    });
  }

  async history(ref: TableRef, query: PageQuery): Promise<Page<Commit>> {
    const before = decodeCursor(query.cursor, 'number');
    const limit = query.limit + 1;
    const found = await this.#deps.engine.run('tables.history', {
      ...ref,
      limit,
      ...(before === null ? {} : { before }),
    });
    return nextPage(found.map(toCommit), query.limit, (last) => last.version);
  }

  async difference(
    ref: TableRef,
    query: {
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly limit: number;
    },
    signal: AbortSignal,
  ): Promise<TableDifference> {
    const to = query.to ?? (await this.get(ref, undefined)).version;
    const from = query.from ?? Math.max(0, to - 1);
    assertRange(from, to);
    const input = { ...ref, from, to, limit: query.limit };
    const found = await this.#deps.engine.run('tables.difference', input, { signal });
    return { from, to, ...found };
  }

  /**
   * Adds the rows, all or none, once: a batch or sequence that is in already adds nothing. Appends
   * to one table run one after the other. Never cut short by the client, so that its outcome is
   * known.
   */
  async append(request: AppendRequest): Promise<AppendReply> {
    const { namespace, name, batch, stream, sequence, actor, format = 'ndjson' } = request;
    const ref = { namespace, name };
    assertAddressed({ batch, stream, sequence });
    assertWritable(ref);
    await this.#assertRegistered(ref);
    const add = (body: AppendBody): Promise<AppendReply> =>
      this.#lock.run(lockKey(ref), async () =>
        stream === undefined || sequence === undefined
          ? this.#appendBatch(ref, { batch, body, actor })
          : this.#appendSequence(ref, { stream, sequence, body, actor }),
      );
    if (format === 'ndjson') return await this.#buffer.use(request.bytes, add);
    return await this.#spool.use(request.bytes, (parquetPath) => add({ parquetPath }));
  }

  async #assertRegistered(ref: TableRef): Promise<void> {
    const key = lockKey(ref);
    if (this.#registered.has(key)) return;
    if ((await this.#deps.store.findTable(ref)) === null) throw tableNotFound(ref);
    this.#registered.add(key);
  }

  /** Calls as soon as rows of an append are in; may be skipped by a crash, unlike the event. */
  onAppended(listener: AppendListener): void {
    this.#listeners.add(listener);
  }

  async #run(input: TablesTasks['tables.append']['input']): Promise<AppendDone> {
    const options = 'parquetPath' in input ? { timeoutMs: PARQUET_TIMEOUT_MS } : {};
    const done = await this.#deps.engine.run('tables.append', input, options);
    const { namespace, name } = input;
    for (const listener of this.#listeners) listener({ namespace, name }, done.version);
    return done;
  }

  async #appendSequence(
    ref: TableRef,
    append: {
      readonly stream: string;
      readonly sequence: number;
      readonly body: AppendBody;
      readonly actor: string;
    },
  ): Promise<AppendReply> {
    const { store, events } = this.#deps;
    const { stream, sequence, body, actor } = append;
    const txn = { appId: `${CLIENT_STREAM_PREFIX}${stream}`, version: sequence };
    const done = await this.#run({ ...ref, ...body, txn, user: actor });
    if (!done.isDuplicate) {
      const { version, rows } = done;
      const appended = { version, rows, stream, sequence };
      await store.write([events.step(event(ref, actor, 'table.appended', appended))]);
    }
    return toReply(done);
  }

  /**
   * The batch is recorded before the engine hears of it, under a number of the table's own stream.
   * So whatever crashes, the number tells whether the batch is in.
   */
  async #appendBatch(
    ref: TableRef,
    append: {
      readonly batch: string | undefined;
      readonly body: AppendBody;
      readonly actor: string;
    },
  ): Promise<AppendReply> {
    const { store, clock, ids } = this.#deps;
    const { body, actor } = append;
    await this.#settlePending(ref);
    const wall = clock.wall();
    if (append.batch !== undefined) {
      const known = await store.findBatch(ref, append.batch, wall);
      if (known !== null) return { version: known.version ?? 0, rows: 0, duplicate: true };
    }
    const batch = append.batch ?? ids.next('bat');
    const expiresAt = micros(wall + BATCH_EXPIRY_MICROS);
    const sequence = await store.beginBatch(ref, batch, { wall, expiresAt });
    const txn = { appId: BATCHES, version: sequence };
    const done = await this.#run({ ...ref, ...body, txn, user: actor });
    // The number was new, so a duplicate is this append itself, sent to a second engine.
    const rows = done.isDuplicate ? ((await this.#lookUp(ref, sequence))?.rows ?? 0) : done.rows;
    const { version } = done;
    const appended = event(ref, actor, 'table.appended', { version, rows, batch });
    const steps = [this.#deps.events.step(appended)];
    // Nobody can ask again for a batch without a name.
    if (append.batch === undefined) await store.forgetBatch({ ...ref, batch }, steps);
    else await store.commitBatch({ ...ref, batch }, version, steps);
    return { version, rows, duplicate: false };
  }

  /** Learns from the table whether the batches that a crash or an error left open are in. */
  async #settlePending(ref: TableRef): Promise<void> {
    const { store, events } = this.#deps;
    for (const { batch, sequence } of await store.pendingBatches(ref)) {
      const found = await this.#lookUp(ref, sequence);
      if (found === null) {
        await store.forgetBatch({ ...ref, batch }, []);
      } else {
        const { version, rows } = found;
        const appended = event(ref, 'millwright', 'table.appended', { version, rows, batch });
        await store.commitBatch({ ...ref, batch }, version, [events.step(appended)]);
      }
    }
  }

  async #lookUp(ref: TableRef, sequence: number): Promise<CommittedBatch | null> {
    const batch = { appId: BATCHES, version: sequence };
    return await this.#deps.engine.run('tables.batch', { ...ref, batch });
  }
}

function lockKey({ namespace, name }: TableRef): string {
  return `${namespace}.${name}`;
}

function assertWritable({ namespace }: TableRef): void {
  if (!RESERVED_NAMESPACES.includes(namespace)) return;
  throw new AppError('INVALID_INPUT', `Millwright itself writes the tables of ${namespace}.`, {
    hint: 'Use another namespace; the tables of this one can be read.',
  });
}

function assertAddressed({
  batch,
  stream,
  sequence,
}: Pick<AppendRequest, 'batch' | 'stream' | 'sequence'>): void {
  const hasStream = stream !== undefined;
  if (hasStream === (sequence !== undefined) && !(hasStream && batch !== undefined)) return;
  throw new AppError('INVALID_INPUT', 'An append has a batch, or a stream with a sequence.', {
    hint: 'Send query.batch alone, or query.stream and query.sequence together, or none of them.',
  });
}

function event(
  { namespace, name }: TableRef,
  actor: string,
  kind: string,
  data: EventInput['data'],
): EventInput {
  return { actor, kind, subject: `table/${namespace}.${name}`, data };
}

function toReply({ version, rows, isDuplicate }: AppendDone): AppendReply {
  return { version, rows, duplicate: isDuplicate };
}

function toTable({ namespace, name }: TableRef, state: TableState): Table {
  const { columns, createdMs, ...rest } = state;
  return { namespace, name, columns: [...columns], createdAt: instantOf(createdMs), ...rest };
}

function toCommit<Found extends { readonly committedMs: number }>({
  committedMs,
  ...commit
}: Found): Omit<Found, 'committedMs'> & { readonly committedAt: string } {
  return { ...commit, committedAt: instantOf(committedMs) };
}

function assertRange(from: number, to: number): void {
  if (from > to) {
    throw new AppError('INVALID_INPUT', `Version ${from} is newer than version ${to}.`, {
      hint: 'query.from is the older version, query.to the newer one.',
    });
  }
  if (to - from > DIFFERENCE_COMMITS_MAX) {
    throw new AppError('INVALID_INPUT', `${to - from} commits lie between the two versions.`, {
      hint: `Compare versions with at most ${DIFFERENCE_COMMITS_MAX} commits between them.`,
    });
  }
}

function instantOf(ms: number): string {
  return formatInstant(micros(ms * MICROS_PER_MS));
}
