import { isUtf8 } from 'node:buffer';
import { AppError } from '../../base/errors.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { BAD, JSON_FORMS, parseLong } from './json-value.ts';
import type { RowBatch, StagedValue } from './port.ts';

const NEWLINE = 0x0a;

/** Rows of a batch: what one DuckDB data chunk holds. */
export const BATCH_ROWS = 2048;
/** A longer line is no row but a mistake, and would be held in memory whole. */
export const LINE_LENGTH_MAX = 8 * 1024 * 1024;

/**
 * Rows from newline-delimited JSON objects, in the columns' order. Blank lines are skipped; an
 * absent field is null. Anything else that does not fit rejects with `INVALID_INPUT`, naming line
 * (from 1) and column: bad JSON, unknown fields, wrong types, nulls where none may be.
 */
export async function* readNdjson(
  bytes: AsyncIterable<Uint8Array>,
  columns: readonly Column[],
): AsyncGenerator<RowBatch> {
  const rows = new RowCollector(columns);
  let lineNumber = 0;
  for await (const line of readLines(bytes)) {
    lineNumber += 1;
    if (rows.add(line, lineNumber) && rows.count === BATCH_ROWS) yield rows.take();
  }
  if (rows.count > 0) yield rows.take();
}

async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let lines = 0;
  for await (const chunk of bytes) {
    const text = rest + decode(decoder, chunk, lines);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      lines += 1;
      yield text.slice(start, end);
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length > LINE_LENGTH_MAX) throw badLine(lines + 1, 'the line is too long');
  }
  rest += decode(decoder, null, lines);
  if (rest !== '') yield rest;
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Uint8Array | null,
  lines: number,
): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    const line = lines + 1 + (chunk === null ? 0 : validLines(chunk));
    throw badLine(line, 'the text is not UTF-8', { cause });
  }
}

/** Whole lines of the chunk before the first that is no UTF-8. */
function validLines(chunk: Uint8Array): number {
  // A character that began in the former chunk ends with continuation bytes in this one.
  let start = chunk.findIndex((byte) => byte >> 6 !== 0b10);
  for (let lines = 0; ; lines += 1) {
    const end = chunk.indexOf(NEWLINE, start);
    if (end === -1 || !isUtf8(chunk.subarray(start, end))) return lines;
    start = end + 1;
  }
}

class RowCollector {
  readonly #columns: readonly Column[];
  readonly #names: ReadonlySet<string>;
  /** Names every object answers to; such a column must be looked up as an own property. */
  readonly #inheritsNames: boolean;
  #values: StagedValue[][];
  #count = 0;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#names = new Set(columns.map((column) => column.name));
    this.#inheritsNames = columns.some((column) => column.name in Object.prototype);
    this.#values = columns.map(() => []);
  }

  get count(): number {
    return this.#count;
  }

  /** False for a blank line. */
  add(line: string, lineNumber: number): boolean {
    const row = parseRow(line, lineNumber);
    if (row === null) return false;
    let present = 0;
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index]!;
      const isAbsent = this.#inheritsNames && !Object.hasOwn(row, column.name);
      const value = isAbsent ? undefined : row[column.name];
      if (value !== undefined) present += 1;
      this.#values[index]!.push(stage(column, value, line, lineNumber));
    }
    if (Object.keys(row).length !== present) this.#refuseUnknown(row, lineNumber);
    this.#count += 1;
    return true;
  }

  #refuseUnknown(row: object, lineNumber: number): void {
    const unknown = Object.keys(row).find((name) => !this.#names.has(name));
    if (unknown === undefined) return;
    throw badLine(lineNumber, 'the table has no such column', {
      column: unknown,
      hint: `Its columns are ${[...this.#names].slice(0, 20).join(', ')}.`,
    });
  }

  take(): RowBatch {
    const batch = { rowCount: this.#count, columns: this.#values };
    this.#values = this.#columns.map(() => []);
    this.#count = 0;
    return batch;
  }
}

function parseRow(line: string, lineNumber: number): Record<string, unknown> | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    if (line.trim() === '') return null;
    throw badLine(lineNumber, 'this is not JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badLine(lineNumber, 'a row must be a JSON object');
  }
  return value as Record<string, unknown>;
}

function stage(column: Column, value: unknown, line: string, lineNumber: number): StagedValue {
  if (value === undefined || value === null) {
    if (column.nullable) return null;
    throw badLine(lineNumber, 'this column may not be null', { column: column.name });
  }
  const form = JSON_FORMS[column.type];
  const decoded = form.decode(value);
  if (decoded !== BAD) return decoded;
  if (column.type === 'long' && Number.isInteger(value)) {
    const exact = exactLong(line, column.name);
    if (exact !== null) return exact;
  }
  throw badLine(lineNumber, `expected ${form.expected}, got ${abbreviate(value)}`, {
    column: column.name,
  });
}

/** The digits as sent: JSON.parse rounds integers past 2^53, but tells their source on request. */
function exactLong(line: string, name: string): bigint | null {
  let source: string | undefined;
  const reviver = (key: string, value: unknown, context?: { source?: string }) => {
    if (key === name) source = context?.source;
    return value;
  };
  JSON.parse(line, reviver);
  return source === undefined ? null : parseLong(source);
}

const SHOWN_LENGTH = 40;

function abbreviate(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

function badLine(
  line: number,
  what: string,
  more: { readonly column?: string; readonly hint?: string; readonly cause?: unknown } = {},
): AppError {
  const { column, hint, cause } = more;
  const where = column === undefined ? `Line ${line}` : `Line ${line}, column ${column}`;
  return new AppError('INVALID_INPUT', `${where}: ${what}.`, {
    hint: hint ?? 'Send one JSON object per line; nothing of this append was kept.',
    details: { line, ...(column === undefined ? {} : { column }) },
    ...(cause === undefined ? {} : { cause }),
  });
}
