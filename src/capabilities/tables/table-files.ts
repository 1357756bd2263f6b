import { access } from 'node:fs/promises';
import type { AddFile } from '../../formats/delta/actions.ts';
import { resolveDataPath } from '../../formats/delta/data-path.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { ScanFile } from '../../platform/analytics/port.ts';
import { columnsOf, countRows, type RowFilter, type TableView } from './read-rows.ts';
import type { CommitOrder } from './commit-order.ts';
import { commitsOf, type RecentFiles } from './recent-files.ts';
import { filesMatching, toScanFile } from './row-selection.ts';

/** What a table is at one version. */
export interface TableHead {
  /** Delta's own id: another one under the same name is another table. */
  readonly tableId: string;
  readonly version: number;
  readonly columns: readonly Column[];
}

/** What a reader of whole files needs of a table at one version. */
export interface TableFiles extends TableHead {
  /** In the order in which their rows were added. */
  readonly files: readonly ScanFile[];
}

/** What one commit added. */
export interface TableAddition {
  readonly version: number;
  readonly files: readonly ScanFile[];
  readonly rows: number;
}

/** With filters only the files that can hold a row for which all of them hold. */
export async function tableFiles(
  { io, snapshot }: TableView,
  order: CommitOrder,
  where: readonly RowFilter[] = [],
): Promise<TableFiles> {
  const columns = columnsOf(snapshot);
  // What a filter says of a column that there is not is left to who reads the rows.
  const conditions = where.flatMap(({ column: name, ...filter }) => {
    const column = columns.find((one) => one.name === name);
    return column === undefined ? [] : [{ ...filter, column }];
  });
  const files = filesMatching(await order.sort(io, snapshot), conditions);
  return {
    tableId: snapshot.metadata.id,
    version: snapshot.version,
    columns,
    files: files.map((file) => toScanFile(io.location, file)),
  };
}

/**
 * What the commits after `version` added, oldest first, at most `limit` of them. Null when
 * additions do not tell it all: a commit removed rows or changed the columns, is no longer in the
 * log, or what it added is no longer part of the table. Then only reading all files anew is right.
 * Rows that moved to another file since are read where they were.
 */
export async function additionsAfter(
  view: TableView,
  recent: Pick<RecentFiles, 'addedBy'>,
  after: { readonly version: number; readonly limit: number },
): Promise<readonly TableAddition[] | null> {
  const { io, snapshot } = view;
  const commits = Math.max(0, Math.min(snapshot.version - after.version, after.limit));
  const versions = Array.from({ length: commits }, (_, index) => after.version + 1 + index);
  const additions: TableAddition[] = [];
  for await (const { version, actions } of commitsOf(io, versions, recent)) {
    if (actions === null) return null;
    const added: AddFile[] = [];
    for (const { add, remove, metaData } of actions) {
      if (metaData || remove?.dataChange === true) return null;
      if (add?.dataChange !== true) continue;
      if (!snapshot.files.has(add.path) && !(await isOnlyMoved(view, add))) return null;
      added.push(add);
    }
    const counts = await countRows(view, added);
    additions.push({
      version,
      files: added.map((file) => toScanFile(io.location, file)),
      rows: counts.reduce((sum, count) => sum + count, 0),
    });
  }
  return additions;
}

/** Whether the file was merged into another one and is still there to be read. */
async function isOnlyMoved({ io, snapshot }: TableView, { path }: AddFile): Promise<boolean> {
  if (snapshot.tombstones.get(path)?.dataChange !== false) return false;
  return await access(resolveDataPath(io.location, path)).then(
    () => true,
    () => false,
  );
}
