import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ids, temporaryFolder } from '../../../test/contracts/lake.ts';
import type { SqlAnswer, SqlLimits } from './port.ts';
import { ProcessSandbox } from './sql-sandbox.ts';
import { withDefaultQuoted } from './sql-statement.ts';

const MIB = 1024 ** 2;
const LIMITS: SqlLimits = {
  rows: 100,
  resultBytes: MIB,
  memoryBytes: 128 * MIB,
  spillBytes: 32 * MIB,
  timeoutMs: 20_000,
};

async function ask(
  sql: string,
  limits: Partial<SqlLimits> = {},
  signal?: AbortSignal,
): Promise<SqlAnswer> {
  const folder = temporaryFolder();
  const sandbox = new ProcessSandbox({ folder, ids });
  try {
    return await sandbox.query({ sql, tables: [], limits: { ...LIMITS, ...limits }, signal });
  } finally {
    expect(readdirSync(folder)).toEqual([]);
  }
}

function limitOf(limit: string): object {
  return { code: 'QUERY_LIMIT', details: { limit } };
}

const ENDLESS =
  'with recursive t as (select 1 n union all select n + 1 from t) select max(n) from t';

test('a query without end is stopped when its time is up, and told so', async () => {
  await expect(ask(ENDLESS, { timeoutMs: 1000, memoryBytes: 1024 * MIB })).rejects.toMatchObject({
    ...limitOf('time'),
    message: 'The query ran longer than 1 s.',
  });
  const cross = 'select count(*) from range(100000) a, range(100000) b where a.range + b.range < 0';
  await expect(ask(cross, { timeoutMs: 1000 })).rejects.toMatchObject(limitOf('time'));
});

test.each([
  ['a list', 'select len(range(500000000))'],
  ['a string', "select string_agg(repeat('x', 1000), '') from range(3000000)"],
  ['what planning computes', 'select len(list_transform(range(100000000), x -> x + 1))'],
])('%s that needs more memory than allowed ends the query alone', async (_, sql) => {
  await expect(ask(sql)).rejects.toMatchObject({ code: 'QUERY_LIMIT' });
});

test('what does not fit into memory goes to disk, up to a limit', async () => {
  const sorted = 'select range, md5(range::varchar) from range(3000000) order by 2';
  await expect(ask(sorted, { memoryBytes: 64 * MIB })).rejects.toMatchObject({
    code: 'QUERY_LIMIT',
    details: { limit: expect.stringMatching(/disk|memory/) as string },
  });
});

test('an answer that is too long is refused whole', async () => {
  await expect(ask("select repeat('x', 100000) from range(50)")).rejects.toMatchObject({
    ...limitOf('result'),
    message: 'The answer is longer than 1 MiB.',
  });
});

test('whoever gives up takes the process along', async () => {
  const giving = new AbortController();
  const asked = ask(ENDLESS, {}, giving.signal);
  setImmediate(() => {
    giving.abort(new Error('gone'));
  });
  await expect(asked).rejects.toThrow('gone');
});

test('what a killed process put aside is removed', async () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'left', 'behind'), { recursive: true });
  const sandbox = new ProcessSandbox({ folder, ids });
  await sandbox.query({ sql: 'select 1', tables: [], limits: LIMITS });
  expect(readdirSync(folder)).toEqual([]);
});

test('the process knows no environment', async () => {
  const { rows } = await ask("select current_setting('home_directory')");
  expect(rows).toEqual([['']]);
});

test('only a name is quoted where a reserved word stands for one', () => {
  const kept = ["'default.x'", '"default.x"', '-- default.x\n', '/* default.x */', '$$default.x$$'];
  for (const text of kept) expect(withDefaultQuoted(text)).toBe(text);
  expect(withDefaultQuoted('from DEFAULT . x, default.y')).toBe('from "default" . x, "default".y');
  expect(withDefaultQuoted('select x.default_y')).toBe('select x.default_y');
});
