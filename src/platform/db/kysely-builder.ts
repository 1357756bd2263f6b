import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Compilable,
  type DatabaseConnection,
  type Driver,
  type RawBuilder,
} from 'kysely';
import { AssertionFailure } from '../../base/assert.ts';
import type { Dialect } from './port.ts';

/**
 * A Kysely that builds SQL and never runs it: statements run elsewhere, and a stray `.execute()`
 * inside a transaction would deadlock the single writer.
 */
export function compileOnly<Tables>(dialect: Dialect): Kysely<Tables> {
  const parts = dialect === 'sqlite' ? sqliteParts : postgresParts;
  return new Kysely<Tables>({ dialect: { ...parts, createDriver: () => compileOnlyDriver } });
}

/** A raw statement as something `Db` accepts. */
export function rawQuery<Row, Tables>(
  queries: Kysely<Tables>,
  statement: RawBuilder<Row>,
): Compilable<Row> {
  return { compile: () => statement.compile(queries) };
}

const sqliteParts = {
  createAdapter: () => new SqliteAdapter(),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
};

const postgresParts = {
  createAdapter: () => new PostgresAdapter(),
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
};

const compileOnlyDriver: Driver = {
  init: () => Promise.resolve(),
  acquireConnection: () => Promise.reject<DatabaseConnection>(refusal()),
  beginTransaction: () => Promise.reject(refusal()),
  commitTransaction: () => Promise.reject(refusal()),
  rollbackTransaction: () => Promise.reject(refusal()),
  releaseConnection: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
};

function refusal(): AssertionFailure {
  return new AssertionFailure(
    'this query builder only compiles; pass the query to Db.read or write',
  );
}
