import type { DuckDBValue } from '@duckdb/node-api';
import type { Column, ColumnType } from '../../formats/delta/schema.ts';
import type { DuckDbSession } from './duckdb-session.ts';
import type { Cell, Scan, ScanFile, Selection } from './port.ts';
import { fileList, identifier, literal, SQL_TYPE } from './sql-text.ts';

/** Files named in one statement: keeps its text and its open files bounded. */
const FILES_AT_ONCE = 256;

export async function scanRows(session: DuckDbSession, scan: Scan): Promise<Cell[][]> {
  if (scan.files.length === 0 || scan.limit === 0) return [];
  if (scan.orderBy !== undefined) return await query(session, scan, scan.files, scan);
  const rows: Cell[][] = [];
  let skip = scan.offset;
  for (let start = 0; start < scan.files.length; start += FILES_AT_ONCE) {
    const files = scan.files.slice(start, start + FILES_AT_ONCE);
    const wanted = scan.limit - rows.length;
    // The rows to skip are read too: the next batch must know how many of them this one had.
    const batch = await query(session, scan, files, { offset: 0, limit: skip + wanted });
    rows.push(...batch.slice(skip));
    skip = Math.max(0, skip - batch.length);
    if (rows.length === scan.limit) break;
  }
  return rows;
}

export async function* selectColumns(
  session: DuckDbSession,
  selection: Selection,
): AsyncGenerator<readonly (readonly unknown[])[], void, undefined> {
  const { files, columns, expressions, signal } = selection;
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    const batch = files.slice(start, start + FILES_AT_ONCE);
    const sql = `SELECT ${expressions.join(', ')} FROM (${fileRowsSql(batch, columns)})`;
    for await (const piece of session.stream(sql, (values) => values)) {
      signal?.throwIfAborted();
      yield piece;
    }
  }
}

/** A SELECT of the rows of all files in their order, with the columns in their declared types. */
export function fileRowsSql(files: readonly ScanFile[], columns: readonly Column[]): string {
  const typed = columns.map((column) => `${cast(column)} AS ${identifier(column.name)}`);
  return `SELECT ${typed.join(', ')} FROM (${fromFiles({ columns }, files)}) AS rows`;
}

async function query(
  session: DuckDbSession,
  scan: Scan,
  files: readonly ScanFile[],
  page: { readonly offset: number; readonly limit: number },
): Promise<Cell[][]> {
  const shown = scan.columns.map(
    (column) => `${showSql(cast(column), column.type)} AS ${identifier(column.name)}`,
  );
  const conditions = (scan.where ?? []).map(
    ({ column, comparison }, index) =>
      `${cast(column)} ${comparison} CAST($${index + 1} AS ${SQL_TYPE[column.type]})`,
  );
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql =
    `SELECT ${shown.join(', ')} FROM (${fromFiles(scan, files)}) AS rows ${where} ` +
    `${orderSql(scan.orderBy)} LIMIT ${page.limit} OFFSET ${page.offset}`;
  const values = (scan.where ?? []).map(({ value }) => value);
  const rows = await session.rows(sql, values, scan.signal);
  return rows.map((row) => row.map((value, index) => toCell(value, scan.columns[index]!.type)));
}

/** By the stored column, not by the text it is shown as, which has the same name. */
function orderSql(orderBy: Scan['orderBy']): string {
  if (orderBy === undefined) return '';
  const { column, descending } = orderBy;
  return `ORDER BY ${cast(column)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`;
}

/**
 * All rows of the files, in their order, with at least the declared columns. The empty first branch
 * supplies those that no file has; `hive_partitioning` would take columns from folder names, which
 * the protocol says mean nothing.
 */
function fromFiles(
  scan: Pick<Scan, 'columns' | 'where' | 'orderBy'>,
  files: readonly ScanFile[],
): string {
  const asked = [...scan.columns, ...(scan.where ?? []).map((condition) => condition.column)];
  if (scan.orderBy !== undefined) asked.push(scan.orderBy.column);
  const needed = new Map(asked.map((column) => [column.name, column]));
  const nulls = [...needed.values()].map(
    ({ name, type }) => `CAST(NULL AS ${SQL_TYPE[type]}) AS ${identifier(name)}`,
  );
  const branches = [`SELECT ${nulls.join(', ')} WHERE false`];
  for (const group of groupByPartition(files)) {
    const constants = Object.entries(group.partitionValues)
      .filter(([name]) => needed.has(name))
      .map(([name, value]) => {
        const text = value === null || value === '' ? 'NULL' : literal(value);
        return `CAST(${text} AS ${SQL_TYPE[needed.get(name)!.type]}) AS ${identifier(name)}, `;
      });
    branches.push(
      `SELECT ${constants.join('')}* FROM read_parquet(${fileList(group.paths)}, ` +
        'union_by_name = true, hive_partitioning = false)',
    );
  }
  return branches.join(' UNION ALL BY NAME ');
}

interface FileGroup {
  readonly partitionValues: ScanFile['partitionValues'];
  readonly paths: string[];
}

/** Neighbours of the same partition are read together; an unpartitioned table is one group. */
function groupByPartition(files: readonly ScanFile[]): FileGroup[] {
  const groups: FileGroup[] = [];
  let key: string | null = null;
  for (const { path, partitionValues } of files) {
    const nextKey = JSON.stringify(partitionValues);
    if (nextKey === key) groups.at(-1)!.paths.push(path);
    else groups.push({ partitionValues, paths: [path] });
    key = nextKey;
  }
  return groups;
}

function cast({ name, type }: Column): string {
  return `CAST(rows.${identifier(name)} AS ${SQL_TYPE[type]})`;
}

/** A value of the type as `toCell` expects it; the rest of the way to JSON is done there. */
export function showSql(value: string, type: ColumnType): string {
  switch (type) {
    case 'timestamp':
      return `CAST(${value} AS VARCHAR)`;
    case 'date':
      return `CAST(${value} AS VARCHAR)`;
    case 'binary':
      return `to_base64(${value})`;
    case 'float':
      // The shortest decimal that means this float, instead of its exact value as a double.
      return `CAST(CAST(${value} AS VARCHAR) AS DOUBLE)`;
    case 'string':
    case 'long':
    case 'integer':
    case 'double':
    case 'boolean':
      return value;
  }
}

export function toCell(value: DuckDBValue, type: ColumnType): Cell {
  if (value === null) return null;
  if (type === 'timestamp') return toRfc3339(value as string);
  if (typeof value === 'bigint') {
    const isExact = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    return isExact ? Number(value) : String(value);
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return value as string | boolean;
}

/** From DuckDB's `2001-02-03 04:05:06.789+00`; a year past 9999 or before 1 keeps its spelling. */
function toRfc3339(text: string): string {
  return text.replace(/^(\d{4}-\d{2}-\d{2}) (\S+)\+00$/, '$1T$2Z');
}
