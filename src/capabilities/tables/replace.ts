import type { Txn } from '../../formats/delta/actions.ts';
import { replaceFiles } from '../../formats/delta/replace-files.ts';
import { formatSchema, type Column } from '../../formats/delta/schema.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import { assertAppendable } from '../../formats/delta/table-features.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import { isCommitted, type AppendOutcome } from '../../formats/delta/transaction.ts';
import { ENGINE_INFO, guid, wallMs, writeDataFile, type AppendDeps } from './append.ts';

export interface ReplaceRequest {
  /** May differ from those of the former version. */
  readonly columns: readonly Column[];
  /** A SELECT of our own over what DuckDB may read, with these columns by name. */
  readonly select: string;
  readonly txn: Pick<Txn, 'appId' | 'version'>;
  readonly signal?: AbortSignal;
  /** Called when the data file is durable and the commit not begun: where tests crash. */
  readonly beforeCommit?: () => void;
}

/** Writes the rows as one data file and commits it in place of all others. */
export async function replaceRows(
  deps: AppendDeps,
  io: TableIo,
  base: Snapshot,
  request: ReplaceRequest,
): Promise<AppendOutcome & { readonly rows: number }> {
  assertAppendable(base.protocol, base.metadata);
  const { columns, select, txn, signal, beforeCommit } = request;
  if (isCommitted(base, txn)) return { isDuplicate: true, snapshot: base, rows: 0 };
  const rows = { select, ...(signal === undefined ? {} : { signal }) };
  const metadata = { ...base.metadata, schemaString: formatSchema(columns) };
  const written = await writeDataFile(deps, io, { ...base, metadata }, columns, rows);
  beforeCommit?.();
  const timeMs = wallMs(deps.clock);
  const snapshot = await replaceFiles(io, base, {
    files: written.file === null ? [] : [written.file],
    columns,
    txn,
    timeMs,
    commitInfo: {
      timestamp: timeMs,
      operation: 'WRITE',
      operationParameters: { mode: 'Overwrite' },
      engineInfo: ENGINE_INFO,
      txnId: guid(deps.ids),
    },
  });
  return { isDuplicate: false, snapshot, rows: written.rows };
}
