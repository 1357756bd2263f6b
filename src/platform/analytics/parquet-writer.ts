import type { DuckDBConnection, DuckDBMapValue, DuckDBValue } from '@duckdb/node-api';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { assert, present } from '../../base/assert.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { WrittenColumn } from '../../formats/delta/stats.ts';
import type { DuckDbSession } from './duckdb-session.ts';
import { removeIfPresent, syncFile, syncFolder } from './durable-files.ts';
import { JSON_FORMS } from './json-value.ts';
import { readNdjson } from './ndjson.ts';
import type { RowBatch, RowSource, WrittenFile } from './port.ts';
import { isSmall, writeSmallParquet } from './small-parquet.ts';
import { identifier, literal, SQL_TYPE } from './sql-text.ts';

/** zstd and V1 data pages: what the Delta specification asks new writers for. */
const COPY_OPTIONS = 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, RETURN_STATS';

/** Temporary tables belong to their connection, and each write has its own. */
const STAGED = 'staged';

export interface WriteRequest {
  readonly path: string;
  readonly source: Exclude<RowSource, { readonly kind: 'parquet' }>;
  readonly columns: readonly Column[];
  readonly signal?: AbortSignal | undefined;
}

export async function writeParquet(
  session: DuckDbSession,
  { path, source, columns, signal }: WriteRequest,
): Promise<WrittenFile> {
  if (source.kind === 'select') {
    const { sql } = source;
    const select = castAll(sql, columns);
    return await session.use((connection) => copyToFile(connection, path, select), signal);
  }
  const batches = readNdjson(source.bytes, columns);
  const first = await batches.next();
  const second = first.done === true ? first : await batches.next();
  signal?.throwIfAborted();
  if (first.done !== true && second.done === true && isSmall(first.value)) {
    return await writeSmallParquet(path, columns, first.value);
  }
  const read = [first, second].flatMap((one) => (one.done === true ? [] : [one.value]));
  return await session.use(async (connection) => {
    await connection.run(`CREATE TEMP TABLE ${STAGED} (${stagedColumns(columns)})`);
    await stageRows(connection, chained(read, batches), columns, signal);
    return await copyToFile(connection, path, `SELECT ${unstaged(columns)} FROM ${STAGED}`);
  }, signal);
}

async function* chained(
  read: readonly RowBatch[],
  rest: AsyncGenerator<RowBatch>,
): AsyncGenerator<RowBatch> {
  yield* read;
  yield* rest;
}

export function castAll(sql: string, columns: readonly Column[]): string {
  const casts = columns.map(
    ({ name, type }) => `CAST(${identifier(name)} AS ${SQL_TYPE[type]}) AS ${identifier(name)}`,
  );
  return `SELECT ${casts.join(', ')} FROM (${sql})`;
}

/**
 * Staged by position: two column names may differ in case only where a table was made elsewhere.
 */
function stagedColumns(columns: readonly Column[]): string {
  return columns.map(({ type }, index) => `c${index} ${JSON_FORMS[type].staged}`).join(', ');
}

function unstaged(columns: readonly Column[]): string {
  return columns
    .map(({ name, type }, index) => {
      const value = JSON_FORMS[type].sql.replace('$', `c${index}`);
      return `${value} AS ${identifier(name)}`;
    })
    .join(', ');
}

async function stageRows(
  connection: DuckDBConnection,
  batches: AsyncIterable<RowBatch>,
  columns: readonly Column[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { BIGINT, BOOLEAN, DOUBLE, DuckDBDataChunk, FLOAT, INTEGER, VARCHAR } =
    await import('@duckdb/node-api');
  const types = { BIGINT, BOOLEAN, DOUBLE, FLOAT, INTEGER, VARCHAR };
  const chunk = DuckDBDataChunk.create(columns.map(({ type }) => types[JSON_FORMS[type].staged]));
  const appender = await connection.createAppender(STAGED, 'main', 'temp');
  try {
    for await (const batch of batches) {
      signal?.throwIfAborted();
      chunk.reset();
      chunk.rowCount = batch.rowCount;
      batch.columns.forEach((values, index) => {
        chunk.setColumnValues(index, values);
      });
      appender.appendDataChunk(chunk);
      // Bytes already in memory would otherwise be parsed to the end in one go.
      await setImmediate();
    }
  } finally {
    appender.closeSync();
  }
}

/** Durable on return; the file is gone again on failure. */
export async function copyToFile(
  connection: DuckDBConnection,
  path: string,
  select: string,
): Promise<WrittenFile> {
  try {
    const sql = `COPY (${select}) TO ${literal(path)} (${COPY_OPTIONS})`;
    const reader = await connection.runAndReadAll(sql);
    const [row] = reader.getRowObjects();
    await syncFile(path);
    await syncFolder(dirname(path));
    const { size } = await stat(path);
    return writtenFile(present(row, 'the statistics of COPY'), size);
  } catch (error) {
    removeIfPresent(path);
    throw error;
  }
}

function writtenFile(row: Record<string, DuckDBValue>, sizeBytes: number): WrittenFile {
  assert(Number(row['file_size_bytes']) === sizeBytes, 'a written file changed its size');
  const columns = new Map<string, WrittenColumn>();
  for (const { key, value } of (row['column_statistics'] as DuckDBMapValue).entries) {
    columns.set(unquoted(key as string), writtenColumn(value as DuckDBMapValue));
  }
  return { sizeBytes, stats: { rows: Number(row['count']), columns } };
}

/** Keys are dotted paths of quoted names; ours have one part. */
function unquoted(key: string): string {
  return key.replace(/^"|"$/g, '').replaceAll('""', '"');
}

function writtenColumn({ entries }: DuckDBMapValue): WrittenColumn {
  const facts = new Map(entries.map(({ key, value }) => [key as string, value as string]));
  const min = facts.get('min');
  const max = facts.get('max');
  return {
    nullCount: Number(facts.get('null_count')),
    hasNan: facts.get('has_nan') === 'true',
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  };
}
