import { AppError } from '../../base/errors.ts';
import { formatCommit, type Action, type AddFile, type CommitInfo, type Txn } from './actions.ts';
import { commitName } from './log-names.ts';
import { formatSchema, parseColumns, sameColumns, type Column } from './schema.ts';
import { advance, type Snapshot } from './snapshot.ts';
import type { TableIo } from './table-io.ts';

export interface Replacement {
  readonly files: readonly AddFile[];
  readonly columns: readonly Column[];
  readonly txn: Pick<Txn, 'appId' | 'version'>;
  readonly commitInfo: CommitInfo;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/**
 * Commits the files in place of all that `base` has, with their columns: an overwrite. Older
 * versions stay readable, because tombstones only say what the newest one lacks. `COMMIT_CONFLICT`
 * when another writer commits at the same time, since what it added was never looked at.
 */
export async function replaceFiles(
  io: TableIo,
  base: Snapshot,
  replacement: Replacement,
): Promise<Snapshot> {
  const { files, columns, txn, commitInfo, timeMs } = replacement;
  const actions: Action[] = [
    { commitInfo: { ...commitInfo, readVersion: base.version, isBlindAppend: false } },
  ];
  if (!sameColumns(parseColumns(base.metadata.schemaString), columns)) {
    actions.push({ metaData: { ...base.metadata, schemaString: formatSchema(columns) } });
  }
  actions.push({ txn: { ...txn, lastUpdated: timeMs } });
  for (const { path, partitionValues, size } of base.files.values()) {
    const kept = { extendedFileMetadata: true, partitionValues: partitionValues ?? {}, size };
    actions.push({ remove: { path, deletionTimestamp: timeMs, dataChange: true, ...kept } });
  }
  for (const add of files) actions.push({ add });
  if (await io.log.putIfAbsent(commitName(base.version + 1), formatCommit(actions))) {
    return advance(base, actions);
  }
  throw new AppError('COMMIT_CONFLICT', `${io.location}: another writer is using this table.`, {
    hint: 'Nothing was changed; look at the table and try again.',
  });
}
