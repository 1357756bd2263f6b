import { AppError } from '../../base/errors.ts';
import { formatCommit, type Action, type CommitInfo, type Metadata } from './actions.ts';
import { commitName } from './log-names.ts';
import { formatSchema, type Column } from './schema.ts';
import { advance, Replay, type Snapshot } from './snapshot.ts';
import { NEW_TABLE_PROTOCOL } from './table-features.ts';
import type { TableIo } from './table-io.ts';

export interface NewTable {
  /** A GUID: identifies the table through every copy and change of it. */
  readonly id: string;
  readonly columns: readonly Column[];
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly engineInfo: string;
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
  if (!(await io.log.putIfAbsent(commitName(base.version + 1), formatCommit(actions)))) {
    throw new AppError('COMMIT_CONFLICT', `${io.location}: another writer is using this table.`, {
      hint: 'Look at the table and create it again if it is still empty.',
    });
  }
  return advance(base, actions);
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

function commitInfo({ timeMs, engineInfo }: NewTable, operation: string): CommitInfo {
  return { timestamp: timeMs, operation, operationParameters: {}, engineInfo };
}
