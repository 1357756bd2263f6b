import type { DuckDBConnection, DuckDBResult, Json } from '@duckdb/node-api';
import { AppError } from '../../base/errors.ts';
import type { SqlAnswer, SqlLimits, SqlTable } from './port.ts';
import { fileRowsSql } from './row-reader.ts';
import { limitReached, type SqlOrder } from './sql-order.ts';
import { onlyQuestions } from './sql-statement.ts';
import { fileList, identifier } from './sql-text.ts';

/** Tables of this schema can be named without it. */
const DEFAULT_SCHEMA = 'default';

/** Runs the query on a DuckDB that has the tables as views and nothing else. */
export async function runSql(order: SqlOrder): Promise<SqlAnswer> {
  const { sql, tables, limits } = order;
  try {
    const connection = await openLocked(order);
    return await answer(connection, sql, limits);
  } catch (thrown) {
    throw asAppError(thrown, tables, limits);
  }
}

async function openLocked({ tables, limits, spillFolder }: SqlOrder): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(limits.memoryBytes / 1024)}KiB`,
    max_temp_directory_size: `${Math.floor(limits.spillBytes / 1024)}KiB`,
    temp_directory: spillFolder,
    threads: '1',
    enable_external_file_cache: 'false',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  for (const table of tables) await addView(connection, table);
  const files = tables.flatMap((table) => table.files.map(({ path }) => path));
  await connection.run('SET allowed_directories = []');
  await connection.run(`SET allowed_paths = ${fileList(files)}`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return connection;
}

async function addView(connection: DuckDBConnection, table: SqlTable): Promise<void> {
  const { schema, name, files, columns } = table;
  const full = `${identifier(schema)}.${identifier(name)}`;
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`);
  await connection.run(`CREATE VIEW ${full} AS ${fileRowsSql(files, columns)}`);
  if (schema !== DEFAULT_SCHEMA) return;
  await connection.run(`CREATE VIEW main.${identifier(name)} AS SELECT * FROM ${full}`);
}

async function answer(
  connection: DuckDBConnection,
  sql: string,
  limits: SqlLimits,
): Promise<SqlAnswer> {
  const { StatementType } = await import('@duckdb/node-api');
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw onlyQuestions();
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT) throw onlyQuestions();
  const result = await prepared.stream();
  const types = result.columnTypes().map(String);
  const rows = await readRows(result, types, limits);
  const isCut = rows.length > limits.rows;
  return {
    columns: result.columnNames().map((name, index) => ({ name, type: types[index]! })),
    rows: rows.slice(0, limits.rows),
    isCut,
  };
}

/** One row more than wanted, when there is one. */
async function readRows(
  result: DuckDBResult,
  types: readonly string[],
  limits: SqlLimits,
): Promise<Json[][]> {
  const { JsonDuckDBValueConverter } = await import('@duckdb/node-api');
  const rows: Json[][] = [];
  let bytes = 0;
  while (rows.length <= limits.rows) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const row of chunk.convertRows(JsonDuckDBValueConverter)) {
      const cells = row.map((cell, index) => plain(cell, types[index]!));
      bytes += Buffer.byteLength(JSON.stringify(cells));
      if (bytes > limits.resultBytes) throw limitReached('result', limits);
      rows.push(cells);
      if (rows.length > limits.rows) break;
    }
  }
  return rows;
}

const WHOLE = /^U?(BIG|HUGE)INT$/;

/** As `Analytics.scan` gives it: whole numbers as numbers where JSON can, times in RFC 3339. */
function plain(cell: Json, type: string): Json {
  if (typeof cell !== 'string') return cell;
  if (WHOLE.test(type)) {
    const number = Number(cell);
    return Number.isSafeInteger(number) ? number : cell;
  }
  if (type !== 'TIMESTAMP WITH TIME ZONE') return cell;
  return cell.replace(/^(\d{4}-\d{2}-\d{2}) (\S+)\+00$/, '$1T$2Z');
}

/** DuckDB reports by message only. */
function asAppError(thrown: unknown, tables: readonly SqlTable[], limits: SqlLimits): unknown {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (/max_temp_directory_size|temporary directory/i.test(message)) {
    return limitReached('disk', limits);
  }
  if (
    /Out of Memory|bad_alloc|bad allocation|Array buffer allocation|Invalid string length/i.test(
      message,
    )
  ) {
    return limitReached('memory', limits);
  }
  if (/No space left on device/i.test(message))
    return Object.assign(new Error(message), { code: 'ENOSPC' });
  if (message.startsWith('Permission Error')) {
    return new AppError('INVALID_INPUT', 'A query reads tables, and neither files nor networks.', {
      hint: 'Put the rows into a table: millwright tables append NAME FILE',
    });
  }
  return new AppError('INVALID_INPUT', shortened(message), { hint: tablesHint(tables) });
}

const MESSAGE_CHARS = 2000;

function shortened(message: string): string {
  const said = message.replace(/^Failed to (extract statements|prepare): /, '');
  return said.length <= MESSAGE_CHARS ? said : `${said.slice(0, MESSAGE_CHARS)}…`;
}

function tablesHint(tables: readonly SqlTable[]): string {
  if (tables.length === 0) return 'Tables are called NAMESPACE.NAME: millwright tables ls';
  const names = tables.slice(0, 10).map(({ schema, name }) => `${schema}.${name}`);
  return `The query sees ${names.join(', ')}; others: millwright tables ls`;
}
