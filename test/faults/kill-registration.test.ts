import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { versionModel } from '../onnx-model.ts';
import { killAll, startServer, type Server } from './server-process.ts';

/** A version that an MLflow client registers while the server dies: whole, or not there at all. */

const MINUTES_5 = 300_000;
const MLMODEL = 'flavors:\n  onnx:\n    data: model.onnx\n';

let state: string;

beforeEach(async () => {
  state = await mkdtemp(path.join(tmpdir(), 'mw-registration-'));
});

afterEach(async () => {
  await killAll();
  await rm(state, { recursive: true, force: true });
});

async function call(server: Server, method: string, way: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${server.url}/api/2.0/mlflow/${way}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return response.json();
}

async function put(
  server: Server,
  file: string,
  bytes: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const url = `${server.url}/api/2.0/mlflow-artifacts/artifacts/${file}`;
  expect((await fetch(url, { method: 'PUT', body: bytes })).status).toBe(200);
}

test.each([
  { point: 'model.after-blob', first: 'is not there' },
  { point: 'model.after-commit', first: 'is there whole' },
])(
  'killed at $point, the version $first',
  async ({ point, first }) => {
    const dying = await startServer({ state, env: { MILLWRIGHT_FAULT: point } });
    const { run } = (await call(dying, 'POST', 'runs/create', { experiment_id: '0' })) as {
      run: { info: { run_id: string } };
    };
    const id = run.info.run_id;
    await put(dying, `0/${id}/artifacts/model/MLmodel`, MLMODEL);
    const onnx = new Uint8Array(versionModel({ version: 1 }));
    await put(dying, `0/${id}/artifacts/model/model.onnx`, onnx);
    await call(dying, 'POST', 'registered-models/create', { name: 'late' });
    const version = { name: 'late', source: `runs:/${id}/model` };
    await expect(call(dying, 'POST', 'model-versions/create', version)).rejects.toThrow();
    expect((await dying.exited).signal).toBe('SIGKILL');

    const server = await startServer({ state });
    const found = await call(server, 'GET', 'model-versions/get?name=late&version=1');
    if (first === 'is not there') {
      expect(found).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' });
      expect(await call(server, 'POST', 'model-versions/create', version)).toMatchObject({
        model_version: { version: '1', run_id: id },
      });
    } else expect(found).toMatchObject({ model_version: { version: '1', run_id: id } });
    const list = await fetch(
      `${server.url}/api/2.0/mlflow-artifacts/artifacts?path=registered-models/late/1`,
    );
    expect(await list.json()).toMatchObject({
      files: [{ path: 'MLmodel' }, { path: 'model.onnx', file_size: onnx.length }],
    });
    const file = `${server.url}/api/2.0/mlflow-artifacts/artifacts/registered-models/late/1/model.onnx`;
    expect(new Uint8Array(await (await fetch(file)).arrayBuffer())).toEqual(onnx);
  },
  MINUTES_5,
);
