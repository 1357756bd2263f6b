import {
  ExpressionError,
  type Call,
  type Expression,
  type Literal,
  type ValueType,
} from './expression.ts';

export interface PrintOptions {
  /** SQL of the zone's name for an entity, from the SQL of its key. */
  readonly zone?: (entity: string, key: string) => string;
}

/** `clamp` and `case` repeat an operand, so nesting could grow the text without end. */
const SQL_LENGTH_MAX = 50_000;

const SQL_TYPES: Readonly<Record<ValueType, string>> = {
  string: 'VARCHAR',
  long: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMPTZ',
  local: 'TIMESTAMP',
};

/**
 * The expression as DuckDB SQL of the same meaning, whatever the time zone of its connection.
 * Columns are taken by name and cast to their declared type.
 */
export function printDuckDb(expression: Expression, options: PrintOptions = {}): string {
  const printed = print(expression, options);
  if (printed.length <= SQL_LENGTH_MAX) return printed;
  throw new ExpressionError('the expression is too long once it is written as SQL', 0);
}

function print(expression: Expression, options: PrintOptions): string {
  switch (expression.kind) {
    case 'literal':
      return literal(expression);
    case 'column':
      return column(expression);
    case 'local': {
      const { entity, key, time } = expression;
      if (options.zone === undefined) {
        throw new ExpressionError(`the zone of ${entity} is not known here`, 0);
      }
      return `timezone(${options.zone(entity, duckDbName(key))}, ${print(time, options)})`;
    }
    case 'call': {
      const args = expression.args.map((arg) => print(arg, options));
      if (args.some((arg) => arg.length > SQL_LENGTH_MAX)) {
        throw new ExpressionError('the expression is too long once it is written as SQL', 0);
      }
      return call(expression, args);
    }
  }
}

function literal({ type, value }: Literal): string {
  if (value === null) return `CAST(NULL AS ${SQL_TYPES[type]})`;
  if (typeof value === 'boolean') return String(value);
  const text = typeof value === 'number' ? decimal(value) : value;
  return `CAST('${text.replaceAll("'", "''")}' AS ${SQL_TYPES[type]})`;
}

/** The text of a zero loses its sign in JavaScript. */
function decimal(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function column({ name, type }: { readonly name: string; readonly type: ValueType }): string {
  const cast = `CAST(${duckDbName(name)} AS ${SQL_TYPES[type]})`;
  return type === 'double' ? finite(cast) : cast;
}

/** A name as DuckDB SQL. */
export function duckDbName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DuckDB's NaN equals itself, so `nullif` finds it too; no operand is written twice. */
function finite(sql: string): string {
  return `nullif(nullif(nullif(${sql}, 'nan'::DOUBLE), 'inf'::DOUBLE), '-inf'::DOUBLE)`;
}

const INFIX: Readonly<Partial<Record<Call['operation'], string>>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  equal: '=',
  unequal: '<>',
  less: '<',
  less_or_equal: '<=',
  greater: '>',
  greater_or_equal: '>=',
  and: 'AND',
  or: 'OR',
};

function call({ operation, type, args: operands }: Call, args: readonly string[]): string {
  const [a, b, c] = args as [string, string, string];
  switch (operation) {
    case 'add':
    case 'subtract':
    case 'multiply': {
      const sql = `(${a} ${INFIX[operation]} ${b})`;
      return type === 'long' ? `TRY${sql}` : finite(sql);
    }
    case 'divide':
      return finite(`(${a} / nullif(${b}, 0))`);
    case 'modulo':
      return type === 'long' ? `TRY(${a} % nullif(${b}, 0))` : finite(`(${a} % nullif(${b}, 0))`);
    case 'negate':
      return type === 'long' ? `TRY(-(${a}))` : `(-(${a}))`;
    case 'equal':
    case 'unequal':
    case 'less':
    case 'less_or_equal':
    case 'greater':
    case 'greater_or_equal':
    case 'and':
    case 'or':
      return `(${a} ${INFIX[operation]} ${b})`;
    case 'not':
      return `(NOT ${a})`;
    case 'is_null':
      return `(${a} IS NULL)`;
    case 'in':
      return `(${a} IN (${args.slice(1).join(', ')}))`;
    case 'case':
      return cases(args);
    case 'cast':
      return cast(a, operands[0]!.type, type);
    case 'clamp':
      return (
        `(CASE WHEN ${a} IS NULL OR ${b} IS NULL OR ${c} IS NULL THEN NULL ` +
        `ELSE least(greatest(${a}, ${b}), ${c}) END)`
      );
    case 'abs':
      return type === 'long' ? `TRY(abs(${a}))` : `abs(${a})`;
    case 'ln':
    case 'sqrt':
      return `TRY(${operation}(${a}))`;
    case 'exp':
      return finite(`exp(${a})`);
    case 'lower':
      return `translate(${a}, '${UPPER}', '${LOWER}')`;
    case 'upper':
      return `translate(${a}, '${LOWER}', '${UPPER}')`;
    case 'hour':
      return `hour(${civil(a, operands[0]!.type)})`;
    case 'weekday':
      return `isodow(${civil(a, operands[0]!.type)})`;
    case 'coalesce':
    case 'nullif':
    case 'least':
    case 'greatest':
    case 'floor':
    case 'ceil':
    case 'round':
    case 'length':
      return `${operation}(${args.join(', ')})`;
  }
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';

/** An instant as a UTC clock shows it; otherwise DuckDB takes the connection's zone. */
function civil(sql: string, type: ValueType): string {
  return type === 'timestamp' ? `timezone('UTC', ${sql})` : sql;
}

function cases(args: readonly string[]): string {
  const branches: string[] = [];
  for (let index = 0; index + 1 < args.length; index += 2) {
    branches.push(`WHEN ${args[index]!} THEN ${args[index + 1]!}`);
  }
  return `(CASE ${branches.join(' ')} ELSE ${args.at(-1)!} END)`;
}

/** DuckDB reads many more spellings of a number than these, and rounds text with a fraction. */
const LONG_TEXT = '^[+-]?[0-9]+$';
const DOUBLE_TEXT = '^[+-]?[0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$';

function cast(sql: string, from: ValueType, to: ValueType): string {
  const target = SQL_TYPES[to];
  if (from === 'string') {
    if (to === 'boolean') throw new ExpressionError('a string cannot be cast to boolean', 0);
    const pattern = to === 'long' ? LONG_TEXT : DOUBLE_TEXT;
    const tried = `TRY_CAST(regexp_extract(${sql}, '${pattern}') AS ${target})`;
    return to === 'double' ? finite(tried) : tried;
  }
  return `TRY_CAST(${sql} AS ${target})`;
}
