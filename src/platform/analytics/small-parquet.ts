import { dirname } from 'node:path';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { formatInstant, micros } from '../../base/time.ts';
import type { Column, ColumnType } from '../../formats/delta/schema.ts';
import type { WrittenColumn } from '../../formats/delta/stats.ts';
import { removeIfPresent, syncFolder, writeFileDurably } from './durable-files.ts';
import type { RowBatch, StagedValue, WrittenFile } from './port.ts';

/**
 * Parquet files of one batch of rows, written in JavaScript: for a hundred rows DuckDB's staging,
 * planning and copying take ten times as long as the file itself.
 */

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>[number];

/** How each type is stored: as DuckDB stores it, so that a table's files are all alike. */
const STORED: Readonly<Record<ColumnType, Omit<SchemaElement, 'name'>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  long: { type: 'INT64' },
  integer: { type: 'INT32' },
  double: { type: 'DOUBLE' },
  float: { type: 'FLOAT' },
  boolean: { type: 'BOOLEAN' },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
  date: { type: 'INT32', converted_type: 'DATE' },
  binary: { type: 'BYTE_ARRAY' },
};

/** Characters of text in one such file: compressing more in JavaScript takes longer than DuckDB. */
const TEXT_LENGTH_MAX = 256 * 1024;

/** Whether the batch is written faster here than by DuckDB. */
export function isSmall({ columns }: RowBatch): boolean {
  let length = 0;
  for (const values of columns) {
    if (!values.some((value) => typeof value === 'string')) continue;
    for (const value of values) if (typeof value === 'string') length += value.length;
    if (length > TEXT_LENGTH_MAX) return false;
  }
  return true;
}

/** Durable on return; the file is gone again on failure. Snappy, one row group. */
export async function writeSmallParquet(
  path: string,
  columns: readonly Column[],
  batch: RowBatch,
): Promise<WrittenFile> {
  const bytes = Buffer.from(encode(columns, batch));
  try {
    await Promise.all([writeFileDurably(path, bytes), syncFolder(dirname(path))]);
  } catch (error) {
    removeIfPresent(path);
    throw error;
  }
  const stats = columns.map(
    ({ name, type }, index) => [name, statsOf(type, batch.columns[index]!)] as const,
  );
  return {
    sizeBytes: bytes.length,
    stats: { rows: batch.rowCount, columns: new Map(stats) },
    batch,
  };
}

function encode(columns: readonly Column[], batch: RowBatch): ArrayBuffer {
  const fields = columns.map(({ name, type }): SchemaElement => ({
    name,
    repetition_type: 'OPTIONAL',
    ...STORED[type],
  }));
  const columnData = columns.map(({ name, type }, index): ColumnSource => {
    const values = batch.columns[index]!;
    const data = type === 'binary' ? values.map(fromBase64) : [...values];
    return { name, data };
  });
  return parquetWriteBuffer({
    columnData,
    schema: [{ name: 'root', num_children: columns.length }, ...fields],
    rowGroupSize: batch.rowCount,
    // The table's log has the bounds; those of a file would have to order text as its readers do.
    statistics: false,
    createdBy: 'Millwright',
  });
}

function fromBase64(value: StagedValue): Uint8Array | null {
  return value === null ? null : Buffer.from(value as string, 'base64');
}

/** As DuckDB reports it, so that both kinds of files get the same stats in the log. */
function statsOf(type: ColumnType, values: readonly StagedValue[]): WrittenColumn {
  const known = values.filter((value) => value !== null);
  const nullCount = values.length - known.length;
  const ordered = known.filter((value) => !Number.isNaN(value));
  const hasNan = ordered.length < known.length;
  if (ordered.length === 0 || type === 'binary') return { nullCount, hasNan };
  const compare = type === 'string' ? compareTexts : compareValues;
  let [min, max] = [ordered[0]!, ordered[0]!];
  for (const value of ordered) {
    if (compare(value, min) < 0) min = value;
    if (compare(value, max) > 0) max = value;
  }
  const [least, greatest] = [textOf(type, min), textOf(type, max)];
  if (least === null || greatest === null) return { nullCount, hasNan };
  return { nullCount, hasNan, min: least, max: greatest };
}

function compareValues(a: NonNullable<StagedValue>, b: NonNullable<StagedValue>): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By UTF-8 bytes, as Parquet and Delta order text: UTF-16 units order astral characters lower. */
function compareTexts(a: NonNullable<StagedValue>, b: NonNullable<StagedValue>): number {
  const [left, right] = [a as string, b as string];
  if (left === right) return 0;
  const isPlain = !SURROGATE.test(left) && !SURROGATE.test(right);
  if (isPlain) return left < right ? -1 : 1;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

const SURROGATE = /[\ud800-\udfff]/;
const MS_PER_DAY = 86_400_000;
/** Days since 1970 of 0001-01-01 and 9999-12-31: years that ISO 8601 writes with four digits. */
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896];

/** As DuckDB prints it; null for what has no text here. */
function textOf(type: ColumnType, value: NonNullable<StagedValue>): string | null {
  switch (type) {
    case 'boolean':
      return value === true ? '1' : '0';
    case 'float':
      return String(Math.fround(value as number));
    case 'timestamp':
      return instantText(Number(value));
    case 'date':
      return dayText(value as number);
    case 'long':
    case 'integer':
    case 'double':
    case 'string':
      return String(value);
    case 'binary':
      return null;
  }
}

function dayText(day: number): string | null {
  if (day < FIRST_DAY || day > LAST_DAY) return null;
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}

/** Null for a time that `Micros` does not hold. */
function instantText(at: number): string | null {
  if (!Number.isSafeInteger(at)) return null;
  return formatInstant(micros(at)).replace('T', ' ').replace('Z', '+00');
}
