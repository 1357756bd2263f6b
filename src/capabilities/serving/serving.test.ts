import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import { listPredictions } from '../predictions/contract.ts';
import { registerModel } from '../registry/contract.ts';
import * as contract from './contract.ts';
import type { RouteRevision } from './contract.ts';
import { revisionHash } from './revision-hash.ts';

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

const params = { endpoint: 'late' };

async function register(version: number, model = 'late'): Promise<void> {
  await app.api.call(
    registerModel,
    { params: { model }, query: {} },
    { bytes: versionModel({ version }) },
  );
}

async function serve(versions: number, spec: { key?: string; sticky?: string } = {}) {
  for (let version = 1; version <= versions; version += 1) await register(version);
  await app.api.call(contract.putEndpoint, { params, body: { model: 'late', ...spec } });
  return app.api.call(contract.deploy, { params, body: { version: 1 } });
}

function deploy(version: number, ifRevision?: number) {
  const body = { version, ...(ifRevision === undefined ? {} : { ifRevision }) };
  return app.api.call(contract.deploy, { params, body });
}

function rollback(to?: number) {
  const body = { reason: 'test', ...(to === undefined ? {} : { to }) };
  return app.api.call(contract.rollback, { params, body });
}

async function infer(
  options: {
    readonly body?: unknown;
    readonly path?: string;
    readonly headers?: Record<string, string>;
  } = {},
) {
  const body = options.body ?? {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }],
  };
  const reply = await app.app.http.inject({
    method: 'POST',
    url: options.path ?? '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1', ...options.headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: reply.statusCode, headers: reply.headers, body: reply.json() };
}

function get(url: string) {
  return app.app.http.inject({ url, headers: { host: '127.0.0.1' } });
}

function ask(parameters: Record<string, string>, id?: string) {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }];
  return infer({ body: { ...(id === undefined ? {} : { id }), parameters, inputs } });
}

async function served(): Promise<number> {
  return (await infer()).body.outputs[1].data[0];
}

function trace(requestId: string) {
  return app.api.call(contract.traceRequest, { params: { requestId } });
}

/** Looking for what nobody knows flushes the journal first. */
async function flush(): Promise<void> {
  await trace('nobody').catch(() => undefined);
}

