import { sql } from 'kysely';
import { Client } from 'pg';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createDatabase } from '../../../test/postgres.ts';
import { present } from '../../base/assert.ts';
import { silentLog } from '../log/log.ts';
import { randomToken } from '../system.ts';
import { rawQuery } from './kysely-builder.ts';
import { openPostgres, type PostgresDb } from './postgres.ts';

const log = silentLog;
let url: string;
beforeAll(async () => {
  url = await createDatabase(inject('postgresFolder'), `t_${randomToken(8)}`);
});

async function open(schema: string, connections = 4): Promise<PostgresDb> {
  const db = await openPostgres({ url, schema, connections, log });
  onTestFinished(() => db.close());
  return db;
}

const step = (db: PostgresDb, statement: ReturnType<typeof sql>) => ({
  query: rawQuery(db.queries(), statement),
});

describe('PostgreSQL', () => {
  it('keeps workspaces apart by schema', async () => {
    const [one, two] = [await open('one'), await open('two')];
    for (const db of [one, two]) await db.write([step(db, sql`create table t (n bigint)`)]);
    await one.write([step(one, sql`insert into t (n) values (1)`)]);
    const count = sql<{ n: number }>`select count(*) as n from t`;
    expect(await one.read(rawQuery(one.queries(), count))).toEqual([{ n: 1 }]);
    expect(await two.read(rawQuery(two.queries(), count))).toEqual([{ n: 0 }]);
  });

  it('reports a lost connection, and goes on with a new one', async () => {
    const db = await open('lost', 1);
    await db.write([step(db, sql`create table t (n bigint)`)]);
    const waiting = db.write([
      step(db, sql`insert into t (n) values (1)`),
      step(db, sql`select pg_sleep(20)`),
    ]);
    const rejection = expect(waiting).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    await terminateSleepers();
    await rejection;
    const rows = rawQuery(db.queries(), sql<{ n: number }>`select n from t`);
    expect(await db.read(rows)).toEqual([]);
    await db.write([step(db, sql`insert into t (n) values (2)`)]);
    expect(await db.read(rows)).toEqual([{ n: 2 }]);
  });

  it('says when no server answers, and when a schema has an impossible name', async () => {
    const nobody = openPostgres({ url: 'postgres://nobody@127.0.0.1:9/none', log });
    await expect(nobody).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    const injected = openPostgres({ url, schema: 'a; drop table t', log });
    await expect(injected).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  });

  it('finishes many transactions that all want the same row', async () => {
    const db = await open('contended', 10);
    await db.write([step(db, sql`create table t (n bigint)`)]);
    await db.write([step(db, sql`insert into t (n) values (0)`)]);
    const increment = step(db, sql`update t set n = n + 1`);
    await Promise.all(Array.from({ length: 200 }, () => db.write([increment])));
    const [row] = await db.read(rawQuery(db.queries(), sql<{ n: number }>`select n from t`));
    expect(row).toEqual({ n: 200 });
  });
});

/** Ends the connections that are in `pg_sleep`, as a restarting server would. */
async function terminateSleepers(): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  const sleepers = `
    select count(pg_terminate_backend(pid))::int as ended from pg_stat_activity
    where query like '%pg_sleep%' and pid <> pg_backend_pid() and datname = current_database()`;
  let ended = 0;
  while (ended === 0) {
    const { rows } = await admin.query<{ ended: number }>(sleepers);
    ended = present(rows[0], 'the count').ended;
  }
  await admin.end();
}
