import { MICROS_PER_MS, parseInstant } from '../../base/time.ts';
import type { Column } from './schema.ts';
import { parseStats } from './stats.ts';

/** Data skipping: which files can hold a row that a condition asks for, by their stats. */
export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/** Strings (by code point), numbers, instants as microseconds. */
export type Comparable = string | number;

/** Bounds of a column's values in one file; null where nothing is known. */
export interface FileRange {
  readonly min: Comparable | null;
  readonly max: Comparable | null;
}

const UNKNOWN: FileRange = { min: null, max: null };

export function fileRange(stats: string | null | undefined, column: Column): FileRange {
  const parsed = parseStats(stats);
  if (parsed === null) return UNKNOWN;
  return {
    min: bound(column, parsed.minValues?.[column.name], 0),
    // Stats cut instants to milliseconds.
    max: bound(column, parsed.maxValues?.[column.name], MICROS_PER_MS - 1),
  };
}

function bound(column: Column, value: unknown, addedMicros: number): Comparable | null {
  const known = comparable(column, value);
  if (known === null || typeof known === 'string') return known;
  return column.type === 'timestamp' ? known + addedMicros : known;
}

/** A value of a column in the form its bounds are compared in; null when bounds tell nothing. */
export function comparable({ type }: Column, value: unknown): Comparable | null {
  switch (type) {
    case 'string':
    case 'date':
      return typeof value === 'string' ? value : null;
    case 'timestamp':
      return typeof value === 'string' ? parseInstant(value) : null;
    case 'long':
    case 'integer':
    case 'double':
    case 'float':
      return typeof value === 'number' && Number.isFinite(value) ? value : null;
    case 'boolean':
    case 'binary':
      return null;
  }
}

/** False only when no value within the range satisfies `<value> <comparison> <wanted>`. */
export function mayMatch(range: FileRange, comparison: Comparison, wanted: Comparable): boolean {
  const { min, max } = range;
  const isBelowMin = min !== null && compare(wanted, min) < 0;
  const isAboveMax = max !== null && compare(wanted, max) > 0;
  const isMin = min !== null && compare(wanted, min) === 0;
  const isMax = max !== null && compare(wanted, max) === 0;
  switch (comparison) {
    case '=':
      return !isBelowMin && !isAboveMax;
    case '<':
      return !isBelowMin && !isMin;
    case '<=':
      return !isBelowMin;
    case '>':
      return !isAboveMax && !isMax;
    case '>=':
      return !isAboveMax;
  }
}

export function compare(a: Comparable, b: Comparable): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareCodePoints(String(a), String(b));
}

/**
 * The order of the strings' UTF-8 bytes, which Parquet uses; JavaScript's `<` orders UTF-16 units.
 */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates (code points from U+10000) sort above the rest of the basic plane. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
