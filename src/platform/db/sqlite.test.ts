import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../log/log.ts';
import { sleep } from '../system.ts';
import { rawQuery } from './kysely-builder.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { openSqlite, type SqliteDb } from './sqlite.ts';

const log = silentLog;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millwright-sqlite-'));
  file = path.join(folder, 'metadata.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const statement = (text: string) => ({ sql: text, parameters: [] });
const insert = (db: SqliteDb, n: number) =>
  db.write([{ query: rawQuery(db.queries(), sql`insert into t (n) values (${n})`) }]);
const numbers = async (db: SqliteDb) =>
  (await db.read(rawQuery(db.queries(), sql<{ n: number }>`select n from t order by n`))).map(
    (row) => row.n,
  );
const withTable = async (db: SqliteDb) => {
  await db.write([{ query: rawQuery(db.queries(), sql`create table t (n integer)`) }]);
  return db;
};

describe('SQLite', () => {
  it('keeps what it was told after it is closed and opened again', async () => {
    const db = await withTable(await openSqlite({ file, log }));
    await insert(db, 7);
    await db.close();
    const again = await openSqlite({ file, log });
    expect(await numbers(again)).toEqual([7]);
    await again.close();
  });

  it('refuses changes past its queue, and takes them again once it has drained', async () => {
    const db = await withTable(await openSqlite({ file, log, writesMax: 5 }));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => insert(db, index)),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map((outcome) => outcome.reason as unknown)).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ code: 'OVERLOADED' }) as unknown),
    );
    await insert(db, 8);
    expect(await numbers(db)).toEqual([0, 1, 2, 3, 4, 8]);
    await db.close();
  });

  it('rejects what waits, and everything later, when its writing thread dies', async () => {
    const threads: Worker[] = [];
    const collect = (worker: Worker) => threads.push(worker);
    process.on('worker', collect);
    const db = await withTable(await openSqlite({ file, log }));
    process.off('worker', collect);
    const waiting = insert(db, 1);
    const rejection = expect(waiting).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('thread') as unknown,
    });
    await threads[0]?.terminate();
    await rejection;
    await expect(insert(db, 2)).rejects.toThrow('thread');
    await expect(numbers(db)).resolves.toBeInstanceOf(Array);
    await db.close();
  });

  it('copies itself to a file while it is in use', async () => {
    const db = await withTable(await openSqlite({ file, log }));
    await insert(db, 1);
    const copy = path.join(folder, 'copy.db');
    await Promise.all([db.backup(copy), insert(db, 2)]);
    await db.close();
    const restored = await openSqlite({ file: copy, log });
    expect((await numbers(restored))[0]).toBe(1);
    await restored.close();
  });

  it('copies the moment of an action, for which changes wait', async () => {
    const db = await withTable(await openSqlite({ file, log }));
    await insert(db, 1);
    const copy = path.join(folder, 'copy.db');
    let later: Promise<unknown> = Promise.resolve();
    let seen: readonly number[] = [];
    await db.snapshot(copy, async () => {
      later = insert(db, 2);
      await sleep(50);
      seen = await numbers(db);
    });
    await later;
    expect(await numbers(db)).toEqual([1, 2]);
    await db.close();
    const restored = await openSqlite({ file: copy, log });
    expect([seen, await numbers(restored)]).toEqual([[1], [1]]);
    await restored.close();
  });

  it('goes on after a snapshot whose action failed, and takes another', async () => {
    const db = await withTable(await openSqlite({ file, log }));
    const copy = path.join(folder, 'copy.db');
    const failing = async () => {
      throw new Error('no room');
    };
    await expect(db.snapshot(copy, failing)).rejects.toThrow('no room');
    await insert(db, 1);
    const both = [1, 2].map((at) => db.snapshot(`${copy}${at}`, async () => undefined));
    await Promise.all(both);
    await insert(db, 2);
    await db.close();
    const restored = await openSqlite({ file: `${copy}2`, log });
    expect(await numbers(restored)).toEqual([1]);
    await restored.close();
  });

  it('says which file it cannot open', async () => {
    const missing = openSqlite({ file: path.join(folder, 'absent', 'metadata.db'), log });
    await expect(missing).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' });
    writeFileSync(file, 'this is not a database, but a text that is long enough to look at');
    await expect(openSqlite({ file, log })).rejects.toMatchObject({
      code: 'STATE_UNWRITABLE',
      message: expect.stringContaining('damaged') as unknown,
    });
  });
});

describe('a group of transactions', () => {
  it('commits the others when one breaks a constraint that is checked at the end', () => {
    const connection = new SqliteConnection({ file, role: 'writer' });
    connection.write([
      [
        statement('create table a (id integer primary key)'),
        statement('create table b (a integer references a (id) deferrable initially deferred)'),
      ],
    ]);
    const outcomes = connection.write([
      [statement('insert into a values (1)')],
      [statement('insert into b values (99)')],
      [statement('insert into b values (1)')],
    ]);
    expect(outcomes.map((outcome) => 'results' in outcome)).toEqual([true, false, true]);
    expect(outcomes[1]).toMatchObject({
      failure: { error: { code: 'CONFLICT', details: { kind: 'foreign-key' } } },
    });
    const rows = connection.read(
      statement('select (select count(*) from b) + (select count(*) from a)'),
    );
    expect(rows).toMatchObject({ results: [{ rows: [[2]] }] });
    connection.close();
  });

  it('reports a full disk and keeps the other transactions', () => {
    const connection = new SqliteConnection({ file, role: 'writer' });
    connection.write([[statement('create table t (bytes blob)')]]);
    connection.write([[statement('pragma max_page_count = 40')]]);
    const outcomes = connection.write([
      [statement('insert into t values (zeroblob(100))')],
      [statement('insert into t values (zeroblob(1000000))')],
      [statement('insert into t values (zeroblob(100))')],
    ]);
    expect(outcomes[1]).toMatchObject({ failure: { error: { code: 'DISK_FULL' } } });
    const rows = connection.read(statement('select count(*) from t'));
    expect(rows).toMatchObject({ results: [{ rows: [[2]] }] });
    connection.close();
  });
});
