import { assert } from '../../base/assert.ts';
import type { Metadata } from './actions.ts';
import type { Column } from './schema.ts';

/**
 * Per-file statistics ("Per-file Statistics" in PROTOCOL.md): what a Parquet writer reports about
 * the columns of a file it wrote, turned into the JSON other engines prune files by. A bound that
 * could be wrong for some reader is left out: a missing bound only costs time.
 */
export interface WrittenColumn {
  /** As the Parquet writer prints them; absent when it has none. */
  readonly min?: string;
  readonly max?: string;
  readonly nullCount: number;
  /** Min and max then ignore the NaNs, which other engines order above every number. */
  readonly hasNan: boolean;
}

export interface WrittenStats {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, WrittenColumn>;
}

/** Characters (UTF-16 units) of a string that stats keep, as Spark does. */
const STRING_PREFIX_LENGTH = 32;
/** `delta.dataSkippingNumIndexedCols` where a table does not set it. */
const INDEXED_COLUMNS_DEFAULT = 32;

/** How many of its first columns a table wants stats of; all when negative. */
export function indexedColumns(metadata: Metadata): number {
  const declared = metadata.configuration?.['delta.dataSkippingNumIndexedCols'];
  const count = declared === undefined ? Number.NaN : Number(declared);
  return Number.isSafeInteger(count) ? count : INDEXED_COLUMNS_DEFAULT;
}

/** The `stats` string of an add action. */
export function formatStats(
  columns: readonly Column[],
  written: WrittenStats,
  indexedCount: number = INDEXED_COLUMNS_DEFAULT,
): string {
  const mins: string[] = [];
  const maxs: string[] = [];
  const nulls: string[] = [];
  const indexed = indexedCount < 0 ? columns : columns.slice(0, indexedCount);
  for (const { name, type } of indexed) {
    const column = written.columns.get(name);
    if (column === undefined) continue;
    const key = JSON.stringify(name);
    nulls.push(`${key}:${column.nullCount}`);
    if (column.min === undefined || column.max === undefined || column.hasNan) continue;
    const min = formatBound(type, column.min, 'min');
    const max = formatBound(type, column.max, 'max');
    if (min !== null) mins.push(`${key}:${min}`);
    if (max !== null) maxs.push(`${key}:${max}`);
  }
  return (
    `{"numRecords":${written.rows},"minValues":{${mins.join(',')}},` +
    `"maxValues":{${maxs.join(',')}},"nullCount":{${nulls.join(',')}}}`
  );
}

/** A bound as JSON text, or null when it has no safe form. Integers keep all their digits. */
function formatBound(type: Column['type'], text: string, side: 'min' | 'max'): string | null {
  switch (type) {
    case 'long':
    case 'integer':
      return /^-?\d+$/.test(text) ? text : null;
    case 'double':
      return formatFinite(Number(text), side);
    case 'float':
      // The exact value of the float, not its short spelling: 0.1 as a double is below 0.1f.
      return formatFinite(Math.fround(Number(text)), side);
    case 'string':
      return side === 'min' ? minPrefix(text) : maxPrefix(text);
    case 'timestamp':
      return formatTimestamp(text);
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `"${text}"` : null;
    case 'boolean':
      // Spark writes none and ignores these; delta-rs drops files whose bounds it misses.
      return text === '0' ? 'false' : text === '1' ? 'true' : null;
    case 'binary':
      return null;
  }
}

/** JSON has no infinities. A zero bound covers both zeros, for readers that order -0 below 0. */
function formatFinite(value: number, side: 'min' | 'max'): string | null {
  if (!Number.isFinite(value)) return null;
  if (value === 0) return side === 'min' ? '-0.0' : '0.0';
  return String(value);
}

const WRITTEN_TIMESTAMP = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?\+00(?::00)?$/;

/**
 * Cut (not rounded) to milliseconds, in UTC: the digits below are unknown to readers, who take max
 * as max + 1 ms. Any other zone or a year outside four digits has no form that all readers agree
 * on.
 */
function formatTimestamp(text: string): string | null {
  const match = WRITTEN_TIMESTAMP.exec(text);
  if (match === null) return null;
  const [, date, time, fraction = ''] = match;
  return `"${date}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}Z"`;
}

/** A prefix is never above the string it starts. */
function minPrefix(text: string): string {
  return JSON.stringify(prefixOf(text));
}

/**
 * A prefix is below the string, so a tie-breaker above its next character is appended: U+007F or,
 * past ASCII, U+10FFFF. Null when the next character is the highest there is.
 */
function maxPrefix(text: string): string | null {
  const prefix = prefixOf(text);
  const next = text.codePointAt(prefix.length);
  if (next === undefined) return JSON.stringify(prefix);
  if (next < 0x7f) return JSON.stringify(`${prefix}\u007f`);
  return next < 0x10ffff ? JSON.stringify(`${prefix}\u{10ffff}`) : null;
}

/** Cut so that no surrogate pair is split. */
function prefixOf(text: string): string {
  if (text.length <= STRING_PREFIX_LENGTH) return text;
  const last = text.charCodeAt(STRING_PREFIX_LENGTH - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? STRING_PREFIX_LENGTH - 1 : STRING_PREFIX_LENGTH);
}

const COUNT_FIRST = '{"numRecords":';

/**
 * Rows of a file, or null when its stats do not say. Opening a table reads this once per file, so
 * the usual spelling, with the count first, is read without parsing the rest.
 */
export function recordCount(stats: string | null | undefined): number | null {
  if (stats === null || stats === undefined) return null;
  if (stats.startsWith(COUNT_FIRST)) {
    const count = Number.parseInt(stats.slice(COUNT_FIRST.length, COUNT_FIRST.length + 17), 10);
    if (Number.isSafeInteger(count)) return count;
  }
  const count = parseStats(stats)?.numRecords;
  return typeof count === 'number' ? count : null;
}

export interface FileStats {
  readonly numRecords?: number;
  readonly minValues?: Readonly<Record<string, unknown>>;
  readonly maxValues?: Readonly<Record<string, unknown>>;
  readonly nullCount?: Readonly<Record<string, unknown>>;
}

/** Null when there are no stats or they cannot be read: then nothing is known of the file. */
export function parseStats(stats: string | null | undefined): FileStats | null {
  if (stats === null || stats === undefined) return null;
  try {
    const value: unknown = JSON.parse(stats);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** The first column declared not nullable that the written file holds a null in, or null. */
export function nullViolation(columns: readonly Column[], written: WrittenStats): string | null {
  for (const { name, nullable } of columns) {
    if (nullable) continue;
    const column = written.columns.get(name);
    assert(column !== undefined, `the writer reported nothing about column ${name}`);
    if (column.nullCount > 0) return name;
  }
  return null;
}
