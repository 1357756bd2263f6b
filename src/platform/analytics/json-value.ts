import { MICROS_PER_SECOND } from '../../base/time.ts';
import type { ColumnType } from '../../formats/delta/schema.ts';

/**
 * The JSON form of each column type, checked strictly: nothing is coerced, cut or guessed (below a
 * microsecond aside), so that what was sent is what is read back. A decoder returns the value as it
 * is staged for DuckDB, or `BAD` when the JSON value is not of the type.
 */
export const BAD = Symbol('not of the type');
export type Decoded = string | number | bigint | boolean | typeof BAD;

export interface JsonForm {
  /** How the value is staged, and the SQL that turns `$` into the column's type. */
  readonly staged: 'VARCHAR' | 'BIGINT' | 'INTEGER' | 'DOUBLE' | 'FLOAT' | 'BOOLEAN';
  readonly sql: string;
  /** What the form is, for messages. */
  readonly expected: string;
  readonly decode: (value: unknown) => Decoded;
}

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

export const JSON_FORMS: Readonly<Record<ColumnType, JsonForm>> = {
  string: {
    staged: 'VARCHAR',
    sql: '$',
    expected: 'a string',
    // A lone surrogate has no UTF-8 form and would be stored as another character.
    decode: (value) => (typeof value === 'string' && value.isWellFormed() ? value : BAD),
  },
  long: {
    staged: 'BIGINT',
    sql: '$',
    expected: 'an integer of 64 bits',
    decode: (value) => (Number.isSafeInteger(value) ? BigInt(value as number) : BAD),
  },
  integer: {
    staged: 'INTEGER',
    sql: '$',
    expected: 'an integer of 32 bits',
    decode: (value) => {
      if (typeof value !== 'number' || !Number.isInteger(value)) return BAD;
      return value >= INT32_MIN && value <= INT32_MAX ? value : BAD;
    },
  },
  double: {
    staged: 'DOUBLE',
    sql: '$',
    expected: 'a number, or "NaN", "Infinity" or "-Infinity"',
    decode: (value) => (typeof value === 'number' ? finite(value) : named(value)),
  },
  float: {
    staged: 'FLOAT',
    sql: '$',
    expected: 'a number of float range, or "NaN", "Infinity" or "-Infinity"',
    decode: (value) => {
      if (typeof value !== 'number') return named(value);
      return Number.isFinite(Math.fround(value)) ? value : BAD;
    },
  },
  boolean: {
    staged: 'BOOLEAN',
    sql: '$',
    expected: 'true or false',
    decode: (value) => (typeof value === 'boolean' ? value : BAD),
  },
  timestamp: {
    staged: 'BIGINT',
    sql: 'make_timestamptz($)',
    expected: 'an RFC 3339 time with a zone, such as "2001-02-03T04:05:06.789Z"',
    decode: (value) => (typeof value === 'string' ? (parseTimestamp(value) ?? BAD) : BAD),
  },
  date: {
    staged: 'INTEGER',
    sql: "(DATE '1970-01-01' + $)",
    expected: 'a date such as "2001-02-03"',
    decode: (value) => (typeof value === 'string' ? (parseDate(value) ?? BAD) : BAD),
  },
  binary: {
    staged: 'VARCHAR',
    sql: 'from_base64($)',
    expected: 'bytes in base64',
    decode: (value) => (typeof value === 'string' && isBase64(value) ? value : BAD),
  },
};

/** JSON.parse reads a number past the range as an infinity. */
function finite(value: number): number | typeof BAD {
  return Number.isFinite(value) ? value : BAD;
}

function named(value: unknown): number | typeof BAD {
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  return value === '-Infinity' ? Number.NEGATIVE_INFINITY : BAD;
}

/** A long written with more digits than a JavaScript number holds; null when it is out of range. */
export function parseLong(digits: string): bigint | null {
  if (!/^-?\d{1,19}$/.test(digits)) return null;
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : null;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIMESTAMP =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;
const MS_PER_DAY = 24 * 3600 * 1000;

/** Days since 1970; null for what is no day of the (proleptic Gregorian) calendar, or year 0. */
export function parseDate(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  return Date.parse(`${text}T00:00:00Z`) / MS_PER_DAY;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const SECONDS_PER_DAY = 24 * 3600;

/** The date asked for last: rows that come together are mostly of one day. */
let lastDate: { readonly text: string; readonly days: number | null } = { text: '', days: null };

function dayOf(text: string): number | null {
  if (lastDate.text !== text) lastDate = { text, days: parseDate(text) };
  return lastDate.days;
}

/** Seconds of `HH:MM:SS`; null for what no clock shows. */
function secondsOf(time: string): number | null {
  const [hours, minutes, seconds] = [
    Number(time.slice(0, 2)),
    Number(time.slice(3, 5)),
    Number(time.slice(6)),
  ];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  return hours * 3600 + minutes * 60 + seconds;
}

/** Of `Z` or `+HH:MM`; null for more than a day. */
function offsetSeconds(zone: string): number | null {
  if (zone.length === 1) return 0;
  const seconds = secondsOf(`${zone.slice(1)}:00`);
  return seconds !== null && zone.startsWith('-') ? -seconds : seconds;
}

/** Microseconds since 1970, exact for years 1 to 9999; null for anything else. */
export function parseTimestamp(text: string): bigint | null {
  const match = TIMESTAMP.exec(text);
  if (match === null) return null;
  const [, date, time, fraction = '', zone] = match as unknown as [
    string,
    string,
    string,
    string | undefined,
    string,
  ];
  const [day, seconds, offset] = [dayOf(date), secondsOf(time), offsetSeconds(zone)];
  if (day === null || seconds === null || offset === null) return null;
  const below = Number(fraction.padEnd(6, '0').slice(0, 6));
  const whole = day * SECONDS_PER_DAY + seconds - offset;
  const micros = whole * MICROS_PER_SECOND + below;
  if (Number.isSafeInteger(micros)) return BigInt(micros);
  return BigInt(whole) * BigInt(MICROS_PER_SECOND) + BigInt(below);
}

/** Standard base64 with padding, in the one spelling that decodes and encodes to itself. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false;
  return Buffer.from(text, 'base64').toString('base64') === text;
}
