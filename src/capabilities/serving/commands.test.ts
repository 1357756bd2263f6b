import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { AppError } from '../../base/errors.ts';
import type { Api } from '../../platform/cli/context.ts';
import { createOutput } from '../../platform/cli/output.ts';
import { registerModel } from '../registry/contract.ts';
import { servingCommands } from './commands.ts';
import { deploy, getEndpoint, putEndpoint, type EndpointSpec } from './contract.ts';

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

interface Ran {
  readonly status: number;
  readonly text: string;
}

function run(...words: readonly string[]): Promise<Ran> {
  return runOn(app.api, words);
}

async function runOn(api: Api, words: readonly string[]): Promise<Ran> {
  let [status, text] = [0, ''];
  const program = new Command().exitOverride();
  const sink = {
    write: (part: string) => {
      text += part;
    },
  };
  servingCommands(program, {
    withApi: (action) => action(api),
    out: createOutput({ sink, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: (ended) => {
      status = ended;
    },
  });
  await program.parseAsync([...words], { from: 'user' });
  return { status, text };
}

async function create(
  ...options: readonly string[]
): Promise<Pick<EndpointSpec, 'key' | 'sticky' | 'durability'>> {
  await run('endpoints', 'create', 'late', '--model', 'late', ...options);
  const { key, sticky, durability } = await app.api.call(getEndpoint, {
    params: { endpoint: 'late' },
  });
  return { key, sticky, durability };
}

test('endpoints create again keeps what it does not name', async () => {
  expect(await create()).toEqual({ key: null, sticky: null, durability: 'async' });
  const named = ['--key', 'flight', '--sticky', 'user', '--durability', 'sync'];
  const all = { key: 'flight', sticky: 'user', durability: 'sync' };
  expect(await create(...named)).toEqual(all);
  expect(await create()).toEqual(all);
  expect(await create('--no-sticky')).toEqual({ ...all, sticky: null });
  expect(await create('--no-key')).toEqual({ key: null, sticky: null, durability: 'sync' });
});

test('deploy takes the version of a model to an endpoint of another name', async () => {
  const params = { endpoint: 'arrivals' };
  await app.api.call(putEndpoint, { params, body: { model: 'late' } });
  expect(await run('deploy', 'late@1', '--endpoint', 'arrivals')).toEqual({
    status: 0,
    text: 'arrivals: revision 1, blue → v1 100 %\n',
  });
  await expect(run('deploy', 'other@1', '--endpoint', 'arrivals')).rejects.toThrow(
    'Endpoint arrivals serves late, not other.',
  );
});

test('deploy shows what refused a version, ends with 1 and changes nothing', async () => {
  const check = { version: 1, numbers: {} };
  const definition = { ...check, name: 'definition', result: 'passed', summary: 'as trained' };
  const signature = { ...check, name: 'signature', result: 'refused', summary: 'too wide' };
  const refused = new AppError('DEPLOYMENT_REFUSED', 'Refused: too wide.', {
    hint: 'Nothing was changed.',
    details: { checks: [definition, signature] },
  });
  const api = { call: () => Promise.reject(refused) };
  const shown = await runOn(api, ['deploy', 'late@1']);
  expect(shown).toEqual({
    status: 1,
    text:
      '  ✔ definition   as trained\n  ✘ signature    too wide\n' +
      'Refused: too wide.\nNothing was changed.\n',
  });
});

test('rollback goes there and back as a drill, and wants a reason otherwise', async () => {
  await create();
  const params = { endpoint: 'late' };
  const bytes = versionModel({ version: 2 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  for (const version of [1, 2]) await app.api.call(deploy, { params, body: { version } });
  expect(await run('rollback', 'late', '--drill')).toEqual({
    status: 0,
    text:
      'late: revision 3 restored 1\n  blue → v1 100 %\n' +
      'late: revision 4 came back to 2\n  green → v2 100 %\n',
  });
  await expect(run('rollback', 'late')).rejects.toThrow('A rollback needs a reason');
  await expect(run('rollback', 'late', '--drill', '--to', '1')).rejects.toThrow(
    'A drill goes to the revision before',
  );
});

test('who-served tells the version of a moment, why, and how to ask on', async () => {
  await create('--key', 'flight');
  expect((await run('who-served', 'late')).text).toContain('nobody, nothing was deployed');
  await app.api.call(deploy, { params: { endpoint: 'late' }, body: { version: 1, reason: 'go' } });
  const { text } = await run(
    'who-served',
    'late',
    '--at',
    '2001-03-01T00:00Z',
    '--key',
    'flight=7',
  );
  expect(text).toMatch(/^late at 2001-03-01T00:00:00Z \(domain\) for flight=7: late v1 \(arm blue/);
  expect(text).toContain('revision 1 from 2001-03-01T00:00:00Z, still current   by test: go');
  expect(text).toContain('none within a day');
  await expect(run('who-served', 'late', '--at', 'noon')).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
});
