import { assert } from '../../base/assert.ts';
import type { Call, Expression, ValueType } from './expression.ts';
import { hourOf, weekdayOf, ZoneClock } from './local-time.ts';

/**
 * A value while it is computed: `long` is a bigint, `timestamp` and `local` are microseconds since
 * 1970, `double` is finite.
 */
export type Value = string | number | bigint | boolean | null;

/** A row by column name. A `long` may be given as an integer, too; what is absent is null. */
export type Row = Readonly<Record<string, unknown>>;

export interface EvaluationScope {
  /** IANA zone by key, by entity. */
  readonly zones?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export type Evaluate = (row: Row) => Value;

/** A function that computes the expression, with the same results as its DuckDB SQL. */
export function compileExpression(expression: Expression, scope: EvaluationScope = {}): Evaluate {
  switch (expression.kind) {
    case 'literal': {
      const { type, value } = expression;
      const constant = type === 'long' && value !== null ? BigInt(value) : value;
      return () => constant;
    }
    case 'column': {
      const { name, type } = expression;
      const read = READERS[type];
      return (row) => read(row[name]);
    }
    case 'local':
      return localTime(expression, scope);
    case 'call':
      return call(
        expression,
        expression.args.map((arg) => compileExpression(arg, scope)),
      );
  }
}

/** What a feature's column holds: a `boolean` is 0 or 1. */
export function toDouble(value: Value): number | null {
  assert(typeof value !== 'string', 'a feature is a number');
  if (value === null) return null;
  return Number(value);
}

const READERS: Readonly<Record<ValueType, (raw: unknown) => Value>> = {
  string: (raw) => (typeof raw === 'string' ? raw.toWellFormed() : null),
  long: (raw) => {
    if (typeof raw === 'bigint') return long(raw);
    return typeof raw === 'number' && Number.isSafeInteger(raw) ? BigInt(raw) : null;
  },
  double: (raw) => (typeof raw === 'number' ? finite(raw) : null),
  boolean: (raw) => (typeof raw === 'boolean' ? raw : null),
  timestamp: (raw) => (typeof raw === 'number' && Number.isSafeInteger(raw) ? raw : null),
  local: () => null,
};

function localTime(
  { time, entity, key }: Extract<Expression, { kind: 'local' }>,
  { zones = {} }: EvaluationScope,
): Evaluate {
  const instantOf = compileExpression(time);
  const zoneByKey = Object.hasOwn(zones, entity) ? zones[entity]! : {};
  const clocks = new Map<string, ZoneClock | null>();
  return (row) => {
    const instant = instantOf(row);
    const text = keyText(row[key]);
    if (instant === null || text === null) return null;
    const zone = Object.hasOwn(zoneByKey, text) ? zoneByKey[text]! : null;
    if (zone === null) return null;
    let clock = clocks.get(zone);
    if (clock === undefined) clocks.set(zone, (clock = ZoneClock.of(zone)));
    return clock?.toLocal(instant as number) ?? null;
  };
}

function keyText(key: unknown): string | null {
  if (typeof key === 'string') return key;
  return typeof key === 'number' || typeof key === 'bigint' ? String(key) : null;
}

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

function long(value: bigint): bigint | null {
  return value >= LONG_MIN && value <= LONG_MAX ? value : null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function call({ operation, type, args: operands }: Call, args: readonly Evaluate[]): Evaluate {
  const simple = SIMPLE[operation];
  if (simple !== undefined) return strict(args, simple(type));
  const lenient = LENIENT[operation];
  if (lenient !== undefined) return (row) => lenient(args, row);
  assert(operation === 'cast', `${operation} is not evaluated`);
  return strict(args, CASTS[type]!(operands[0]!.type));
}

/** What looks at its operands one by one, because a null does not make it null. */
const LENIENT: Readonly<
  Partial<Record<Call['operation'], (args: readonly Evaluate[], row: Row) => Value>>
> = {
  and: (args, row) => both(args, row, false),
  or: (args, row) => both(args, row, true),
  is_null: (args, row) => args[0]!(row) === null,
  in: member,
  case: choose,
  coalesce: firstKnown,
  nullif: unlessEqual,
  least: (args, row) => extreme(args, row, -1),
  greatest: (args, row) => extreme(args, row, 1),
};

type Known = Exclude<Value, null>;
type Compute = (a: never, b: never, c: never) => Value;

/** Null when an operand is null. */
function strict(args: readonly Evaluate[], compute: Compute): Evaluate {
  const [first, second, third] = args as [Evaluate, Evaluate, Evaluate];
  const of = compute as (a: Known, b?: Known, c?: Known) => Value;
  if (args.length === 1) {
    return (row) => {
      const a = first(row);
      return a === null ? null : of(a);
    };
  }
  return (row) => {
    const a = first(row);
    const b = second(row);
    if (a === null || b === null) return null;
    if (args.length === 2) return of(a, b);
    const c = third(row);
    return c === null ? null : of(a, b, c);
  };
}

type Longs = (a: bigint, b: bigint) => bigint | null;
type Doubles = (a: number, b: number) => number | null;

function arithmetic(longs: Longs, doubles: Doubles): (type: ValueType) => Compute {
  const onLongs = (a: bigint, b: bigint): bigint | null => {
    const result = longs(a, b);
    return result === null ? null : long(result);
  };
  const onDoubles = (a: number, b: number): number | null => {
    const result = doubles(a, b);
    return result === null ? null : finite(result);
  };
  return (type) => (type === 'long' ? onLongs : onDoubles);
}

function number(compute: (a: number) => number): () => Compute {
  return () => (a: number) => finite(compute(a));
}

function compared(holds: (order: number) => boolean): () => Compute {
  return () => (a: Known, b: Known) => holds(order(a, b));
}

const SIMPLE: Readonly<Partial<Record<Call['operation'], (type: ValueType) => Compute>>> = {
  add: arithmetic(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  subtract: arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  multiply: arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  divide: () => (a: number, b: number) => (b === 0 ? null : finite(a / b)),
  modulo: arithmetic(
    (a, b) => (b === 0n ? null : a % b),
    (a, b) => (b === 0 ? null : a % b),
  ),
  negate: arithmetic(
    (a) => -a,
    (a) => -a,
  ),
  abs: arithmetic((a) => (a < 0n ? -a : a), Math.abs),
  equal: compared((sign) => sign === 0),
  unequal: compared((sign) => sign !== 0),
  less: compared((sign) => sign < 0),
  less_or_equal: compared((sign) => sign <= 0),
  greater: compared((sign) => sign > 0),
  greater_or_equal: compared((sign) => sign >= 0),
  not: () => (a: boolean) => !a,
  clamp: () => (a: Known, low: Known, high: Known) => {
    const raised = order(a, low) < 0 ? low : a;
    return order(raised, high) > 0 ? high : raised;
  },
  floor: number(Math.floor),
  ceil: number(Math.ceil),
  round: number(roundHalfAway),
  ln: () => (a: number) => (a > 0 ? Math.log(a) : null),
  exp: number(Math.exp),
  sqrt: number(Math.sqrt),
  lower: () => (a: string) => a.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  upper: () => (a: string) => a.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  length: () => (a: string) => BigInt(codePoints(a)),
  hour: () => (a: number) => BigInt(hourOf(a)),
  weekday: () => (a: number) => BigInt(weekdayOf(a)),
};

/** Three-valued: `decisive` wins over null, null over the rest. */
function both(args: readonly Evaluate[], row: Row, decisive: boolean): boolean | null {
  let result: boolean | null = !decisive;
  for (const arg of args) {
    const value = arg(row);
    if (value === decisive) return decisive;
    if (value === null) result = null;
  }
  return result;
}

function member([sought, ...list]: readonly Evaluate[], row: Row): boolean | null {
  const value = sought!(row);
  if (value === null) return null;
  let result: boolean | null = false;
  for (const item of list) {
    const candidate = item(row);
    if (candidate === null) result = null;
    else if (order(value, candidate) === 0) return true;
  }
  return result;
}

function choose(args: readonly Evaluate[], row: Row): Value {
  for (let index = 0; index + 1 < args.length; index += 2) {
    if (args[index]!(row) === true) return args[index + 1]!(row);
  }
  return args.at(-1)!(row);
}

function firstKnown(args: readonly Evaluate[], row: Row): Value {
  for (const arg of args) {
    const value = arg(row);
    if (value !== null) return value;
  }
  return null;
}

function unlessEqual([first, second]: readonly Evaluate[], row: Row): Value {
  const a = first!(row);
  const b = second!(row);
  return a !== null && b !== null && order(a, b) === 0 ? null : a;
}

function extreme(args: readonly Evaluate[], row: Row, sign: 1 | -1): Value {
  let best: Value = null;
  for (const arg of args) {
    const value = arg(row);
    if (value === null) continue;
    if (best === null || order(value, best) * sign > 0) best = value;
  }
  return best;
}

/** Of two values of one type: negative, zero or positive. */
function order(a: Known, b: Known): number {
  if (typeof a === 'string') return orderStrings(a, b as string);
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** By code points, as UTF-8 sorts; UTF-16 puts the rarer planes before the end of the first. */
function orderStrings(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const isPlane = isSurrogate(left);
    if (isPlane !== isSurrogate(right)) return isPlane ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0xdc00 || unit >= 0xe000) count += 1;
  }
  return count;
}

function roundHalfAway(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const above = value - floor;
  if (above === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return above < 0.5 ? floor : floor + 1;
}

const LONG_TEXT = /^[+-]?[0-9]+$/;
const DOUBLE_TEXT = /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** By target, then by source. */
const CASTS: Readonly<Partial<Record<ValueType, (from: ValueType) => Compute>>> = {
  double: (from) => {
    if (from !== 'string') return (a: bigint | boolean) => Number(a);
    return (a: string) => (DOUBLE_TEXT.test(a) ? finite(Number(a)) : null);
  },
  long: (from) => {
    if (from === 'boolean') return (a: boolean) => (a ? 1n : 0n);
    if (from === 'double') return (a: number) => long(BigInt(roundHalfEven(a)));
    return (a: string) => (LONG_TEXT.test(a) ? long(BigInt(a.replace('+', ''))) : null);
  },
  boolean: (from) => (from === 'long' ? (a: bigint) => a !== 0n : (a: number) => a !== 0),
  string: () => (a: bigint | boolean) => String(a),
};
