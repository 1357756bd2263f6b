import { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/contracts/lake.ts';
import { parquetBytes } from '../../../test/contracts/parquet-bytes.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { createOutput } from '../../platform/cli/output.ts';
import { tablesCommands } from './commands.ts';

async function run({ api }: TestApp, ...words: readonly string[]): Promise<string> {
  let text = '';
  const program = new Command().exitOverride();
  const sink = {
    write: (part: string) => {
      text += part;
    },
  };
  tablesCommands(program, {
    withApi: (action) => action(api),
    out: createOutput({ sink, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: () => undefined,
  });
  await program.parseAsync(['tables', ...words], { from: 'user' });
  return text;
}

async function started(): Promise<TestApp> {
  const app = await createTestApp();
  onTestFinished(() => app[Symbol.asyncDispose]());
  return app;
}

test('files are appended as what they are, to a table of the namespace default', async () => {
  const app = await started();
  const folder = temporaryFolder();
  const parquet = path.join(folder, 'rows.parquet');
  const ndjson = path.join(folder, 'rows.ndjson');
  writeFileSync(parquet, await parquetBytes("SELECT 1::BIGINT AS id, 'ORD' AS origin"));
  writeFileSync(ndjson, '{"id": 2, "origin": "ATL"}\n');
  await run(app, 'create', 'flights', 'id:long!', 'origin:string');
  expect(await run(app, 'append', 'flights', parquet, '--batch', 'a')).toContain('1 rows appended');
  expect(await run(app, 'append', 'default.flights', parquet, '--batch', 'a')).toContain('already');
  expect(await run(app, 'append', 'flights', ndjson)).toContain('1 rows appended');
  const shown = await run(app, 'rows', 'default.flights');
  expect(shown).toMatch(/1 +.*ORD[^]*2 +.*ATL/);
});

test('a table is made of the columns of a Parquet file, which it then takes', async () => {
  const app = await started();
  const file = path.join(temporaryFolder(), 'rows.parquet');
  const row =
    "1::UINTEGER AS id, 'ORD' AS origin, 2::SMALLINT AS gate, 0.5::FLOAT AS f, DATE '2001-02-03' AS d";
  writeFileSync(file, await parquetBytes(`SELECT ${row} FROM range(100000)`));
  const made = await run(app, 'create', 'flights', '--from', file);
  expect(made).toMatch(/id .*long[^]*origin .*string[^]*gate .*integer[^]*f .*float[^]*d .*date/);
  expect(made).toContain(`next: millwright tables append flights ${file}`);
  expect(await run(app, 'append', 'flights', file)).toContain('100000 rows appended');
});

test.each([
  ['a list in it', 'SELECT [1, 2] AS items', /items: no column of a table holds INTEGER\[\]/],
  ['times without a zone', "SELECT TIMESTAMP '2001-02-03 04:05:06' AS seen", /without a zone/],
])('a Parquet file with %s makes no table', async (_, sql, message) => {
  const file = path.join(temporaryFolder(), 'rows.parquet');
  writeFileSync(file, await parquetBytes(sql));
  await expect(run(await started(), 'create', 'flights', '--from', file)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(message) as string,
  });
});

test('a table is made of columns or of a Parquet file, and nothing else will do', async () => {
  const app = await started();
  const file = path.join(temporaryFolder(), 'rows.parquet');
  writeFileSync(file, 'PAR1 and then something else');
  for (const words of [
    ['flights'],
    ['flights', 'id:long', '--from', file],
    ['x', '--from', file],
  ]) {
    await expect(run(app, 'create', ...words)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  }
  expect(await run(app, 'ls')).toContain('No tables yet');
});

test('versions of a table are listed and compared', async () => {
  const app = await started();
  const file = path.join(temporaryFolder(), 'rows.ndjson');
  writeFileSync(file, '{"id": 1}\n{"id": 2}\n');
  await run(app, 'create', 'flights', 'id:long');
  await run(app, 'append', 'flights', file);
  await run(app, 'append', 'flights', file);
  expect(await run(app, 'ls')).toMatch(/default\.flights .* 2 .* 4 .*test/);
  expect(await run(app, 'history', 'flights')).toMatch(/2 .*WRITE .*test .* 2 .* 0 /);
  const shown = await run(app, 'diff', 'flights', '--from', '0', '--limit', '1');
  expect(shown).toContain('default.flights   version 0 → 2   4 rows added, 0 removed');
  expect(shown).toContain('columns: no change');
  expect(shown).toMatch(/\+ +.* 1 /);
  expect(shown).toContain('and 3 more');
});

test.each(['', '.rows', 'lab.rows.more'])('a table called %j is refused', async (name) => {
  const append = run(await started(), 'show', name);
  await expect(append).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});
