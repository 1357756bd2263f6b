import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ndjson } from '../../../test/contracts/lake.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { appendRows, createTable } from '../tables/contract.ts';
import { runSql, SQL_CHARS_MAX, type SqlAnswer } from './contract.ts';

let app: TestApp;
const LANDINGS = { namespace: 'default', name: 'landings' };
const OTHER = { namespace: 'lab', name: 'other' };

beforeAll(async () => {
  app = await createTestApp();
  const columns = [
    { name: 'id', type: 'long' as const },
    { name: 'origin', type: 'string' as const },
    { name: 'landed_at', type: 'timestamp' as const },
  ];
  for (const ref of [LANDINGS, OTHER]) {
    await app.api.call(createTable, { body: { ...ref, columns } });
    const rows = [1, 2, 3].map((id) => ({
      id,
      origin: id === 2 ? 'ATL' : 'ORD',
      landed_at: `2001-02-03T04:05:0${id}Z`,
    }));
    await append(ref, rows);
  }
  await append(LANDINGS, [{ id: 4, origin: null, landed_at: null }]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

async function append(params: typeof LANDINGS, rows: readonly object[]): Promise<void> {
  await app.api.call(appendRows, { params, query: {} }, { bytes: ndjson(...rows) });
}

function ask(sql: string, more: object = {}): Promise<SqlAnswer> {
  return app.api.call(runSql, { body: { sql, ...more } });
}

describe('a query', () => {
  test('sees namespaces as schemas, and the default one without a name', async () => {
    const sql = 'select origin, count(*) as n from landings group by 1 order by 1 nulls last';
    const answer = {
      columns: [
        { name: 'origin', type: 'VARCHAR' },
        { name: 'n', type: 'BIGINT' },
      ],
      rows: [
        ['ATL', 1],
        ['ORD', 2],
        [null, 1],
      ],
      isCut: false,
      tables: [{ ...LANDINGS, version: 2 }],
    };
    expect(await ask(sql)).toEqual(answer);
    expect((await ask(sql.replace('landings', 'default.landings'))).rows).toEqual(answer.rows);
    expect((await ask(sql.replace('landings', '"default".landings'))).rows).toEqual(answer.rows);
    const joined =
      'with a as (from lab.other) select max(a.landed_at) from a join Default.Landings using (id)';
    expect(await ask(joined)).toMatchObject({
      rows: [['2001-02-03T04:05:03Z']],
      tables: [
        { ...LANDINGS, version: 2 },
        { ...OTHER, version: 1 },
      ],
    });
    expect((await ask("select 'default.landings'")).rows).toEqual([['default.landings']]);
  });

  test('reads a table as it was', async () => {
    const sql = 'select count(*) from landings';
    const asOf = [{ ...LANDINGS, version: 1 }];
    expect(await ask(sql, { asOf })).toMatchObject({ rows: [[3]], tables: asOf });
    const unknown = [{ ...LANDINGS, version: 9 }];
    await expect(ask(sql, { asOf: unknown })).rejects.toMatchObject({
      code: 'TABLE_VERSION_NOT_FOUND',
    });
    await expect(ask(sql, { asOf: [{ ...OTHER, version: 1 }] })).rejects.toMatchObject({
      message: 'There is no table lab.other in the query.',
    });
  });

  test('gets values of every kind as JSON has them', async () => {
    const { rows } = await ask(
      "select 9007199254740993::bigint, 1.50::decimal(9,2), 'NaN'::double, date '2001-02-03', " +
        "[1, 2], {'a': 'x'}, null, true, 3::integer",
    );
    expect(rows).toEqual([
      ['9007199254740993', '1.50', 'NaN', '2001-02-03', [1, 2], { a: 'x' }, null, true, 3],
    ]);
  });

  test('has its rows cut at the limit, and says so', async () => {
    const cut = await ask('select range from range(1000000000)', { limit: 2 });
    expect(cut).toMatchObject({ rows: [[0], [1]], isCut: true });
    expect((await ask('from landings', { limit: 4 })).isCut).toBe(false);
  });

  test('is told what is wrong with it', async () => {
    await expect(ask('select nonsense from landings')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('"nonsense" not found') as string,
      hint: 'The query sees default.landings; others: millwright tables ls',
    });
    await expect(ask('select * from lab.nowhere')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      hint: 'Tables are called NAMESPACE.NAME: millwright tables ls',
    });
    await expect(ask('selec 1')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('waits for no third one', async () => {
    const slow =
      'select count(*) from range(200000) a, range(20000) b where a.range = -b.range - 1';
    const all = await Promise.allSettled([ask(slow), ask(slow), ask('select 1')]);
    expect(all.map(({ status }) => status).toSorted()).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
  });
});

function lakeFile(): string {
  const folder = path.join(app.folder, 'lake', 'lab', 'other');
  const name = readdirSync(folder).find((one) => one.endsWith('.parquet'))!;
  return path.join(folder, name);
}

describe('a hostile query', () => {
  const refused = { code: 'INVALID_INPUT' };
  test.each([
    ["select * from read_csv('/etc/passwd')"],
    ["select * from read_text('/etc/passwd')"],
    ["select * from read_blob('/proc/self/environ')"],
    ["select * from read_json('/etc/passwd')"],
    ["select * from '/etc/passwd'"],
    ["select * from glob('/etc/*')"],
    ["select * from sniff_csv('/etc/passwd')"],
    ["select * from parquet_metadata('/etc/passwd')"],
    ["select * from read_csv('https://example.com/x.csv')"],
    ["select * from query('select * from read_text(''/etc/passwd'')')"],
    ['select * from duckdb_secrets()'],
    ["select getenv('HOME')"],
    ["with x as (select * from read_text('/etc/passwd')) select * from x"],
    ["select (select content from read_text('/etc/passwd'))"],
  ])('reads no file and no environment: %s', async (sql) => {
    await expect(ask(sql)).rejects.toMatchObject(refused);
  });

  test.each([
    ["attach '/tmp/x.db'"],
    ["copy (select 1) to '/tmp/millwright-x.csv'"],
    ["export database '/tmp/millwright-x'"],
    ['set enable_external_access = true'],
    ['/* select */ set lock_configuration = false'],
    ['pragma enable_logging'],
    ['pragma database_list'],
    ['call pragma_version()'],
    ['install httpfs'],
    ['load httpfs'],
    ['create table t as select 1'],
    ['drop view default.landings'],
    ['insert into landings select * from landings'],
    ['begin'],
    ['checkpoint'],
    ['prepare x as select 1'],
    ['explain analyze select 1'],
    ['select 1; select 2'],
    ["select 1; copy (select 1) to '/tmp/millwright-x.csv'"],
    ['with x as (select 1) insert into landings select * from x'],
    ['-- select'],
    [';'],
    [' '],
  ])('changes nothing: %s', async (sql) => {
    await expect(ask(sql)).rejects.toMatchObject(refused);
  });

  test('reads no other file of the lake, nor a table that it does not name', async () => {
    const hidden = lakeFile().replace('/other/', "/oth' || 'er/");
    await expect(ask(`select * from read_parquet('${hidden}')`)).rejects.toMatchObject(refused);
    const log = path.join(app.folder, 'lake/lab/other/_delta_log/00000000000000000000.json');
    await expect(ask(`select * from read_text('${log}')`)).rejects.toMatchObject(refused);
    const database = path.join(app.folder, 'metadata.db');
    await expect(ask(`select * from read_blob('${database}')`)).rejects.toMatchObject(refused);
    await expect(ask("select * from query_table('oth' || 'er')")).rejects.toMatchObject(refused);
    const { rows } = await ask('select count(*) from duckdb_views() where not internal');
    expect(rows).toEqual([[0]]);
  });

  test.each([
    ['brackets', `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
    ['sums', `select ${'1+'.repeat(20_000)}1`],
    ['queries', `select ${'(select '.repeat(3000)}1${')'.repeat(3000)}`],
    ['lists', `select ${'['.repeat(20_000)}1${']'.repeat(20_000)}`],
  ])('of deeply nested %s is refused', async (_, sql) => {
    await expect(ask(sql)).rejects.toMatchObject({
      code: expect.stringMatching(/^(INVALID_INPUT|QUERY_LIMIT)$/) as string,
    });
  });

  test('of more text than a person writes is refused before it is read', async () => {
    const sql = `select '${'x'.repeat(SQL_CHARS_MAX)}'`;
    await expect(ask(sql)).rejects.toMatchObject(refused);
  });

  test('leaves nothing behind', () => {
    expect(readdirSync(path.join(app.folder, 'tmp', 'sql'))).toEqual([]);
  });
});
