import { access } from 'node:fs/promises';
import { AppError } from '../../base/errors.ts';
import { resolveDataPath } from '../../formats/delta/data-path.ts';
import { fileDifference, type FileDifference } from '../../formats/delta/file-difference.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { Cell, ScanFile } from '../../platform/analytics/port.ts';
import type { TableDifference } from './contract.ts';
import type { DeltaTables, TableRef } from './delta-tables.ts';
import { columnsOf, countRows, type TableView } from './read-rows.ts';
import { toScanFile } from './row-selection.ts';

/** Cells of rows that are compared with each other: about ten seconds of one core. */
const COMPARED_CELLS_MAX = 40_000_000;

export interface DifferenceRequest {
  readonly from: number;
  readonly to: number;
  /** Rows shown of what was added, and of what was removed. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

type Difference = Omit<TableDifference, 'from' | 'to'>;
type ColumnChange = Difference['columns']['changed'][number];

interface Side {
  readonly files: readonly ScanFile[];
  readonly rows: number;
}

/**
 * What two versions differ by, from the commits between them and the files these name: rows that
 * were written again unchanged, or only moved to other files, are no difference.
 */
export async function differenceOf(
  tables: Pick<DeltaTables, 'view'>,
  ref: TableRef,
  request: DifferenceRequest,
): Promise<Difference> {
  const { from, to } = request;
  const view = await tables.view(ref, to);
  const files = await readableDifference(view, request);
  const there = columnsOf(view.snapshot);
  const before = files.changesMetadata ? columnsOf((await tables.view(ref, from)).snapshot) : there;
  const columns = columnChanges(before, there);
  const isChanged = new Set(columns.changed.filter(isOtherType).map((change) => change.to.name));
  const rowColumns = there.filter(({ name }) => !isChanged.has(name));
  const sides = {
    added: await sideOf(view, files.added),
    removed: await sideOf(view, files.removed),
  };
  return { columns, rowColumns, ...(await rowChanges(view, sides, rowColumns, request)) };
}

type RowChanges = Omit<Difference, 'columns' | 'rowColumns'>;

async function rowChanges(
  { analytics }: TableView,
  { added, removed }: { readonly added: Side; readonly removed: Side },
  columns: readonly Column[],
  { limit, signal }: DifferenceRequest,
): Promise<RowChanges> {
  const counts = { rowsAdded: added.rows, rowsRemoved: removed.rows };
  const none = { addedRows: [], removedRows: [] };
  const cells = (added.rows + removed.rows) * columns.length;
  const isOneSided = added.rows === 0 || removed.rows === 0;
  if (columns.length === 0) {
    return { ...counts, ...none, notCompared: 'no column has the same type in both' };
  }
  if (isOneSided) {
    const rows = async ({ files }: Side): Promise<Cell[][]> =>
      await analytics.scan({ files, columns, offset: 0, limit, signal });
    const shown = { addedRows: await rows(added), removedRows: await rows(removed) };
    return { ...counts, ...shown, notCompared: null };
  }
  if (cells > COMPARED_CELLS_MAX) {
    const notCompared =
      `${added.rows} rows came and ${removed.rows} went with whole files, ` +
      'too many to look for those in both';
    return { ...counts, ...none, notCompared };
  }
  const found = await analytics.difference({
    from: removed.files,
    to: added.files,
    columns,
    limit,
    signal,
  });
  return {
    rowsAdded: found.added,
    rowsRemoved: found.removed,
    notCompared: null,
    addedRows: found.addedRows,
    removedRows: found.removedRows,
  };
}

async function sideOf(
  view: TableView,
  files: FileDifference['added'] | FileDifference['removed'],
): Promise<Side> {
  // A removal tells neither rows nor time, and nothing here asks for the time.
  const whole = files.map((file) => ({ size: 0, modificationTime: 0, ...file, dataChange: true }));
  const known = whole.map((file) => ({ ...file, size: file.size ?? 0 }));
  const counts = await countRows(view, known);
  return {
    files: known.map((file) => toScanFile(view.io.location, file)),
    rows: counts.reduce((sum, count) => sum + count, 0),
  };
}

/** Compaction by another engine may be followed by the removal of what it had merged. */
async function readableDifference(
  { io }: TableView,
  { from, to }: DifferenceRequest,
): Promise<FileDifference> {
  const difference = await fileDifference(io, { from, to });
  if ((await firstMissing(io.location, difference)) === null) return difference;
  const physical = await fileDifference(io, { from, to, readsMoved: true });
  const missing = await firstMissing(io.location, physical);
  if (missing === null) return physical;
  throw new AppError('TABLE_VERSION_NOT_FOUND', `The data of version ${from} is gone.`, {
    hint: 'Its files were vacuumed: compare versions that still have theirs.',
    cause: missing,
  });
}

async function firstMissing(
  location: string,
  { added, removed }: FileDifference,
): Promise<Error | null> {
  for (const { path } of [...added, ...removed]) {
    try {
      await access(resolveDataPath(location, path));
    } catch (error) {
      return error as Error;
    }
  }
  return null;
}

function columnChanges(before: readonly Column[], after: readonly Column[]): Difference['columns'] {
  const former = new Map(before.map((column) => [column.name, column]));
  const later = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !former.has(name)),
    removed: before.filter(({ name }) => !later.has(name)),
    changed: after.flatMap((to) => {
      const from = former.get(to.name);
      const isSame = from === undefined || (from.type === to.type && from.nullable === to.nullable);
      return isSame ? [] : [{ from, to }];
    }),
  };
}

function isOtherType({ from, to }: ColumnChange): boolean {
  return from.type !== to.type;
}
