import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { ERRORS } from '../../src/base/errors.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { listModels, registerModel } from '../../src/capabilities/registry/contract.ts';
import { listEvents } from '../../src/capabilities/workspace/contract.ts';
import { listTables } from '../../src/capabilities/tables/contract.ts';
import { versionModel } from '../onnx-model.ts';
import { ENDPOINT, MODEL } from './prepared-state.ts';

/** Every route the server has, with names, queries, bodies and headers nobody should send. */

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query' }[];
  readonly body: 'json' | 'bytes' | null;
  /** Names of the body's properties. */
  readonly properties: readonly string[];
}

interface Received {
  readonly status: number;
  readonly text: string;
}

let app: TestApp;
let operations: readonly Operation[];
let before: string;

beforeAll(async () => {
  app = await createTestApp();
  await app.api.call(
    registerModel,
    { params: { model: MODEL }, query: {} },
    { bytes: versionModel({ version: 1 }) },
  );
  const params = { endpoint: ENDPOINT };
  await app.api.call(putEndpoint, { params, body: { model: MODEL, key: 'flight' } });
  await app.api.call(deploy, { params, body: { version: 1 } });
  operations = await readOperations();
  before = await everything();
});

afterAll(async () => {
  expect(await everything(), 'nothing refused has left a trace').toBe(before);
  expect(Object.keys(Object.prototype)).toEqual([]);
  await app[Symbol.asyncDispose]();
});

/** What refused requests must not change. */
async function everything(): Promise<string> {
  const { api } = app;
  const lists = [
    await api.call(listModels, { query: {} }),
    await api.call(listTables, { query: {} }),
    await api.call(listEvents, { query: {} }),
  ];
  return JSON.stringify(lists);
}

async function readOperations(): Promise<readonly Operation[]> {
  interface Described {
    readonly parameters: Operation['parameters'];
    readonly requestBody?: {
      readonly content: Readonly<
        Record<string, { schema?: { properties?: Record<string, unknown> } }>
      >;
    };
  }
  const document = JSON.parse((await send('GET', '/api/v1/openapi.json')).text) as {
    paths: Record<string, Record<string, Described>>;
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => {
      const json = requestBody?.content['application/json'];
      return {
        method: method.toUpperCase(),
        path,
        parameters,
        body: requestBody === undefined ? null : json === undefined ? 'bytes' : 'json',
        properties: Object.keys(json?.schema?.properties ?? {}),
      } as const;
    }),
  );
}

