import { AppError } from '../../base/errors.ts';
import { formatCommit, type Action, type CommitInfo, type Metadata } from './actions.ts';
import { commitName } from './log-names.ts';
import { formatSchema, parseSchema, type Column } from './schema.ts';
import { advance, Replay, type Snapshot } from './snapshot.ts';
import { assertAppendable, NEW_TABLE_PROTOCOL } from './table-features.ts';
import type { TableIo } from './table-io.ts';

export interface NewTable {
  /** A GUID: identifies the table through every copy and change of it. */
  readonly id: string;
  readonly columns: readonly Column[];
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly engineInfo: string;
  /** Who asked for it. */
  readonly userName?: string;
}

/**
 * Creates an empty table as version 0, with the protocol and properties every Delta engine reads
 * and writes. Null when the folder holds a table already.
 */
export async function createTable(io: TableIo, table: NewTable): Promise<Snapshot | null> {
  const actions: Action[] = [
    { commitInfo: commitInfo(table, 'CREATE TABLE') },
    { protocol: NEW_TABLE_PROTOCOL },
    { metaData: metadata(table) },
  ];
  if (!(await io.log.putIfAbsent(commitName(0), formatCommit(actions)))) return null;
  const replay = new Replay();
  replay.apply(actions);
  return replay.finish(0, null);
}

/**
 * Gives a table that never held a row other columns. `COMMIT_CONFLICT` when another writer commits
 * at the same time.
 */
export async function redefineEmptyTable(
  io: TableIo,
  base: Snapshot,
  table: NewTable,
): Promise<Snapshot> {
  const actions: Action[] = [
    { commitInfo: commitInfo(table, 'REPLACE TABLE') },
    { metaData: { ...metadata(table), id: base.metadata.id } },
  ];
  return await commitNext(io, base, actions);
}

/**
 * Adds nullable columns at the end; rows that are there have null in them. `COMMIT_CONFLICT` when
 * another writer commits at the same time.
 */
export async function addColumns(
  io: TableIo,
  base: Snapshot,
  added: Omit<NewTable, 'id'>,
): Promise<Snapshot> {
  assertAppendable(base.protocol, base.metadata);
  const { columns, timeMs, engineInfo } = added;
  const fields = [
    ...parseSchema(base.metadata.schemaString),
    ...columns.map(({ name, type }) => ({ name, type, nullable: true, metadata: {} })),
  ];
  const schemaString = JSON.stringify({ type: 'struct', fields });
  const actions: Action[] = [
    {
      commitInfo: {
        timestamp: timeMs,
        operation: 'ADD COLUMNS',
        operationParameters: {
          columns: JSON.stringify(columns.map(({ name, type }) => ({ column: { name, type } }))),
        },
        engineInfo,
      },
    },
    { metaData: { ...base.metadata, schemaString } },
  ];
  return await commitNext(io, base, actions);
}

async function commitNext(
  io: TableIo,
  base: Snapshot,
  actions: readonly Action[],
): Promise<Snapshot> {
  if (await io.log.putIfAbsent(commitName(base.version + 1), formatCommit(actions))) {
    return advance(base, actions);
  }
  throw new AppError('COMMIT_CONFLICT', `${io.location}: another writer is using this table.`, {
    hint: 'Nothing was changed; look at the table and try again.',
  });
}

function metadata({ id, columns, timeMs }: NewTable): Metadata {
  return {
    id,
    format: { provider: 'parquet', options: {} },
    schemaString: formatSchema(columns),
    partitionColumns: [],
    configuration: {},
    createdTime: timeMs,
  };
}

function commitInfo({ timeMs, engineInfo, userName }: NewTable, operation: string): CommitInfo {
  const info = { timestamp: timeMs, operation, operationParameters: {}, engineInfo };
  return userName === undefined ? info : { ...info, userName };
}