describe('an endpoint', () => {
  test('answers with the version its route names, and says so everywhere', async () => {
    const revision = await serve(1);
    const reply = await infer();
    expect(reply.status).toBe(200);
    expect(reply.headers['x-model-version']).toBe('1');
    expect(reply.headers['x-route-revision']).toBe(String(revision.revision));
    expect(reply.body).toMatchObject({
      model_name: 'late',
      model_version: '1',
      parameters: { route_revision: 1, arm: 'blue' },
      outputs: [
        { name: 'score', shape: [1, 1], data: [6] },
        { name: 'version', shape: [1, 1], data: [1] },
      ],
    });
  });

  test('says after a restart that its model is gone, and takes another version', async () => {
    await serve(2);
    const { folder } = app;
    const digest = (await app.api.call(contract.getEndpoint, { params })).route!.arms[0]!.digest;
    await app.app.stop();
    await rm(path.join(folder, 'artifacts', digest.slice(0, 2)), { recursive: true });
    app = await createTestApp({ stateFolder: folder });
    const reply = await infer();
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(reply.body.error).toContain('deploy another version');
    expect((await get('/v2/health/ready')).statusCode).toBe(503);
    await deploy(2);
    expect((await get('/v2/health/ready')).statusCode).toBe(200);
    expect(await served()).toBe(2);
  });

  test('is unknown until something is deployed', async () => {
    await register(1);
    await app.api.call(contract.putEndpoint, { params, body: { model: 'late' } });
    expect((await infer()).status).toBe(404);
  });

  test('may be declared before its model has a version', async () => {
    await app.api.call(contract.putEndpoint, { params, body: { model: 'nobody' } });
    await expect(deploy(1)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await register(1);
    await app.api.call(contract.putEndpoint, { params, body: { model: 'late' } });
    await deploy(1);
    expect(await served()).toBe(1);
  });

  test('keeps its model', async () => {
    await serve(1);
    await register(1, 'other');
    const put = app.api.call(contract.putEndpoint, { params, body: { model: 'other' } });
    await expect(put).rejects.toMatchObject({ code: 'ENDPOINT_EXISTS' });
  });

  test('refuses a version that does not exist and goes on with the former', async () => {
    await serve(1);
    await expect(deploy(9)).rejects.toMatchObject({ code: 'MODEL_VERSION_NOT_FOUND' });
    expect(await served()).toBe(1);
  });

  test('comes back after a restart as it was', async () => {
    await serve(2);
    await deploy(2);
    const { folder } = app;
    await app.app.stop();
    app = await createTestApp({ stateFolder: folder });
    expect(await served()).toBe(2);
    const endpoint = await app.api.call(contract.getEndpoint, { params });
    expect(endpoint.warm.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([1, 2]);
    await app.app.stop();
    await rm(folder, { recursive: true });
    app = await createTestApp();
  });
});

describe('blue/green', () => {
  test('switches to the other colour and keeps the former version warm', async () => {
    await serve(2);
    const revision = await deploy(2);
    expect(revision.arms).toMatchObject([{ name: 'green', version: 2, weight: 10_000 }]);
    expect(await served()).toBe(2);
    const endpoint = await app.api.call(contract.getEndpoint, { params });
    expect(endpoint.warm.map(({ version }) => version)).toEqual([2, 1]);
  });

  test('rolls back to the revision before, and twice goes back twice', async () => {
    await serve(3);
    await deploy(2);
    await deploy(3);
    expect((await rollback()).restores).toBe(2);
    expect(await served()).toBe(2);
    expect((await rollback()).restores).toBe(1);
    expect(await served()).toBe(1);
    await expect(rollback()).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
  });

  test('rolls back to a named revision', async () => {
    await serve(3);
    await deploy(2);
    await deploy(3);
    await rollback(1);
    expect(await served()).toBe(1);
    await expect(rollback(99)).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
  });

  /** The answers to requests that follow each other until it is over. */
  async function askedDuring(over: Promise<unknown>): Promise<readonly [number, string][]> {
    const state = { isOver: false };
    const ended = over.finally(() => {
      state.isOver = true;
    });
    const answers: [number, string][] = [];
    while (!state.isOver) {
      const { status, body } = await infer();
      answers.push([status, body.model_version]);
    }
    await ended;
    return answers;
  }

  test('goes there and back in a drill that fails no request', async () => {
    await serve(2);
    await deploy(2);
    const drilling = app.api.call(contract.drillRollback, { params, body: { reason: 'monthly' } });
    const answers = await askedDuring(drilling);
    expect(new Set(answers.map(([status]) => status))).toEqual(new Set([200]));
    const { there, back } = await drilling;
    expect(there).toMatchObject({ revision: 3, restores: 1, isDrill: true, reason: 'monthly' });
    expect(there.arms).toMatchObject([{ version: 1 }]);
    expect(back).toMatchObject({ revision: 4, restores: 2, isDrill: true });
    expect(await served()).toBe(2);
    const page = await app.api.call(contract.listRevisions, { params, query: {} });
    expect(page.chainIntact).toBe(true);
    expect(page.items.map(({ isDrill }) => isDrill)).toEqual([true, true, false, false]);
    expect((await rollback()).restores).toBe(1);
  });

  test('has the former version answer what arrives during a drill', async () => {
    await serve(2);
    await deploy(2);
    const drills = Array.from({ length: 20 }, () =>
      app.api.call(contract.drillRollback, { params, body: {} }),
    );
    const answers = await askedDuring(Promise.all(drills));
    expect(new Set(answers.map(([, version]) => version))).toEqual(new Set(['1', '2']));
  });

  test('has nothing to drill where nothing was before', async () => {
    await serve(1);
    const drill = app.api.call(contract.drillRollback, { params, body: {} });
    await expect(drill).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
    const page = await app.api.call(contract.listRevisions, { params, query: {} });
    expect(page.items.length).toBe(1);
  });

  test('refuses a change decided on a route that is no more', async () => {
    await serve(2);
    await deploy(2);
    await expect(deploy(1, 1)).rejects.toMatchObject({ code: 'STALE_REVISION' });
    expect(await served()).toBe(2);
  });

  test('numbers changes made at once one after the other', async () => {
    await serve(3);
    const revisions = await Promise.all([deploy(2), deploy(3), deploy(1)]);
    expect(revisions.map(({ revision }) => revision).toSorted((a, b) => a - b)).toEqual([2, 3, 4]);
    const page = await app.api.call(contract.listRevisions, { params, query: {} });
    expect(page.chainIntact).toBe(true);
    expect(page.items.map(({ revision }) => revision)).toEqual([4, 3, 2, 1]);
  });

  test('takes no reason that its store would change', async () => {
    await serve(1);
    const body = { version: 1, reason: 'half \ud800' };
    const changed = app.api.call(contract.deploy, { params, body });
    await expect(changed).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('checks a chain longer than a page, and that its newest revision is there', async () => {
    await serve(1);
    const { db } = app.app.platform;
    interface Stored extends Omit<RouteRevision, 'arms' | 'now' | 'wall' | 'evidence'> {
      readonly arms: string;
      readonly evidence: null;
      readonly now: Micros;
      readonly wall: Micros;
    }
    const tables = db.queries<{
      serving_revisions: Stored;
      serving_endpoints: { current_revision: number };
    }>();
    const [first] = await db.read(tables.selectFrom('serving_revisions').selectAll());
    // Published through the service they would take seconds.
    const rows = [first!];
    while (rows.length < 450) {
      const [former, revision] = [rows.at(-1)!.hash, rows.length + 1];
      const { hash: _, ...row } = { ...first!, id: `rt_${revision}`, revision };
      const [now, wall] = [formatInstant(row.now), formatInstant(row.wall)];
      const arms = JSON.parse(row.arms) as RouteRevision['arms'];
      rows.push({ ...row, hash: revisionHash({ ...row, arms, evidence: [], now, wall }, former) });
    }
    const current = (revision: number) => ({
      query: tables.updateTable('serving_endpoints').set({ current_revision: revision }),
    });
    const added = tables.insertInto('serving_revisions').values(rows.slice(1));
    await db.write([{ query: added }, current(450)]);
    const isIntact = async () =>
      (await app.api.call(contract.listRevisions, { params, query: {} })).chainIntact;
    expect(await isIntact()).toBe(true);
    await db.write([current(451)]);
    expect(await isIntact()).toBe(false);
    const altered = tables.updateTable('serving_revisions').set({ reason: 'other' });
    await db.write([current(450), { query: altered.where('revision', '=', 301) }]);
    expect(await isIntact()).toBe(false);
  });

  test('shows when a stored revision was altered', async () => {
    await serve(2);
    await deploy(2);
    const builder = app.app.platform.db.queries<{ serving_revisions: { reason: string } }>();
    const query = builder.updateTable('serving_revisions').set({ reason: 'nothing to see' });
    await app.app.platform.db.write([{ query }]);
    const page = await app.api.call(contract.listRevisions, { params, query: {} });
    expect(page.chainIntact).toBe(false);
  });
});

describe('a split', () => {
  test('shares callers by their sticky key and keeps each on one arm', async () => {
    await serve(2, { sticky: 'user' });
    await app.api.call(contract.split, {
      params,
      body: {
        arms: [
          { name: 'stable', version: 1, weight: 8000 },
          { name: 'canary', version: 2, weight: 2000 },
        ],
      },
    });
    const first = new Map<string, string>();
    for (let index = 0; index < 200; index += 1) {
      const user = `u${index}`;
      first.set(user, (await ask({ user })).body.model_version);
    }
    const canaries = [...first.values()].filter((version) => version === '2').length;
    expect(canaries).toBeGreaterThan(15);
    expect(canaries).toBeLessThan(70);
    for (const [user, version] of [...first].slice(0, 20)) {
      expect((await ask({ user })).body.model_version).toBe(version);
    }
  });

  test('refuses weights that do not add up', async () => {
    await serve(1);
    const split = app.api.call(contract.split, {
      params,
      body: { arms: [{ name: 'stable', version: 1, weight: 9999 }] },
    });
    await expect(split).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('a pinned request', () => {
  test('gets its version while that is warm, and 404 otherwise', async () => {
    await serve(2);
    await deploy(2);
    const pinned = await infer({ path: '/v2/models/late/versions/1/infer' });
    expect(pinned.body.model_version).toBe('1');
    expect((await trace(String(pinned.headers['x-request-id']))).prediction.reason).toBe('pinned');
    const unknown = await infer({ path: '/v2/models/late/versions/7/infer' });
    expect(unknown.status).toBe(404);
    expect(unknown.body.error).toContain('Versions it holds: 2, 1');
  });
});

describe('trace', () => {
  test('explains a request by the id its caller gave', async () => {
    await serve(1, { key: 'flight' });
    await ask({ flight: 'AA1' }, 'my-id-1');
    const { prediction, route, model, labels } = await trace('my-id-1');
    expect(prediction).toMatchObject({
      endpoint: 'late',
      key: 'AA1',
      modelVersion: 1,
      routeRevision: 1,
      status: 200,
      source: 'journal',
      outputs: [{ name: 'score' }, { name: 'version', data: [1] }],
    });
    expect(route?.arms[0]?.digest).toBe(prediction.digest);
    expect(model?.version).toBe(1);
    expect(labels).toEqual([]);
  });

  test('finds the same in the table once it is flushed', async () => {
    await serve(1, { key: 'flight' });
    await ask({ flight: 'AA1' }, 'my-id-2');
    const before = await trace('my-id-2');
    await flush();
    const after = await trace('my-id-2');
    expect(after.prediction).toEqual({ ...before.prediction, source: 'table' });
  });

  test('answers without the labels, and says so, while the engine is away', async () => {
    await serve(1, { key: 'flight' });
    await ask({ flight: 'AA1' }, 'my-id-3');
    expect((await trace('my-id-3')).labelsMissing).toBeNull();
    await app.app.platform.engine.stop();
    const { prediction, labels, labelsMissing } = await trace('my-id-3');
    expect(prediction.status).toBe(200);
    expect({ labels, labelsMissing }).toEqual({
      labels: [],
      labelsMissing: 'Millwright is stopping.',
    });
  });

  test('lists the requests of an endpoint, and knows none of what is no endpoint', async () => {
    await serve(1);
    await infer();
    const list = (endpoint: string) =>
      app.api.call(listPredictions, { params: { endpoint }, query: {} });
    expect((await list('late')).items).toHaveLength(1);
    await expect(list('lat')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
  });

  test('says what it does not know', async () => {
    await expect(trace('req_nope')).rejects.toMatchObject({ code: 'REQUEST_NOT_FOUND' });
  });
});

describe('a request that fails', () => {
  test('is answered in the protocol’s form and logged with its code', async () => {
    await serve(1);
    const reply = await infer({ body: { inputs: [] }, headers: { 'x-request-id': 'bad-1' } });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toContain('Input x is missing');
    const { prediction } = await trace('bad-1');
    expect(prediction).toMatchObject({ status: 400, errorCode: 'INVALID_TENSOR', outputs: null });
  });

  test('with a body that is no JSON is logged as well', async () => {
    await serve(1);
    const reply = await infer({ body: '{"inputs": [NaN', headers: { 'x-request-id': 'bad-2' } });
    expect(reply.status).toBe(400);
    const { prediction } = await trace('bad-2');
    expect(prediction).toMatchObject({ errorCode: 'INVALID_JSON', inputs: null });
  });
});

test('a body nested without end is refused, logged and traced like any other', async () => {
  await serve(1);
  const deep = `{"inputs":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  const reply = await infer({ body: deep, headers: { 'x-request-id': 'deep-1' } });
  expect(reply.status).toBe(400);
  expect(reply.body.error).toContain('nested deeper');
  expect((await trace('deep-1')).prediction).toMatchObject({ status: 400, source: 'journal' });
  await flush();
  expect((await trace('deep-1')).prediction.source).toBe('table');
});

describe('a long body', () => {
  const long = (count: number, parameters = {}) => ({
    id: `long-${count}`,
    parameters,
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [count, 3], data: Array(count * 3).fill(0.125) },
    ],
  });

  test('is answered, routed and logged like any other', async () => {
    await serve(1, { key: 'flight' });
    const reply = await infer({ body: long(10_000, { flight: 'AA7' }) });
    expect(reply).toMatchObject({ status: 200, body: { id: 'long-10000', model_version: '1' } });
    expect(reply.body.outputs[1].data).toHaveLength(10_000);
    expect((await trace('long-10000')).prediction).toMatchObject({
      key: 'AA7',
      truncated: false,
      inputs: [{ shape: [10_000, 3] }],
      outputs: [{ shape: [10_000, 1] }, { shape: [10_000, 1] }],
    });
  });

  test('is answered as well when its length is not told beforehand', async () => {
    await serve(1);
    const body = JSON.stringify(long(20_000));
    const reply = await app.app.http.inject({
      method: 'POST',
      url: '/v2/models/late/infer',
      headers: { 'content-type': 'application/json', host: '127.0.0.1' },
      payload: Readable.from([body.slice(0, 70_000), body.slice(70_000)]),
    });
    expect(reply.json().outputs[1].data).toHaveLength(20_000);
  });

  test('that is too long to log leaves a record that says so', async () => {
    await serve(1);
    const reply = await infer({ body: long(100_000) });
    expect(reply.status).toBe(200);
    expect(reply.body.outputs[1].data).toHaveLength(100_000);
    const { prediction } = await trace('long-100000');
    expect(prediction).toMatchObject({ truncated: true, inputs: null, outputs: null });
  });

  test('that is broken is answered and logged with its code', async () => {
    await serve(1);
    const headers = { 'x-request-id': 'long-broken' };
    const reply = await infer({ body: `{"inputs": [${'1,'.repeat(100_000)}`, headers });
    expect(reply.status).toBe(400);
    expect((await trace('long-broken')).prediction.errorCode).toBe('INVALID_JSON');
    const unknown = await infer({ body: long(10_000), path: '/v2/models/nobody/infer' });
    expect(unknown.status).toBe(404);
  });
});

describe('Open Inference metadata', () => {
  test('describes the endpoint and its versions', async () => {
    await serve(2);
    await deploy(2);
    const json = async (url: string) => (await get(url)).json();
    expect(await json('/v2/models/late')).toEqual({
      name: 'late',
      versions: ['2', '1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [
        { name: 'score', datatype: 'FP32', shape: [-1, 1] },
        { name: 'version', datatype: 'FP32', shape: [-1, 1] },
      ],
    });
    expect(await json('/v2/models/late/ready')).toEqual({ name: 'late', ready: true });
    expect(await json('/v2/health/ready')).toEqual({ live: true, ready: true });
    expect((await json('/v2/models/nope')).error).toContain('Request for unknown model');
  });
});
