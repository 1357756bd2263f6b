/**
 * A typed expression over the columns of one row, as plain data: it is hashed, stored and sent to
 * other processes. A small part of SQL with a meaning of its own, because engines differ:
 *
 * - Null in, null out, but for `and`, `or`, `in` (three-valued logic), `is null`, `case`,
 *   `coalesce`, `least` and `greatest` (these two skip nulls).
 * - Nothing fails. What has no value is null: division and modulo by zero, a `long` past 64 bits,
 *   `ln` or `sqrt` outside their domain, a cast that does not fit.
 * - A `double` is a finite number: NaN and the infinities, in a column or as a result, are null.
 * - `/` divides as `double`; other operators on two `long` give a `long`. `%` has the dividend's
 *   sign. A `long` beside a `double` becomes one.
 * - `round` rounds halves away from zero, `cast(x as int64)` rounds them to the even neighbour.
 * - `lower` and `upper` change ASCII letters only; `length` counts code points; strings compare by
 *   code points.
 * - `hour` is 0 to 23, `weekday` 1 (Monday) to 7 (Sunday) as in ISO 8601; of an instant in UTC, of
 *   `local(T, entity)` in the entity's zone.
 */
export type Expression = Literal | ColumnValue | LocalTime | Call;

/** `local` is a time of day and date without a zone: only `hour` and `weekday` take it. */
export type ValueType = 'string' | 'long' | 'double' | 'boolean' | 'timestamp' | 'local';

export interface Literal {
  readonly kind: 'literal';
  readonly type: ValueType;
  /** A `long` is decimal text, because JSON has no 64-bit integers. */
  readonly value: string | number | boolean | null;
}

export interface ColumnValue {
  readonly kind: 'column';
  readonly type: ValueType;
  readonly name: string;
}

/** An instant as the clocks show it where an entity is; null where its zone is not known. */
export interface LocalTime {
  readonly kind: 'local';
  readonly type: 'local';
  readonly time: Expression;
  readonly entity: string;
  /** The column that holds the entity's key. */
  readonly key: string;
}

export interface Call {
  readonly kind: 'call';
  readonly type: ValueType;
  readonly operation: Operation;
  /** Of the types that the operation is evaluated on: casts are calls of their own. */
  readonly args: readonly Expression[];
}

/**
 * `case` has condition and value by turns and the `else` value last; `in` has the value sought
 * first; `cast` turns its argument into the call's type.
 */
export type Operation =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'modulo'
  | 'negate'
  | 'equal'
  | 'unequal'
  | 'less'
  | 'less_or_equal'
  | 'greater'
  | 'greater_or_equal'
  | 'and'
  | 'or'
  | 'not'
  | 'is_null'
  | 'in'
  | 'case'
  | 'cast'
  | FunctionName;

export type FunctionName =
  | 'coalesce'
  | 'nullif'
  | 'abs'
  | 'least'
  | 'greatest'
  | 'clamp'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'ln'
  | 'exp'
  | 'sqrt'
  | 'lower'
  | 'upper'
  | 'length'
  | 'hour'
  | 'weekday';

/** What the names in an expression stand for. */
export interface Scope {
  readonly columns: Readonly<Record<string, ValueType>>;
  /** Entities whose zone is known, with the column that holds their key. */
  readonly zoned: Readonly<Record<string, { readonly key: string }>>;
}

/** The name a person knows a type by. */
export const TYPE_NAME: Readonly<Record<ValueType, string>> = {
  string: 'string',
  long: 'int64',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
  local: 'local time',
};

/** An expression that is none; the message names what is wrong and where it stands. */
export class ExpressionError extends Error {
  /** Characters before the place. */
  readonly position: number;
  readonly hint: string | undefined;

  constructor(message: string, position: number, hint?: string) {
    super(`${message} (at character ${position + 1})`);
    this.name = 'ExpressionError';
    this.position = position;
    this.hint = hint;
  }
}