async function send(
  method: string,
  url: string,
  more: { readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Received> {
  const { headers = {}, body } = more;
  const reply = await app.app.http.inject({
    method: method as 'GET',
    url,
    headers: { host: '127.0.0.1', ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: reply.statusCode, text: reply.body };
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** With its beginning, for the name of a test. */
function titled(text: string): readonly [string, string] {
  return [JSON.stringify(text.slice(0, 40)), text];
}

/** A path with harmless names, one of them replaced. */
function fill(path: string, replaced: Readonly<Record<string, string>> = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => replaced[name] ?? 'x1');
}

function bodyOf(operation: Operation): { headers?: Record<string, string>; body?: string } {
  if (operation.body === null) return {};
  if (operation.body === 'json') return { headers: JSON_TYPE, body: '{}' };
  return { headers: { 'content-type': 'application/octet-stream' }, body: 'x' };
}

/** A 4xx in the native form: one of the codes, and words for a person. */
function expectRefused({ status, text }: Received, what: string): void {
  expect(status, `${what}: ${text}`).toBeGreaterThanOrEqual(400);
  expect(status, `${what}: ${text}`).toBeLessThan(500);
  const { error } = JSON.parse(text) as { error: { code: string; message: string } };
  expect(Object.keys(ERRORS), what).toContain(error.code);
  expect(error.message.length, what).toBeGreaterThan(10);
}

describe('every route', () => {
  test('is known to this test', () => {
    expect(operations.length).toBeGreaterThan(20);
  });

  const STRANGERS: readonly (readonly [string, Record<string, string>])[] = [
    ['HOST_NOT_ALLOWED', { host: 'evil.example' }],
    ['HOST_NOT_ALLOWED', { host: '127.0.0.1.evil.example' }],
    ['HOST_NOT_ALLOWED', { host: '127.0.0.1@evil.example' }],
    ['ORIGIN_NOT_ALLOWED', { origin: 'https://evil.example' }],
    ['ORIGIN_NOT_ALLOWED', { origin: 'null' }],
    ['ORIGIN_NOT_ALLOWED', { origin: 'http://127.0.0.1.evil.example' }],
    ['ORIGIN_NOT_ALLOWED', { origin: 'http://localhost@evil.example' }],
    ['UNSUPPORTED_MEDIA_TYPE', { 'content-encoding': 'gzip' }],
  ];
  const OTHERS = [
    'GET /',
    'GET /metrics',
    'GET /v2',
    'GET /v2/health/ready',
    `GET /v2/models/${ENDPOINT}`,
    `POST /v2/models/${ENDPOINT}/infer`,
    `POST /v2/models/${ENDPOINT}/versions/1/infer`,
    'GET /api/v1/openapi.json',
    'GET /api/v1/events/stream',
    'GET /no/such/path',
    'POST /no/such/path',
  ];

  test.each(STRANGERS)('answers %s to %o', async (code, headers) => {
    const native = operations.map(({ method, path }) => `${method} ${fill(path)}`);
    for (const at of [...native, ...OTHERS]) {
      const [method, url] = at.split(' ') as [string, string];
      const { status, text } = await send(method, url, { headers });
      expect(status, at).toBe(ERRORS[code as keyof typeof ERRORS].status);
      // The inference protocol has an error form of its own, without codes.
      if (!url.startsWith('/v2')) expect(JSON.parse(text), at).toMatchObject({ error: { code } });
    }
  });

  const NAMES = [
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e',
    '%2Fetc%2Fpasswd',
    'a%00b',
    '__proto__',
    '%ff',
    '%',
    "x'%3B%20drop%20table%20events%3B--",
    '%F0%9F%92%A5',
    '-1',
    '1e999',
    'a'.repeat(300),
    'a'.repeat(20_000),
  ];

  test.each(NAMES.map(titled))('refuses the name %s', async (_, name) => {
    for (const operation of operations) {
      for (const { name: parameter } of operation.parameters.filter(
        ({ in: at }) => at === 'path',
      )) {
        const url = fill(operation.path, { [parameter]: name });
        const received = await send(operation.method, url, bodyOf(operation));
        const what = `${operation.method} ${url.slice(0, 200)}`;
        // Dots lead to another route before they are sent, which may well have an answer.
        const isOther = new URL(url, 'http://127.0.0.1').pathname !== url;
        if (isOther) expect(received.status, what).toBeLessThan(500);
        else expectRefused(received, what);
      }
    }
  });

  const VALUES = ['-1', '1e999', 'NaN', '', '__proto__', '%00', '..%2f', 'x'.repeat(5000)];

  test.each(VALUES.map(titled))(
    'refuses the query value %s, or takes it for text',
    async (_, value) => {
      for (const operation of operations) {
        for (const { name } of operation.parameters.filter(({ in: at }) => at === 'query')) {
          const url = `${fill(operation.path)}?${name}=${value}`;
          const { status, text } = await send(operation.method, url, bodyOf(operation));
          expect(status, `${operation.method} ${url.slice(0, 200)}: ${text}`).toBeLessThan(500);
        }
      }
    },
  );

  test('refuses a query it does not know', async () => {
    const queried = operations.filter((one) => one.parameters.some(({ in: at }) => at === 'query'));
    for (const operation of queried) {
      const url = `${fill(operation.path)}?no_such_name=1`;
      expectRefused(await send(operation.method, url, bodyOf(operation)), url);
    }
  });
});

describe('every route with a JSON body', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const BODIES = [
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '1',
    '{"a":NaN}',
    '{"a":Infinity}',
    "{'a':1}",
    '\u0000',
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"no_such_field":1}',
    `{"a":${nested(1000)}}`,
    `{"a":${nested(500_000)}}`,
    `{"a":"${'x'.repeat(1_900_000)}"}`,
    `{"a":"${'x'.repeat(3_000_000)}"}`,
  ];
  const VALUES = [
    'null',
    '-1',
    '1e999',
    '[]',
    '{}',
    '"\\u0000"',
    '"\\ud800"',
    '"../../etc/passwd"',
    '"__proto__"',
    nested(1000),
    `"${'x'.repeat(100_000)}"`,
  ];

  test.each(BODIES.map(titled))('refuses %s', async (_, body) => {
    for (const operation of operations.filter((one) => one.body === 'json')) {
      const url = fill(operation.path);
      const received = await send(operation.method, url, { headers: JSON_TYPE, body });
      expectRefused(received, `${operation.method} ${url} ${body.slice(0, 40)}`);
    }
  });

  test.each(VALUES.map(titled))('refuses %s for any of its fields', async (_, value) => {
    for (const operation of operations.filter((one) => one.body === 'json')) {
      for (const property of operation.properties) {
        // A file that declares nothing is no mistake.
        if (property === 'declared' && value === '{}') continue;
        const url = fill(operation.path);
        const body = `{${JSON.stringify(property)}:${value}}`;
        const received = await send(operation.method, url, { headers: JSON_TYPE, body });
        expectRefused(received, `${operation.method} ${url} ${body.slice(0, 60)}`);
      }
    }
  });
});

describe('an inference request', () => {
  const tensor = (data: string, more = ''): string =>
    `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":${data}${more}}]}`;
  const CASES: readonly (readonly [string, string])[] = [
    ['no JSON', '{"inputs":'],
    ['NaN', tensor('[NaN,1,2]')],
    ['Infinity', tensor('[-Infinity,1,2]')],
    ['a number past FP32', tensor('[1e39,1,2]')],
    ['a number past FP64', tensor('[1e999,1,2]')],
    ['null elements', tensor('[null,1,2]')],
    ['text elements', tensor('["1",1,2]')],
    ['too few elements', tensor('[1,2]')],
    ['ragged rows', tensor('[[1,2],[3]]')],
    ['data that is no array', tensor('"AAAA"')],
    ['no inputs', '{}'],
    ['inputs that are no array', '{"inputs":{"0":1}}'],
    ['an input that is null', '{"inputs":[null]}'],
    ['an unknown input', tensor('[1,2,3]').replace('"x"', '"y"')],
    ['an input twice', '{"inputs":[{"name":"x"},{"name":"x"}]}'],
    ['another datatype', tensor('[1,2,3]').replace('FP32', 'INT64')],
    ['another rank', tensor('[1,2,3]').replace('[1,3]', '[3]')],
    ['a negative dimension', tensor('[1,2,3]').replace('[1,3]', '[-1,3]')],
    ['a fractional dimension', tensor('[1,2,3]').replace('[1,3]', '[1.5,3]')],
    ['a shape of 10^18 elements', tensor('[1]').replace('[1,3]', '[333333333333333333,3]')],
    ['an unknown output', tensor('[1,2,3]').replace('{"inp', '{"outputs":[{"name":"z"}],"inp')],
    ['an id that is no text', tensor('[1,2,3]').replace('{"inp', '{"id":7,"inp')],
    ['parameters that are no object', tensor('[1,2,3]').replace('{"inp', '{"parameters":[],"inp')],
    [
      'a key of a megabyte',
      tensor('[1,2,3]').replace('{"inp', `{"parameters":{"flight":"${'k'.repeat(1e6)}"},"inp`),
    ],
    ['1,000 levels', tensor('['.repeat(1000) + ']'.repeat(1000))],
    ['100,000 levels', tensor('['.repeat(100_000) + ']'.repeat(100_000))],
    ['1,000 levels beside the inputs', `{"a":${'['.repeat(1000)}${']'.repeat(1000)},"inputs":[]}`],
    ['a body past its limit', `{"a":"${'x'.repeat(5_000_000)}"}`],
  ];

  test.each(CASES)('with %s is refused', async (_, body) => {
    const url = `/v2/models/${ENDPOINT}/infer`;
    const { status, text } = await send('POST', url, { headers: JSON_TYPE, body });
    expect([400, 413], text).toContain(status);
    expect((JSON.parse(text) as { error: string }).error.length).toBeGreaterThan(10);
  });

  test('whose key is called like what every object has gets no key', async () => {
    const params = { endpoint: ENDPOINT };
    await app.api.call(putEndpoint, { params, body: { model: MODEL, key: 'constructor' } });
    const body = tensor('[1,2,3]').replace('{"inp', '{"parameters":{},"id":"no-key","inp');
    const url = `/v2/models/${ENDPOINT}/infer`;
    expect((await send('POST', url, { headers: JSON_TYPE, body })).status).toBe(200);
    const trace = JSON.parse((await send('GET', '/api/v1/trace/no-key')).text) as {
      prediction: { key: string | null };
    };
    expect(trace.prediction.key).toBeNull();
    await app.api.call(putEndpoint, { params, body: { model: MODEL, key: 'flight' } });
    before = await everything();
  });

  test('all of them are in the log, and it can be flushed and read', async () => {
    // A key that UTF-8 cannot write must not stand in the way of the others either.
    const odd = tensor('[1,2,3]').replace('{"inp', '{"parameters":{"flight":"\\ud800"},"inp');
    const url = `/v2/models/${ENDPOINT}/infer`;
    expect((await send('POST', url, { headers: JSON_TYPE, body: odd })).status).toBe(200);
    await send('GET', '/api/v1/trace/nobody');
    const log = JSON.parse((await send('GET', '/api/v1/predictions/log')).text) as {
      answered: number;
      flushed: number;
      lastFlushError: string | null;
    };
    expect(log.lastFlushError).toBeNull();
    expect(log.flushed).toBe(log.answered);
    expect(log.answered).toBeGreaterThan(CASES.length - 3);
    const page = await send('GET', `/api/v1/endpoints/${ENDPOINT}/predictions?limit=1000`);
    expect((JSON.parse(page.text) as { items: unknown[] }).items).toHaveLength(log.answered);
  });
});

test('an Idempotency-Key with another body is refused, with the same one answered', async () => {
  const url = '/api/v1/tables';
  const headers = { ...JSON_TYPE, 'idempotency-key': 'once' };
  const table = { namespace: 'lab', name: 'twice', columns: [{ name: 'n', type: 'long' }] };
  const first = await send('POST', url, { headers, body: JSON.stringify(table) });
  expect(first.status).toBe(201);
  const other = JSON.stringify({ ...table, name: 'other' });
  const reused = await send('POST', url, { headers, body: other });
  expect(JSON.parse(reused.text)).toMatchObject({ error: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  expect(await send('POST', url, { headers, body: JSON.stringify(table) })).toEqual(first);
  for (const key of ['', 'k'.repeat(201)]) {
    const refused = await send('POST', url, {
      headers: { ...JSON_TYPE, 'idempotency-key': key },
      body: other,
    });
    expectRefused(refused, `a key of ${key.length} characters`);
  }
  before = await everything();
});

test.each(['-1', 'x', '1e999', '9'.repeat(400)].map(titled))(
  'the event stream refuses %s',
  async (_, after) => {
    expectRefused(await send('GET', `/api/v1/events/stream?after=${after}`), after);
  },
);
