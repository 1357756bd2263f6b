import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { getVersion, listModels, listVersions, registerModel } from './contract.ts';

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

function register(model: string, bytes: Uint8Array, description = '') {
  return app.api.call(registerModel, { params: { model }, query: { description } }, { bytes });
}

async function blobFiles(): Promise<readonly string[]> {
  const entries = await readdir(path.join(app.folder, 'artifacts'), {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

describe('registering a model', () => {
  test('numbers its versions from 1 and keeps what each is', async () => {
    const first = await register('late', versionModel({ version: 1 }), 'baseline');
    const second = await register('late', versionModel({ version: 2 }));
    expect([first.version, second.version]).toEqual([1, 2]);
    expect(first.digest).not.toBe(second.digest);
    const params = { model: 'late', version: 1 };
    expect(await app.api.call(getVersion, { params })).toEqual(first);
    expect(first).toMatchObject({
      description: 'baseline',
      createdBy: 'test',
      format: 'onnx',
      signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }] },
    });
  });

  test('names no run that is not there', async () => {
    const run = `run_${'f'.repeat(32)}`;
    const bytes = versionModel({ version: 1 });
    const query = { run };
    const refused = app.api.call(registerModel, { params: { model: 'late' }, query }, { bytes });
    await expect(refused).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });

  test('gives two at once two numbers', async () => {
    const bytes = [1, 2, 3, 4].map((version) => versionModel({ version }));
    const versions = await Promise.all(bytes.map((model) => register('late', model)));
    const numbers = versions.map(({ version }) => version);
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  test('takes the same bytes again as another version', async () => {
    const bytes = versionModel({ version: 1 });
    await register('late', bytes);
    expect((await register('late', bytes)).version).toBe(2);
  });

  test.each([
    ['an empty file', Buffer.alloc(0), 'empty'],
    ['a file that is no model', Buffer.from('GIF89a'), 'ONNX Runtime refuses'],
  ])('refuses %s before it gets a number', async (_, bytes, message) => {
    await expect(register('late', bytes)).rejects.toThrow(message);
    expect(await blobFiles()).toEqual([]);
    expect((await register('late', versionModel({ version: 1 }))).version).toBe(1);
  });

  test.each(['', '../late', 'a b', 'é'])('refuses the name %j', async (name) => {
    await expect(register(name, versionModel({ version: 1 }))).rejects.toMatchObject({
      code: expect.stringMatching(/INVALID_INPUT|ROUTE_NOT_FOUND/) as string,
    });
  });
});

describe('lists', () => {
  test('page through versions, newest first, and models by name', async () => {
    for (const version of [1, 2, 3]) await register('b', versionModel({ version }));
    await register('a', versionModel({ version: 1 }));
    const params = { model: 'b' };
    const page = await app.api.call(listVersions, { params, query: { limit: 2 } });
    expect(page.items.map(({ version }) => version)).toEqual([3, 2]);
    const cursor = page.nextCursor ?? '';
    const rest = await app.api.call(listVersions, { params, query: { limit: 2, cursor } });
    expect(rest.items.map(({ version }) => version)).toEqual([1]);
    expect(rest.nextCursor).toBeNull();
    const models = await app.api.call(listModels, { query: {} });
    expect(models.items.map(({ name, latestVersion }) => [name, latestVersion])).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
  });

  test('refuse a cursor of somebody else’s', async () => {
    const list = app.api.call(listModels, { query: { cursor: 'bm9uc2Vuc2U' } });
    await expect(list).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('say when there is no such model or version', async () => {
    const versions = app.api.call(listVersions, { params: { model: 'nobody' }, query: {} });
    await expect(versions).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await register('late', versionModel({ version: 1 }));
    const version = app.api.call(getVersion, { params: { model: 'late', version: 2 } });
    await expect(version).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
  });
});

test('a version that was deleted is not deployed, but what serves it goes on', async () => {
  const send = async (method: 'PUT' | 'POST' | 'DELETE', url: string, message: object) => {
    const { statusCode, body } = await app.app.http.inject({
      method,
      url,
      headers: { host: '127.0.0.1', 'content-type': 'application/json' },
      payload: JSON.stringify(message),
    });
    return { status: statusCode, body };
  };
  await register('late', versionModel({ version: 1 }));
  await register('late', versionModel({ version: 2 }));
  await send('PUT', '/api/v1/endpoints/late', { model: 'late' });
  const deploy = (version: number) => send('POST', '/api/v1/endpoints/late/deploy', { version });
  expect(await deploy(1)).toMatchObject({ status: 200 });
  for (const version of ['1', '2']) {
    const at = { name: 'late', version };
    const deleted = await send('DELETE', '/api/2.0/mlflow/model-versions/delete', at);
    expect(deleted.status).toBe(200);
  }
  const refused = { status: 404, body: expect.stringContaining('late@2 was deleted') as string };
  expect(await deploy(2)).toMatchObject(refused);
  const rows = { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] };
  const answer = await send('POST', '/v2/models/late/infer', { inputs: [rows] });
  expect(answer.status).toBe(200);
});

describe('stages', () => {
  async function transition(version: number) {
    const { statusCode, body } = await app.app.http.inject({
      method: 'POST',
      url: '/api/2.0/mlflow/model-versions/transition-stage',
      headers: { host: '127.0.0.1', 'content-type': 'application/json' },
      payload: JSON.stringify({
        name: 'late',
        version: String(version),
        stage: 'Production',
        archive_existing_versions: true,
      }),
    });
    expect([statusCode, body]).toEqual([200, expect.stringContaining('Production')]);
  }

  async function stages(): Promise<readonly string[]> {
    const { body } = await app.app.http.inject({
      url: '/api/2.0/mlflow/model-versions/search',
      headers: { host: '127.0.0.1' },
    });
    const found = JSON.parse(body) as { model_versions: { current_stage: string }[] };
    return found.model_versions.map((version) => version.current_stage).toSorted();
  }

  test('have one version after two that archive the others at once', async () => {
    for (const version of [1, 2, 3]) await register('late', versionModel({ version }));
    await transition(3);
    await transition(3);
    expect(await stages()).toEqual(['None', 'None', 'Production']);
    await Promise.all([transition(1), transition(2)]);
    expect(await stages()).toEqual(['Archived', 'Archived', 'Production']);
  });
});
