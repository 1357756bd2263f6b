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
