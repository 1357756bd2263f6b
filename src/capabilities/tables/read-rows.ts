import { AppError } from '../../base/errors.ts';
import type { AddFile } from '../../formats/delta/actions.ts';
import { readCommit } from '../../formats/delta/load-snapshot.ts';
import { comparable, compare } from '../../formats/delta/prune.ts';
import { parseColumns, type Column } from '../../formats/delta/schema.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import { recordCount } from '../../formats/delta/stats.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import type { Analytics, Cell, Condition } from '../../platform/analytics/port.ts';
import { filesInOrder, filesMatching, planPage, rankFiles, toScanFile } from './row-selection.ts';

export interface RowPage {
  readonly version: number;
  readonly columns: readonly Column[];
  readonly rows: Cell[][];
}

export interface PageRequest {
  /** Default: all. */
  readonly columns?: readonly string[];
  readonly offset: number;
  readonly limit: number;
  readonly newestFirst?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface RowFilter {
  readonly column: string;
  readonly comparison: Condition['comparison'];
  readonly value: string | number | boolean;
}

export interface FindRequest {
  readonly columns?: readonly string[];
  /** All of them must hold; nulls satisfy none. */
  readonly where: readonly RowFilter[];
  readonly orderBy?: { readonly column: string; readonly descending: boolean };
  /** Looks only at the files that this commit added and that are still part of the table. */
  readonly addedIn?: number;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** Files an ordered search opens first; it doubles until what is left cannot matter. */
const FIRST_FILES = 8;

/** One table at one version. */
export interface TableView {
  readonly analytics: Analytics;
  readonly io: TableIo;
  readonly snapshot: Snapshot;
}

/** Rows in the order they were added, or with `newestFirst` in the opposite one. */
export async function readPage(view: TableView, request: PageRequest): Promise<RowPage> {
  const { analytics, io, snapshot } = view;
  const { newestFirst = false, signal } = request;
  const columns = pickColumns(snapshot, request.columns);
  const files = filesInOrder(snapshot);
  const counts = await countRows(view, files);
  const range = newestFirst ? countedFromEnd(counts, request) : request;
  const plan = planPage(files, counts, range);
  const rows = await analytics.scan({
    files: plan.files.map((file) => toScanFile(io.location, file)),
    columns,
    offset: plan.offset,
    limit: range.limit,
    signal,
  });
  return { version: snapshot.version, columns, rows: newestFirst ? rows.toReversed() : rows };
}

function countedFromEnd(
  counts: readonly number[],
  { offset, limit }: PageRequest,
): { readonly offset: number; readonly limit: number } {
  const end = Math.max(0, counts.reduce((sum, count) => sum + count, 0) - offset);
  const start = Math.max(0, end - limit);
  return { offset: start, limit: end - start };
}

/** Rows of each file: from its stats, or from its footer where another engine wrote none. */
export async function countRows(view: TableView, files: readonly AddFile[]): Promise<number[]> {
  const counts = files.map((file) => recordCount(file.stats));
  const uncounted = files.filter((_, index) => counts[index] === null);
  if (uncounted.length === 0) return counts as number[];
  const { analytics, io } = view;
  const paths = uncounted.map((file) => toScanFile(io.location, file).path);
  const counted = (await analytics.countRows(paths)).values();
  return counts.map((count) => count ?? counted.next().value ?? 0);
}

/** Rows that satisfy the filters, opening only files that can hold one. */
export async function findRows(view: TableView, request: FindRequest): Promise<RowPage> {
  const { analytics, io, snapshot } = view;
  const { limit, signal, orderBy, addedIn } = request;
  const columns = pickColumns(snapshot, request.columns);
  const where = request.where.map(({ column, comparison, value }) => ({
    column: pickColumns(snapshot, [column])[0]!,
    comparison,
    value,
  }));
  const candidates =
    addedIn === undefined ? filesInOrder(snapshot) : await filesAddedIn(view, addedIn);
  const files = filesMatching(candidates, where);
  if (orderBy !== undefined) {
    const order = {
      column: pickColumns(snapshot, [orderBy.column])[0]!,
      descending: orderBy.descending,
    };
    const rows = await scanOrdered(view, { files, columns, where, order, limit, signal });
    return { version: snapshot.version, columns, rows };
  }
  const scanFiles = files.map((file) => toScanFile(io.location, file));
  const rows = await analytics.scan({ files: scanFiles, columns, where, offset: 0, limit, signal });
  return { version: snapshot.version, columns, rows };
}

async function filesAddedIn({ io, snapshot }: TableView, version: number): Promise<AddFile[]> {
  const actions = (await readCommit(io, version)) ?? [];
  return actions.flatMap(({ add }) => {
    const live = add ? snapshot.files.get(add.path) : undefined;
    return live === undefined ? [] : [live];
  });
}

interface OrderedScan {
  readonly files: readonly AddFile[];
  readonly columns: readonly Column[];
  readonly where: readonly Condition[];
  readonly order: { readonly column: Column; readonly descending: boolean };
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The first rows in an order: opens the files that can hold the best values, and more of them until
 * the rest cannot hold anything better than the last row found. "The newest hundred" thus opens few
 * files of a table of thousands.
 */
async function scanOrdered({ analytics, io }: TableView, scan: OrderedScan): Promise<Cell[][]> {
  const { order, limit, where, signal } = scan;
  const ranked = rankFiles(scan.files, order);
  // The order's own column comes along, to compare the last row with the files left out.
  const columns = [...scan.columns, order.column];
  for (let opened = FIRST_FILES; ; opened *= 2) {
    const files = ranked.slice(0, opened).map(({ file }) => toScanFile(io.location, file));
    const rows = await analytics.scan({
      files,
      columns,
      where,
      orderBy: order,
      offset: 0,
      limit,
      signal,
    });
    const next = ranked[opened];
    const worst = comparable(order.column, rows.at(-1)?.at(-1));
    const isSettled =
      next === undefined ||
      (rows.length === limit &&
        worst !== null &&
        next.best !== null &&
        (order.descending ? compare(next.best, worst) < 0 : compare(next.best, worst) > 0));
    if (isSettled) return rows.map((row) => row.slice(0, -1));
  }
}

export function columnsOf(snapshot: Snapshot): Column[] {
  return parseColumns(snapshot.metadata.schemaString);
}

function pickColumns(snapshot: Snapshot, names: readonly string[] | undefined): Column[] {
  const columns = columnsOf(snapshot);
  if (names === undefined) return columns;
  return names.map((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    if (column !== undefined) return column;
    throw new AppError('INVALID_INPUT', `The table has no column ${name}.`, {
      hint: `Its columns are ${columns
        .slice(0, 20)
        .map((candidate) => candidate.name)
        .join(', ')}.`,
    });
  });
}
