import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { assertLoopback } from './guards.ts';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp({ allowedHosts: ['ml.example.com'] });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function call({ method = 'GET', url, headers = {}, body }: Call) {
  const reply = await app.app.http.inject({
    method,
    url,
    headers: { host: '127.0.0.1', ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: reply.statusCode, code: reply.json().error?.code as string, json: reply.json() };
}

const json = { 'content-type': 'application/json' };

function create(name: string, key: string, columns = [{ name: 'a', type: 'long' }]) {
  return call({
    method: 'POST',
    url: '/api/v1/tables',
    headers: { ...json, 'idempotency-key': key },
    body: JSON.stringify({ namespace: 'lab', name, columns }),
  });
}

describe('who may call', () => {
  test.each([
    ['localhost:7070', 200],
    ['[::1]:7070', 200],
    ['ml.example.com', 200],
    ['evil.example.com', 403],
    ['127.0.0.1.evil.com', 403],
    ['127.0.0.1:7070@evil', 403],
  ])('Host %j gets %d', async (host, status) => {
    expect((await call({ url: '/health', headers: { host } })).status).toBe(status);
  });

  test.each([
    ['http://127.0.0.1:7070', 200],
    ['https://ml.example.com', 200],
    ['https://evil.example.com', 403],
    ['null', 403],
  ])('Origin %j gets %d', async (origin, status) => {
    expect((await call({ url: '/health', headers: { origin } })).status).toBe(status);
  });

  test('nobody but this machine, until there is authentication', () => {
    expect(() => assertLoopback('0.0.0.0')).toThrow('without authentication');
    expect(() => assertLoopback('127.0.0.1')).not.toThrow();
  });
});

describe('a bad request', () => {
  test.each([
    ['an unknown path', { url: '/api/v1/nope' }, 404, 'ROUTE_NOT_FOUND'],
    [
      'broken JSON',
      { method: 'POST', url: '/api/v1/tables', headers: json, body: '{' },
      400,
      'INVALID_JSON',
    ],
    [
      'no JSON at all',
      {
        method: 'POST',
        url: '/api/v1/tables',
        headers: { 'content-type': 'text/plain' },
        body: 'x',
      },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a wrong field',
      { method: 'POST', url: '/api/v1/tables', headers: json, body: '{"namespace":1}' },
      400,
      'INVALID_INPUT',
    ],
    [
      'a poisoned prototype',
      { method: 'POST', url: '/api/v1/tables', headers: json, body: '{"__proto__":{"a":1}}' },
      400,
      'INVALID_JSON',
    ],
    [
      'a body past its limit',
      { method: 'POST', url: '/api/v1/tables', headers: json, body: `"${'x'.repeat(3_000_000)}"` },
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'a compressed body',
      { method: 'POST', url: '/api/v1/tables', headers: { ...json, 'content-encoding': 'gzip' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['an unknown parameter', { url: '/api/v1/events?limt=1' }, 400, 'INVALID_INPUT'],
    ['a limit out of range', { url: '/api/v1/events?limit=9999999' }, 400, 'INVALID_INPUT'],
    ['a broken escape', { url: '/api/v1/models/%zz/versions' }, 400, 'INVALID_INPUT'],
  ] as const)('with %s is refused with a stable code', async (_, request, status, code) => {
    expect(await call(request)).toMatchObject({ status, code });
  });

  test('names every field that is wrong', async () => {
    const body = JSON.stringify({ namespace: 'UP', name: '1', columns: [] });
    const reply = await call({ method: 'POST', url: '/api/v1/tables', headers: json, body });
    expect(reply.json.error.message).toContain('body.namespace');
    expect(reply.json.error.details.issues).toHaveLength(3);
  });
});

describe('an Idempotency-Key', () => {
  test('makes a repeated POST answer what the first one did', async () => {
    const first = await create('once', 'k1');
    expect(first.status).toBe(201);
    expect(await create('once', 'k1')).toEqual(first);
    expect((await create('once', 'k2')).code).toBe('TABLE_EXISTS');
  });

  test('belongs to one request', async () => {
    await create('mine', 'k3');
    expect((await create('other', 'k3')).code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  test('runs one of two requests at once', async () => {
    const both = await Promise.all([create('twice', 'k6'), create('twice', 'k6')]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([201, 409]));
    expect(both.map(({ code }) => code)).toContain('CONFLICT');
    expect((await create('twice', 'k6')).status).toBe(201);
  });

  test('covers a body that is a stream', async () => {
    const register = () =>
      app.app.http.inject({
        method: 'POST',
        url: '/api/v1/models/keyed/versions',
        headers: {
          host: '127.0.0.1',
          'content-type': 'application/octet-stream',
          'idempotency-key': 'k7',
        },
        payload: versionModel({ version: 1 }),
      });
    const first = await register();
    expect(first.json()).toMatchObject({ version: 1 });
    expect((await register()).json()).toEqual(first.json());
  });

  test('of a request that failed is free again', async () => {
    await create('taken', 'k4');
    expect((await create('taken', 'k5')).status).toBe(409);
    expect((await create('taken2', 'k5')).status).toBe(201);
  });
});

test('every route is described', async () => {
  const { json: document } = await call({ url: '/api/v1/openapi.json' });
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths).length).toBeGreaterThan(15);
  expect(document.paths['/api/v1/trace/{requestId}'].get.operationId).toBe('trace');
});

test('metrics are in Prometheus form', async () => {
  const reply = await app.app.http.inject({ url: '/metrics', headers: { host: 'localhost' } });
  expect(reply.body).toMatch(/^millwright_engine_restarts_total 0$/m);
});
