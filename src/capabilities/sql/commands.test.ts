import { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ndjson } from '../../../test/contracts/lake.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { createOutput } from '../../platform/cli/output.ts';
import { appendRows, createTable } from '../tables/contract.ts';
import { sqlCommands } from './commands.ts';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  const params = { namespace: 'predictions_of', name: 'late' };
  const columns = [{ name: 'note', type: 'string' as const }];
  await app.api.call(createTable, { body: { ...params, columns } });
  for (const note of ['plain', 'a,"b"\n\u001B[31mred']) {
    await app.api.call(appendRows, { params, query: {} }, { bytes: ndjson({ note }) });
  }
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

async function run(...words: readonly string[]): Promise<string> {
  let text = '';
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const sink = {
    write: (part: string) => {
      text += part;
    },
  };
  sqlCommands(program, {
    withApi: (action) => action(app.api),
    out: createOutput({ sink, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: () => undefined,
  });
  await program.parseAsync(['sql', ...words], { from: 'user' });
  return text;
}

const NOTES = 'select note, length(note) as n from predictions_of.late order by n';

test('an answer is shown as a table, with what was read', async () => {
  const text = await run(NOTES);
  expect(text).toMatch(/note .* n [^]*plain .* 5 /);
  expect(text).toContain('\\x1b[31mred');
  expect(text).toContain('2 rows   read predictions_of.late@2');
  expect(await run(NOTES, '--limit', '1')).toContain('the first 1 rows; --limit shows more');
  expect(await run(NOTES, '--as-of', 'predictions_of.late@1')).toContain('1 rows   read');
});

test('CSV is for programs: nothing but the rows, and all of them or an error', async () => {
  expect(await run(NOTES, '--csv')).toBe('note,n\r\nplain,5\r\n"a,""b""\n\u001B[31mred",14\r\n');
  await expect(run(NOTES, '--csv', '--limit', '1')).rejects.toMatchObject({
    code: 'QUERY_LIMIT',
    details: { limit: 'rows' },
  });
});

test('a version without its table is refused', async () => {
  await expect(run(NOTES, '--as-of', 'late')).rejects.toThrow('Expected TABLE@VERSION');
});
