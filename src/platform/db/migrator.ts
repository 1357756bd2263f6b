import { sql, type Compilable, type Kysely } from 'kysely';
import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Log } from '../log/log.ts';
import { columnTypes, createTable } from './dialect.ts';
import { rawQuery } from './kysely-builder.ts';
import type { Db, Dialect } from './port.ts';

export interface Migration {
  /** `0003-registry`: its place in the order, then what it brings. */
  readonly name: string;
  /** Its statements, for either dialect; they become one transaction. */
  up(queries: Kysely<unknown>, dialect: Dialect): readonly Compilable[];
}

interface Tables {
  migrations: { name: string; applied_at: number };
}

export interface MigrateOptions {
  readonly db: Db;
  readonly migrations: readonly Migration[];
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
  /** Called once before a database that has content is changed: the place to take a backup. */
  readonly beforeUpgrade?: (from: string) => Promise<void>;
}

/**
 * Brings the database to the newest schema and returns the names it applied. Rejects with
 * `STATE_NEWER` when a newer Millwright has changed it. Two processes may migrate one PostgreSQL
 * schema at once: one of them applies a migration, the other finds it done.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { db, migrations, beforeUpgrade } = options;
  assertOrdered(migrations);
  await prepare(db);
  const before = await appliedNames(db);
  refuseUnknown(before, migrations);
  const last = before.at(-1);
  if (last !== undefined && before.length < migrations.length) await beforeUpgrade?.(last);
  const applied: string[] = [];
  for (const migration of migrations) {
    if (before.includes(migration.name)) continue;
    if (await apply(migration, options)) applied.push(migration.name);
  }
  return applied;
}

/** False when another process has applied it in the meantime. */
async function apply(migration: Migration, options: MigrateOptions): Promise<boolean> {
  const { db, clock, log } = options;
  const { name } = migration;
  // The row comes first: a second migrating process waits here, not in the middle of the schema.
  const record = db
    .queries<Tables>()
    .insertInto('migrations')
    .values({ name, applied_at: clock.wall() });
  const changes = migration.up(db.queries(), db.dialect);
  try {
    await db.write([record, ...changes].map((query) => ({ query })));
  } catch (error) {
    if ((await appliedNames(db)).includes(name)) return false;
    throw error;
  }
  log.info('db.migration.applied', { name });
  return true;
}

async function prepare(db: Db): Promise<void> {
  const type = columnTypes(db.dialect);
  const table = createTable(db.queries(), db.dialect, 'migrations')
    .ifNotExists()
    .addColumn('name', type.text, (column) => column.primaryKey())
    .addColumn('applied_at', type.integer, (column) => column.notNull());
  try {
    await db.write([{ query: table }]);
  } catch (error) {
    // PostgreSQL's `if not exists` can lose a race against itself and fail on its own catalogue.
    const isThere = await appliedNames(db).catch(() => null);
    if (isThere === null) throw error;
  }
}

async function appliedNames(db: Db): Promise<readonly string[]> {
  const query = rawQuery(
    db.queries<Tables>(),
    sql<{ name: string }>`select name from migrations order by name`,
  );
  return (await db.read(query)).map((row) => row.name);
}

function refuseUnknown(applied: readonly string[], migrations: readonly Migration[]): void {
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = applied.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new AppError(
    'STATE_NEWER',
    `The metadata database was changed by a newer Millwright (${unknown.join(', ')}).`,
    {
      hint: 'Upgrade Millwright, or restore the backup taken before the upgrade.',
      details: { unknown },
    },
  );
}

function assertOrdered(migrations: readonly Migration[]): void {
  const names = migrations.map((migration) => migration.name);
  for (const [index, name] of names.entries()) {
    assert(/^\d{4}-[a-z0-9-]+$/.test(name), `a migration's name is 0001-words, not ${name}`);
    assert(index === 0 || name > names[index - 1]!, `migration ${name} is out of order`);
  }
}
