import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { createOutput } from '../../platform/cli/output.ts';
import { registerModel } from '../registry/contract.ts';
import { servingCommands } from './commands.ts';
import { getEndpoint, type EndpointSpec } from './contract.ts';

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function create(
  ...options: readonly string[]
): Promise<Pick<EndpointSpec, 'key' | 'sticky' | 'durability'>> {
  const program = new Command().exitOverride();
  servingCommands(program, {
    withApi: (action) => action(app.api),
    out: createOutput({ sink: { write: () => undefined }, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: () => undefined,
  });
  const words = ['endpoints', 'create', 'late', '--model', 'late', ...options];
  await program.parseAsync(words, { from: 'user' });
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
