import {
  sql,
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type Kysely,
  type RawBuilder,
} from 'kysely';
import type { Dialect } from './port.ts';

/** The column types migrations use; anything else differs between the two databases. */
export interface ColumnTypes {
  /** Compared and sorted by bytes in both databases. Also holds JSON. */
  readonly text: RawBuilder<string>;
  /** 64 bits; also instants (microseconds) and truth values (0, 1). */
  readonly integer: RawBuilder<number>;
  readonly real: RawBuilder<number>;
  readonly bytes: RawBuilder<Uint8Array>;
}

export function columnTypes(dialect: Dialect): ColumnTypes {
  return TYPES[dialect];
}

const TYPES: Readonly<Record<Dialect, ColumnTypes>> = {
  sqlite: { text: sql`text`, integer: sql`integer`, real: sql`real`, bytes: sql`blob` },
  postgres: {
    text: sql`text collate "C"`,
    integer: sql`bigint`,
    real: sql`double precision`,
    bytes: sql`bytea`,
  },
};

/** Starts a table whose columns hold only their declared type, as PostgreSQL's always do. */
export function createTable(
  queries: Kysely<unknown>,
  dialect: Dialect,
  name: string,
): CreateTableBuilder<string> {
  const table = queries.schema.createTable(name);
  return dialect === 'sqlite' ? table.modifyEnd(sql`strict`) : table;
}

/** Makes an `integer` column the primary key, numbered by the database and never reused. */
export function numberedKey(
  dialect: Dialect,
): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) =>
    dialect === 'sqlite'
      ? column.primaryKey().autoIncrement()
      : column.primaryKey().generatedByDefaultAsIdentity();
}
