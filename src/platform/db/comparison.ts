import { sql, type RawBuilder } from 'kysely';
import type { Dialect } from './port.ts';

/** A condition on one column as searches spell it. */
export interface Comparison {
  readonly op: string;
  readonly value: string | number | readonly string[] | null;
}

/**
 * `column op value` meaning the same in both databases: LIKE is case-sensitive, ILIKE ignores the
 * case of ASCII letters, and neither knows an escape character.
 */
export function comparison(
  dialect: Dialect,
  column: RawBuilder<unknown>,
  { op, value }: Comparison,
): RawBuilder<boolean> {
  const plain = dialect === 'postgres' ? sql` escape ''` : sql``;
  switch (op) {
    case 'LIKE':
      return sql`${column} like ${value}${plain}`;
    case 'ILIKE':
      return sql`lower(${column}) like ${String(value).replaceAll(/[A-Z]/g, lower)}${plain}`;
    case 'IN':
      return sql`${column} in (${sql.join(value as readonly string[])})`;
    case 'NOT IN':
      return sql`${column} not in (${sql.join(value as readonly string[])})`;
    case 'IS NULL':
      return sql`${column} is null`;
    case 'IS NOT NULL':
      return sql`${column} is not null`;
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return sql`${column} ${sql.raw(op)} ${operand(dialect, value)}`;
    default:
      throw new RangeError(`no such comparison: ${op}`);
  }
}

/** PostgreSQL would read the parameter as the column's type, and refuse 0.5 for an integer. */
function operand(dialect: Dialect, value: Comparison['value']): RawBuilder<unknown> {
  const isFloat = typeof value === 'number' && !Number.isSafeInteger(value);
  if (dialect === 'postgres' && isFloat) return sql`cast(${value} as double precision)`;
  return sql`${value}`;
}

function lower(letter: string): string {
  return letter.toLowerCase();
}
