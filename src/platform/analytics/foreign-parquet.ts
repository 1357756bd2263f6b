import type { DuckDBConnection } from '@duckdb/node-api';
import { dirname } from 'node:path';
import { AppError } from '../../base/errors.ts';
import { COLUMN_TYPES, type Column, type ColumnType } from '../../formats/delta/schema.ts';
import type { WrittenStats } from '../../formats/delta/stats.ts';
import { DuckDbSession, type DuckDbOptions } from './duckdb-session.ts';
import { removeIfPresent } from './durable-files.ts';
import { castAll, copyToFile } from './parquet-writer.ts';
import type { WrittenFile } from './port.ts';
import { literal } from './sql-text.ts';

interface Form {
  /** What DuckDB may read the column as: the same type, or one whose every value it holds. */
  readonly readAs: readonly [string, ...string[]];
  /** The type's name in Arrow, which most writers of Parquet go through. */
  readonly arrow: string;
}

const FORMS: Readonly<Record<ColumnType, Form>> = {
  string: { readAs: ['VARCHAR'], arrow: 'string' },
  long: {
    readAs: ['BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'UINTEGER', 'USMALLINT', 'UTINYINT'],
    arrow: 'int64',
  },
  integer: { readAs: ['INTEGER', 'SMALLINT', 'TINYINT', 'USMALLINT', 'UTINYINT'], arrow: 'int32' },
  double: { readAs: ['DOUBLE', 'FLOAT'], arrow: 'double' },
  float: { readAs: ['FLOAT'], arrow: 'float' },
  boolean: { readAs: ['BOOLEAN'], arrow: 'bool' },
  timestamp: { readAs: ['TIMESTAMP WITH TIME ZONE'], arrow: 'timestamp[us, UTC]' },
  date: { readAs: ['DATE'], arrow: 'date32' },
  binary: { readAs: ['BLOB'], arrow: 'binary' },
};

const NAIVE_TIMESTAMP = /^TIMESTAMP(_S|_MS|_NS)?$/;

export interface ForeignCopy {
  readonly source: string;
  readonly path: string;
  readonly columns: readonly Column[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies the rows of a Parquet file of unknown origin into a data file of ours. A broken file can
 * leave a DuckDB unusable, and a hostile one may name other files as the place of its columns: so
 * it gets a DuckDB of its own, which is gone afterwards and sees nothing but source and target.
 */
export async function copyForeignParquet(
  options: DuckDbOptions,
  { source, path, columns, signal }: ForeignCopy,
): Promise<WrittenFile> {
  const folders = [dirname(path)];
  const session = await DuckDbSession.open({ ...options, folders, files: [source] });
  try {
    return await session.use(async (connection) => {
      const read = `SELECT * FROM read_parquet(${literal(source)}, hive_partitioning = false)`;
      const found = await describe(connection, read, source);
      assertColumns(columns, found);
      const written = await copyToFile(connection, path, castAll(read, columns)).catch(
        (error: unknown) => {
          signal?.throwIfAborted();
          throw unreadable(error, { source, target: path });
        },
      );
      const column = outsideCalendar(columns, written.stats);
      if (column === null) return written;
      removeIfPresent(path);
      throw refused(`Column ${column} holds times before the year 1 or after 9999.`, { column });
    }, signal);
  } finally {
    await session.close();
  }
}

/**
 * The columns that a table needs to take the rows of a Parquet file of unknown origin, of which
 * only the footer is read. `INVALID_INPUT` names a column of a type that no table has.
 */
export async function parquetColumns(options: DuckDbOptions, source: string): Promise<Column[]> {
  const session = await DuckDbSession.open({ ...options, folders: [], files: [source] });
  try {
    return await session.use(async (connection) => {
      const read = `SELECT * FROM read_parquet(${literal(source)}, hive_partitioning = false)`;
      const found = await describe(connection, read, source);
      return found.map(({ name, type }) => ({ name, type: typeFor(name, type), nullable: true }));
    });
  } finally {
    await session.close();
  }
}

/** The narrowest type that holds every value. */
function typeFor(column: string, found: string): ColumnType {
  const types: readonly ColumnType[] = ['integer', 'float', ...COLUMN_TYPES];
  const type = types.find((one) => FORMS[one].readAs.includes(found));
  if (type !== undefined) return type;
  if (NAIVE_TIMESTAMP.test(found)) throw naiveTime(column);
  throw refused(`Column ${column}: no column of a table holds ${typeName(found)}.`, {
    column,
    hint: `Types are ${COLUMN_TYPES.join(', ')}: leave the column out, or write it as one of them.`,
  });
}

interface FoundColumn {
  readonly name: string;
  /** DuckDB's spelling. */
  readonly type: string;
}

async function describe(
  connection: DuckDBConnection,
  read: string,
  source: string,
): Promise<FoundColumn[]> {
  try {
    const rows = (await connection.runAndReadAll(`DESCRIBE ${read}`)).getRows();
    return rows.map(([name, type]) => ({ name: name as string, type: type as string }));
  } catch (error) {
    throw unreadable(error, { source });
  }
}

function assertColumns(columns: readonly Column[], found: readonly FoundColumn[]): void {
  const types = new Map(found.map(({ name, type }) => [name, type]));
  for (const { name, type } of columns) {
    const foundType = types.get(name);
    if (foundType === undefined) {
      throw refused(`The file lacks the column ${name}.`, {
        column: name,
        hint: `It has ${listed(found)}; it must have ${listed(columns)}.`,
      });
    }
    assertType(name, type, foundType);
    types.delete(name);
  }
  const [extra] = types.keys();
  if (extra === undefined) return;
  throw refused(`The table has no column ${extra}.`, {
    column: extra,
    hint: `Its columns are ${listed(columns)}.`,
  });
}

function assertType(column: string, expected: ColumnType, found: string): void {
  if (FORMS[expected].readAs.includes(found)) return;
  if (expected === 'timestamp' && NAIVE_TIMESTAMP.test(found)) {
    throw naiveTime(column);
  }
  throw refused(`Column ${column}: expected ${expected}, the file has ${typeName(found)}.`, {
    column,
    hint: `Write the column as ${FORMS[expected].arrow}.`,
  });
}

function naiveTime(column: string): AppError {
  return refused(`Column ${column} holds times without a zone.`, {
    column,
    hint: 'Write it as instants (isAdjustedToUTC): in pandas, with tz_localize or utc=True.',
  });
}

/** Our name of the type, where there is one. */
function typeName(duckDbType: string): string {
  const same = Object.entries(FORMS).find(([, { readAs }]) => readAs[0] === duckDbType);
  return same?.[0] ?? duckDbType.slice(0, NAME_LENGTH_SHOWN);
}

const NAMES_SHOWN = 20;
const NAME_LENGTH_SHOWN = 100;

function listed(columns: readonly { readonly name: string }[]): string {
  const names = columns.slice(0, NAMES_SHOWN).map(({ name }) => name.slice(0, NAME_LENGTH_SHOWN));
  return columns.length > NAMES_SHOWN ? `${names.join(', ')}, ...` : names.join(', ');
}

const WRITTEN_TIME = /^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d+)?\+00(:00)?)?$/;

/** The first column with a time that RFC 3339 cannot say, among them the infinities. */
function outsideCalendar(columns: readonly Column[], { columns: written }: WrittenStats) {
  const outside = columns.find(({ name, type }) => {
    if (type !== 'timestamp' && type !== 'date') return false;
    const { min, max } = written.get(name) ?? {};
    return [min, max].some((bound) => bound !== undefined && !WRITTEN_TIME.test(bound));
  });
  return outside?.name ?? null;
}

function refused(
  message: string,
  { column, hint = 'Mend the file.' }: { readonly column: string; readonly hint?: string },
): AppError {
  return new AppError('INVALID_INPUT', message, {
    hint: `${hint} Nothing was kept.`,
    details: { column },
  });
}

/** What the machine did wrong is thrown on as it is; everything else the file did. */
function unreadable(
  error: unknown,
  { source, target }: { readonly source: string; readonly target?: string },
): unknown {
  const message = error instanceof Error ? error.message : '';
  const isMachine =
    /^(Out of Memory|INTERRUPT|Permission) Error/.test(message) ||
    /No space left|Cannot open file|Too many open files/i.test(message) ||
    (target !== undefined && message.includes(target));
  if (isMachine || error instanceof AppError) return error;
  const [line = ''] = message.replaceAll(source, 'body').split('\n');
  return new AppError('INVALID_INPUT', `The body is no readable Parquet file: ${line}`, {
    hint: 'Check that the file is complete and opens elsewhere. Nothing was kept.',
    cause: error,
  });
}
