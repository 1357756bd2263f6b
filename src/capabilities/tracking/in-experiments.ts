import { sql, type RawBuilder } from 'kysely';
import type { Dialect } from '../../platform/db/port.ts';

/**
 * True of rows of these experiments; null for all. Several are one parameter, because a search
 * repeats the condition and databases bound the parameters of a statement.
 */
export function inExperiments(
  dialect: Dialect,
  table: string,
  experiments: readonly number[] | null,
): RawBuilder<boolean> {
  if (experiments === null) return sql`true`;
  const column = sql.ref(`${table}.experiment`);
  if (experiments.length === 1) return sql`${column} = ${experiments[0]!}`;
  return dialect === 'sqlite'
    ? sql`${column} in (select value from json_each(${`[${experiments.join(',')}]`}))`
    : sql`${column} = any(cast(${`{${experiments.join(',')}}`} as bigint[]))`;
}
