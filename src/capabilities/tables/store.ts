import type { Micros } from '../../base/time.ts';
import { AppError } from '../../base/errors.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { TableRef } from './delta-tables.ts';
import { tableNotFound } from './table-not-found.ts';

interface TablesRow extends TableRef {
  readonly created_at: Micros;
  readonly created_by: string;
  /** Of the stream that numbers this table's batches. */
  readonly last_sequence: number;
}

interface BatchesRow extends TableRef {
  readonly batch: string;
  readonly sequence: number;
  readonly state: 'pending' | 'committed';
  /** The version that holds it, once committed. */
  readonly version: number | null;
  readonly expires_at: Micros;
}

interface TablesTables {
  readonly tables_tables: TablesRow;
  readonly tables_batches: BatchesRow;
}

export type StoredTable = TablesRow;
export type StoredBatch = BatchesRow;

/** The tables `tables_tables` and `tables_batches`. */
export class TablesStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Rejects with `TABLE_EXISTS` when the name is taken. */
  async insertTable(
    table: Omit<TablesRow, 'last_sequence'>,
    events: readonly Step[],
  ): Promise<void> {
    const builder = this.#db.queries<TablesTables>();
    await this.#db.write([
      {
        query: builder
          .insertInto('tables_tables')
          .values({ ...table, last_sequence: 0 })
          .onConflict((conflict) => conflict.doNothing()),
        expect: { rows: 1, otherwise: tableExists(table) },
      },
      ...events,
    ]);
  }

  async findTable({ namespace, name }: TableRef): Promise<StoredTable | null> {
    const builder = this.#db.queries<TablesTables>();
    const [row] = await this.#db.read(
      builder
        .selectFrom('tables_tables')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('name', '=', name),
    );
    return row ?? null;
  }

  /** Null also once the batch has expired. */
  async findBatch(ref: TableRef, batch: string, wall: Micros): Promise<StoredBatch | null> {
    const builder = this.#db.queries<TablesTables>();
    const [row] = await this.#db.read(
      builder
        .selectFrom('tables_batches')
        .selectAll()
        .where('namespace', '=', ref.namespace)
        .where('name', '=', ref.name)
        .where('batch', '=', batch)
        .where('expires_at', '>', wall),
    );
    return row ?? null;
  }

  /** Batches whose outcome is not known: at most one, unless other processes write too. */
  async pendingBatches({ namespace, name }: TableRef): Promise<readonly StoredBatch[]> {
    const builder = this.#db.queries<TablesTables>();
    return await this.#db.read(
      builder
        .selectFrom('tables_batches')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('name', '=', name)
        .where('state', '=', 'pending')
        .orderBy('sequence')
        .limit(PENDING_MAX),
    );
  }

  /** Records the batch as pending, under the table's next sequence number, which it returns. */
  async beginBatch(ref: TableRef, batch: string, times: BatchTimes): Promise<number> {
    const { namespace, name } = ref;
    const builder = this.#db.queries<TablesTables>();
    const [, , inserted] = await this.#db.write([
      {
        query: builder
          .deleteFrom('tables_batches')
          .where('namespace', '=', namespace)
          .where('name', '=', name)
          .where('expires_at', '<=', times.wall),
      },
      {
        query: builder
          .updateTable('tables_tables')
          .set((eb) => ({ last_sequence: eb('last_sequence', '+', 1) }))
          .where('namespace', '=', namespace)
          .where('name', '=', name),
        expect: { rows: 1, otherwise: tableNotFound(ref) },
      },
      {
        query: builder
          .insertInto('tables_batches')
          .values((eb) => ({
            namespace,
            name,
            batch,
            sequence: eb
              .selectFrom('tables_tables')
              .select('last_sequence')
              .where('namespace', '=', namespace)
              .where('name', '=', name),
            state: 'pending',
            version: null,
            expires_at: times.expiresAt,
          }))
          .returning('sequence'),
      },
    ]);
    return inserted!.rows[0]!['sequence'] as number;
  }

  /** The batch is in: remembered until it expires. */
  async commitBatch(
    batch: StoredBatchKey,
    version: number,
    events: readonly Step[],
  ): Promise<void> {
    const builder = this.#db.queries<TablesTables>();
    const query = builder
      .updateTable('tables_batches')
      .set({ state: 'committed', version })
      .where('namespace', '=', batch.namespace)
      .where('name', '=', batch.name)
      .where('batch', '=', batch.batch);
    await this.#db.write([{ query }, ...events]);
  }

  /** The batch is not in, or nobody can ask for it again. */
  async forgetBatch(batch: StoredBatchKey, events: readonly Step[]): Promise<void> {
    const builder = this.#db.queries<TablesTables>();
    const query = builder
      .deleteFrom('tables_batches')
      .where('namespace', '=', batch.namespace)
      .where('name', '=', batch.name)
      .where('batch', '=', batch.batch);
    await this.#db.write([{ query }, ...events]);
  }

  async write(steps: readonly Step[]): Promise<void> {
    await this.#db.write(steps);
  }
}

/** Far more than can come to be: each append settles what it finds pending before it begins. */
const PENDING_MAX = 100;

export type StoredBatchKey = TableRef & { readonly batch: string };

interface BatchTimes {
  readonly wall: Micros;
  readonly expiresAt: Micros;
}

export function tableExists({ namespace, name }: TableRef): AppError {
  return new AppError('TABLE_EXISTS', `There is a table ${namespace}.${name} already.`, {
    hint: `Look at it with: millwright tables show ${namespace}.${name}`,
  });
}
