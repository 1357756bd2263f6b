import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import type { Scope } from '../../src/base/access.ts';
import { createToken } from '../../src/capabilities/auth/contract.ts';
import { filled, registeredRoutes, type RegisteredRoute } from './registered-routes.ts';

/** Who may call, asked of every route that the router has: native, MLflow's twice, V2 and pages. */

let app: TestApp;
let routes: readonly RegisteredRoute[];
const tokens = new Map<Scope, string>();

beforeAll(async () => {
  app = await createTestApp({ allowedHosts: ['ml.example.com'] });
  routes = registeredRoutes(app.app.http);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

async function statusOf(
  { method, path }: RegisteredRoute,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const reply = await app.app.http.inject({
    method: method as 'GET',
    url: filled(path),
    headers: { host: '127.0.0.1', ...headers },
  });
  return reply.statusCode;
}

function named({ method, path }: RegisteredRoute): string {
  return `${method} ${path}`;
}

/** Statuses by route, of those that `isMeant` names. */
async function statuses(
  headers: Readonly<Record<string, string>>,
  isMeant: (route: RegisteredRoute) => boolean = () => true,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const route of routes.filter(isMeant))
    found.set(named(route), await statusOf(route, headers));
  return found;
}

function withStatus(found: ReadonlyMap<string, number>, ...wanted: readonly number[]): string[] {
  return [...found].filter(([, status]) => wanted.includes(status)).map(([name]) => name);
}

test('the routes are all there, and MLflow has both prefixes', () => {
  const names = new Set(routes.map(named));
  expect(names.size).toBe(routes.length);
  for (const known of [
    'GET /api/v1/tables/:namespace/:name/rows',
    'GET /api/v1/events/stream',
    'POST /v2/models/:name/versions/:version/infer',
    'PUT /api/2.0/mlflow-artifacts/artifacts/*',
    'POST /ajax-api/*',
    'GET /metrics',
  ]) {
    expect(names).toContain(known);
  }
  const twins = routes.filter(({ path }) => /^\/api\/[23]\.0\//.test(path));
  expect(twins.length).toBeGreaterThan(50);
  const wildcards = ['/api/2.0/mlflow/*', '/api/3.0/mlflow/*'];
  for (const { method, path } of twins.filter((it) => !wildcards.includes(it.path))) {
    expect(names).toContain(`${method} /ajax-api${path.slice('/api'.length)}`);
  }
});

describe('every route refuses', () => {
  test.each([
    ['a name that is not ours', { host: 'evil.example' }, 403],
    ['an address that is not ours', { host: '10.0.0.7:7070' }, 403],
    ['ours with more behind it', { host: 'ml.example.com.evil.example' }, 403],
    ['ours as a user', { host: 'localhost@evil.example' }, 403],
    ['a page of another site', { origin: 'https://evil.example' }, 403],
    ['a page of no site', { origin: 'null' }, 403],
    ['a page whose site ends like ours', { origin: 'https://xml.example.com' }, 403],
    ['a page of another address', { origin: 'http://10.0.0.7' }, 403],
    ['a body in gzip', { 'content-encoding': 'gzip' }, 415],
    ['a body in Brotli', { 'content-encoding': 'br' }, 415],
    ['a body in zstd', { 'content-encoding': 'zstd' }, 415],
    ['a body in gzip, twice', { 'content-encoding': 'gzip, gzip' }, 415],
    ['a body in something of its own', { 'content-encoding': 'identity, DEFLATE' }, 415],
  ])('%s', async (_, headers, status) => {
    const found = await statuses(headers);
    // MLflow has a 400 for it.
    const isMlflow = /mlflow|ajax/;
    const others = [...found].filter(
      ([name, it]) => it !== status && !(status === 415 && it === 400 && isMlflow.test(name)),
    );
    expect(others).toEqual([]);
  });
});

describe('once there is a token', () => {
  beforeAll(async () => {
    for (const scope of ['admin', 'read', 'write', 'infer'] as const) {
      const body = { name: scope, scopes: [scope] };
      tokens.set(scope, (await app.api.call(createToken, { body })).token);
    }
  });

  function bearer(scope: Scope): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${tokens.get(scope)}` };
  }

  /** What answers as long as somebody listens would hold the test. */
  const ENDS = ({ path }: RegisteredRoute): boolean => path !== '/api/v1/events/stream';
  const isQuestion = ({ method }: RegisteredRoute): boolean =>
    method === 'GET' || method === 'HEAD';

  const READ_BY_POST = [
    '/api/v1/endpoints/:endpoint/compare',
    '/api/v1/models/:model/compare',
    '/api/v1/features/get',
    '/api/v1/features/verify',
    '/api/v1/sql',
    ...['/api', '/ajax-api'].flatMap((prefix) =>
      [
        'experiments/search',
        'runs/search',
        'logged-models/search',
        'registered-models/get-latest-versions',
      ].map((call) => `${prefix}/2.0/mlflow/${call}`),
    ),
  ];

  test('none is open but health, the pages and the session', async () => {
    const found = await statuses({}, ENDS);
    const open = [...found].filter(([, status]) => status !== 401).map(([name]) => name);
    const PAGES = /^(GET|HEAD) \/(\*|index\.html|favicon[\w.-]*|assets\/[\w.-]+|[\w-]+\.svg)?$/;
    expect(open.filter((name) => !PAGES.test(name)).toSorted()).toEqual([
      'DELETE /api/v1/auth/session',
      'GET /health',
      'HEAD /health',
    ]);
    expect(await statusOf({ method: 'GET', path: '/api/v1/events/stream' }, {})).toBe(401);
  });

  test('one that is not known opens none', async () => {
    const headers = { authorization: `Bearer mwt_${'0'.repeat(12)}_${'0'.repeat(64)}` };
    expect(withStatus(await statuses(headers, ENDS), 200, 201, 202)).toEqual(
      withStatus(await statuses({}, ENDS), 200, 201, 202),
    );
  });

  test('read asks everything but tokens, and changes nothing', async () => {
    const found = await statuses(bearer('read'), ENDS);
    expect(withStatus(found, 401)).toEqual([]);
    const refused = new Set(withStatus(found, 403));
    const wrong = routes.filter(ENDS).filter((route) => {
      const isAdmins = route.path === '/api/v1/auth/tokens';
      const mayBe = isQuestion(route) ? !isAdmins : READ_BY_POST.includes(route.path);
      const isOpen = route.path === '/api/v1/auth/session';
      return !isOpen && mayBe === refused.has(named(route));
    });
    expect(wrong.map(named)).toEqual([]);
  });

  test('infer asks models and features, and nothing else', async () => {
    const found = await statuses(bearer('infer'), ENDS);
    const refused = new Set(withStatus(found, 403));
    const open = new Set(withStatus(await statuses({}, ENDS), 200, 204, 404));
    const may = routes
      .filter(ENDS)
      .map(named)
      .filter((name) => !refused.has(name) && !open.has(name));
    expect(may.filter((name) => !/ \/v2(\/|$)/.test(name)).toSorted()).toEqual([
      'POST /api/v1/auth/session',
      'POST /api/v1/features/get',
    ]);
    expect(may.filter((name) => / \/v2/.test(name)).length).toBeGreaterThan(8);
  });

  test('write may neither move the clock, nor make tokens or backups', async () => {
    const bodies = { ...bearer('write'), 'content-type': 'text/plain' };
    const found = await statuses(bodies, (route) => !isQuestion(route));
    expect(withStatus(found, 403).toSorted()).toEqual([
      'DELETE /api/v1/backup-cuts/:cut',
      'POST /api/v1/auth/tokens',
      'POST /api/v1/auth/tokens/:token/revoke',
      'POST /api/v1/backup-cuts',
      'POST /api/v1/clock/advance',
      'POST /v2/models/:name/infer',
      'POST /v2/models/:name/versions/:version/infer',
    ]);
  });
});
