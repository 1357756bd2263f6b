import { readSummary, type CommitSummary } from '../../formats/delta/history.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import type { TableRef } from './delta-tables.ts';
import { lakeFolders } from './lake-folders.ts';

export interface ListedTable extends TableRef {
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly version: number;
  /** Null where another engine left some of them uncounted. */
  readonly rows: number | null;
  readonly files: number;
  readonly sizeBytes: number;
  /** What the newest commit was; null when log cleanup took it. */
  readonly lastChange: LastChange | null;
}

export type LastChange = Pick<
  CommitSummary,
  'committedMs' | 'operation' | 'user' | 'app' | 'engine'
>;

export interface ListPage {
  readonly after?: string;
  readonly limit: number;
}

type Opened = { readonly io: TableIo; readonly snapshot: Snapshot } | null;

/** Tables of the lake in the order of `<namespace>.<name>`, those after `after`. */
export async function listTables(
  lakeFolder: string,
  { after = '', limit }: ListPage,
  open: (ref: TableRef) => Promise<Opened>,
): Promise<ListedTable[]> {
  const listed: ListedTable[] = [];
  for (const ref of await lakeFolders(lakeFolder)) {
    if (`${ref.namespace}.${ref.name}` <= after) continue;
    if (listed.length === limit) break;
    // A table of a kind we cannot read is left out; asking for it by name says why.
    const opened = await open(ref).catch(() => null);
    if (opened !== null) listed.push({ ...ref, ...(await describe(opened)) });
  }
  return listed;
}

async function describe({
  io,
  snapshot,
}: NonNullable<Opened>): Promise<Omit<ListedTable, keyof TableRef>> {
  const { version, metadata, files, sizeBytes, countedRows, uncountedFiles } = snapshot;
  return {
    createdMs: metadata.createdTime ?? 0,
    version,
    rows: uncountedFiles > 0 ? null : countedRows,
    files: files.size,
    sizeBytes,
    lastChange: await lastChange(io, version),
  };
}

async function lastChange(io: TableIo, version: number): Promise<LastChange | null> {
  const found = await readSummary(io, version).catch(() => null);
  if (found === null) return null;
  const { committedMs, operation, user, app, engine } = found;
  return { committedMs, operation, user, app, engine };
}
