import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { SCOPES, type Scope } from '../../base/access.ts';
import { createToken, listTokens, revokeToken, SESSION_PATH, TOKEN_PATTERN } from './contract.ts';

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function tokenFor(name: string, ...scopes: readonly Scope[]): Promise<string> {
  const body = { name, scopes: [...scopes] };
  return (await app.api.call(createToken, { body })).token;
}

interface Sent {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly body?: object;
}

async function send({ method = 'GET', url, headers = {}, token, body }: Sent) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const reply = await app.app.http.inject({
    method,
    url,
    headers: { host: '127.0.0.1', ...authorization, ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  return reply;
}

async function statusOf(sent: Sent): Promise<number> {
  return (await send(sent)).statusCode;
}

const TABLE = { namespace: 'lab', name: 'rows', columns: [{ name: 'n', type: 'long' }] };
const READING = { url: '/api/v1/tables' };
const WRITING = { method: 'POST', url: '/api/v1/tables', body: TABLE } as const;
const INFERRING = { method: 'POST', url: '/v2/models/late/infer', body: {} } as const;
const GOVERNING = { url: '/api/v1/auth/tokens' };

describe('without a token', () => {
  test('the server is open, whatever is sent as one', async () => {
    expect(await statusOf(READING)).toBe(200);
    expect(await statusOf({ ...READING, token: 'nonsense' })).toBe(200);
  });

  test('the first one has to be an admin', async () => {
    await expect(tokenFor('ci', 'write', 'infer')).rejects.toMatchObject({
      code: 'ADMIN_TOKEN_FIRST',
    });
    expect(await statusOf(READING)).toBe(200);
  });
});

describe('with tokens', () => {
  let admin: string;

  beforeEach(async () => {
    admin = await tokenFor('ada', 'admin');
  });

  test.each([
    ['read', [200, 403, 403, 403]],
    ['write', [200, 201, 403, 403]],
    ['infer', [403, 403, 404, 403]],
    ['admin', [200, 201, 404, 200]],
  ] as const)('%s may do what it is for, and no more', async (scope, statuses) => {
    const token = await tokenFor(`only-${scope}`, scope);
    const asked = [READING, WRITING, INFERRING, GOVERNING];
    const found = [];
    for (const sent of asked) found.push(await statusOf({ ...sent, token }));
    expect(found).toEqual(statuses);
  });

  test.each([
    ['native', '/api/v1/tables', ['error', 'code'], 'UNAUTHENTICATED'],
    [
      'MLflow',
      '/api/2.0/mlflow/experiments/get?experiment_id=0',
      ['error_code'],
      'UNAUTHENTICATED',
    ],
    ['MLflow twin', '/ajax-api/2.0/mlflow/runs/get', ['error_code'], 'UNAUTHENTICATED'],
    ['inference', '/v2/models/late', ['error'], expect.stringContaining('asks for a token')],
    ['unknown', '/api/v1/nothing/here', ['error', 'code'], 'ROUTE_NOT_FOUND'],
  ])('a %s route refuses in its own form', async (form, url, at, expected) => {
    const reply = await send({ url });
    // What is nowhere may be told to everybody by the pages' own router.
    if (form !== 'unknown') {
      expect(reply.statusCode).toBe(401);
      expect(reply.headers['www-authenticate']).toBe('Bearer realm="millwright"');
    }
    expect(reply.json()).toHaveProperty(at, expected);
  });

  test('a path that leads nowhere asks for a token too, and says so to any', async () => {
    const nowhere = { method: 'POST', url: '/no/such/path' } as const;
    expect(await statusOf(nowhere)).toBe(401);
    const token = await tokenFor('ci', 'infer');
    expect(await statusOf({ ...nowhere, token })).toBe(404);
  });

  test('who is not let in is counted', async () => {
    const token = await tokenFor('ci', 'infer');
    await statusOf(READING);
    await statusOf({ ...READING, token });
    await statusOf({ ...READING, token: admin });
    const metrics = await send({ url: '/metrics', token: admin });
    expect(metrics.body).toMatch(/^millwright_auth_refused_total 2$/m);
  });

  test('health and pages stay open, metrics do not', async () => {
    expect(await statusOf({ url: '/health' })).toBe(200);
    expect(await statusOf({ url: '/' })).toBe(200);
    expect(await statusOf({ url: '/metrics' })).toBe(401);
    expect(await statusOf({ url: '/metrics', token: admin })).toBe(200);
  });

  test.each([
    ['no scheme', (token: string) => token],
    ['another scheme', (token: string) => `Token ${token}`],
    ['nothing after the scheme', () => 'Bearer '],
    ['two tokens', (token: string) => `Bearer ${token} ${token}`],
    ['a cut token', (token: string) => `Bearer ${token.slice(0, -1)}`],
    ['another secret', (token: string) => `Bearer ${token.slice(0, -4)}0000`],
    ['another id', (token: string) => `Bearer ${token.replace(/_[0-9a-f]{4}/, '_0000')}`],
    ['a very long one', () => `Bearer ${'a'.repeat(10_000)}`],
    ['a broken Basic', () => 'Basic %%%'],
    ['an own pass of another start', () => `Bearer mwo_${'0'.repeat(64)}`],
    ['a forged pass', () => `Bearer mwk_att_1_zzzzzzzz_${'0'.repeat(64)}`],
  ])('%s is nobody', async (_, authorization) => {
    const reply = await send({ ...READING, headers: { authorization: authorization(admin) } });
    expect(reply.statusCode).toBe(401);
    expect(reply.json()).toHaveProperty(['error', 'code'], 'UNAUTHENTICATED');
    expect(reply.body).not.toContain(admin.slice(-20));
  });

  test('the token may be the password of Basic, with any name', async () => {
    const basic = Buffer.from(`mlflow:${admin}`).toString('base64');
    expect(await statusOf({ ...READING, headers: { authorization: `Basic ${basic}` } })).toBe(200);
  });

  test('a revoked one is refused at once, and opens nothing', async () => {
    const token = await tokenFor('ci', 'read');
    await app.api.call(revokeToken, { params: { token: 'ci' } });
    const reply = await send({ ...READING, token });
    expect(reply.json()).toMatchObject({ error: { message: 'The token ci was revoked.' } });
    await app.api.call(revokeToken, { params: { token: 'ada' } });
    expect(await statusOf(READING)).toBe(401);
    expect(await statusOf({ ...READING, token: admin })).toBe(401);
  });

  test('an expired one is refused by the clock of the machine', async () => {
    const body = { name: 'brief', scopes: ['read' as const], expiresInSeconds: 60 };
    const { token } = await app.api.call(createToken, { body });
    expect(await statusOf({ ...READING, token })).toBe(200);
    app.clock.advance(60_000);
    const reply = await send({ ...READING, token });
    expect(reply.json()).toMatchObject({ error: { message: 'The token brief has expired.' } });
  });

  test('who did it is the name of the token, whatever the client says', async () => {
    const token = await tokenFor('ci', 'write');
    const headers = { 'x-millwright-actor': 'cli:root' };
    expect(await statusOf({ ...WRITING, token, headers })).toBe(201);
    const run = { experiment_id: '0', run_name: 'one', start_time: 1 };
    const mlflow = { method: 'POST', url: '/api/2.0/mlflow/runs/create', body: run } as const;
    expect(await statusOf({ ...mlflow, token })).toBe(200);
    const events = await app.app.platform.events.list({ limit: 10 });
    const acted = events.map(({ kind, actor }) => `${kind} by ${actor}`);
    expect(acted).toEqual([
      'run.created by ci',
      'table.created by ci',
      'token.created by test',
      'token.created by test',
    ]);
  });

  test('a name is used once', async () => {
    await expect(tokenFor('ada', 'read')).rejects.toMatchObject({ code: 'TOKEN_EXISTS' });
    await app.api.call(revokeToken, { params: { token: 'ada' } });
    await expect(tokenFor('ada', 'read')).rejects.toMatchObject({ code: 'TOKEN_EXISTS' });
    const twice = [tokenFor('twin', 'read'), tokenFor('twin', 'read')];
    const outcomes = await Promise.allSettled(twice);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('the list tells all about them but the secret', async () => {
    const token = await tokenFor('ci', 'infer', 'read');
    await statusOf({ ...READING, token });
    const { items } = await app.api.call(listTokens, { query: {} });
    expect(items).toMatchObject([
      { name: 'ci', scopes: ['read', 'infer'], state: 'active', createdBy: 'test' },
      { name: 'ada', scopes: ['admin'], lastUsedAt: null },
    ]);
    expect(items[0]?.lastUsedAt).toBe('2001-03-01T00:00:00Z');
    expect(JSON.stringify(items)).not.toContain(token.split('_')[2]);
    const first = await app.api.call(listTokens, { query: { limit: 1 } });
    const cursor = first.nextCursor!;
    const rest = await app.api.call(listTokens, { query: { limit: 1, cursor } });
    expect(rest.items.map(({ name }) => name)).toEqual(['ada']);
  });

  test('the reply with the secret is not kept for an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const body = { name: 'kept', scopes: ['read'] };
    const creating = { method: 'POST', url: '/api/v1/auth/tokens', body } as const;
    const reply = await send({ ...creating, token: admin, headers });
    expect(reply.json()).toMatchObject({ error: { code: 'INVALID_INPUT' } });
  });

  test('one caller is not told what another was with the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'same' };
    const [ci, eve] = [await tokenFor('ci', 'write'), await tokenFor('eve', 'write')];
    expect(await statusOf({ ...WRITING, token: ci, headers })).toBe(201);
    expect(await statusOf({ ...WRITING, token: ci, headers })).toBe(201);
    expect(await statusOf({ ...WRITING, token: eve, headers })).toBe(409);
  });
});

describe('a session of a browser', () => {
  let admin: string;

  beforeEach(async () => {
    admin = await tokenFor('ada', 'admin');
  });

  async function begin(): Promise<string> {
    const reply = await send({ method: 'POST', url: SESSION_PATH, token: admin });
    expect(reply.statusCode).toBe(204);
    const cookie = String(reply.headers['set-cookie']);
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(admin.split('_')[2]);
    return cookie.split(';')[0]!;
  }

  test('lets its requests in as those of the token, until that is revoked', async () => {
    const cookie = await begin();
    const headers = { cookie: `other=1; ${cookie}`, origin: 'http://127.0.0.1' };
    expect(await statusOf({ ...WRITING, headers })).toBe(201);
    await app.api.call(revokeToken, { params: { token: 'ada' } });
    expect(await statusOf({ ...READING, headers })).toBe(401);
  });

  test.each([
    ['a page at another port', { origin: 'http://127.0.0.1:3000' }],
    ['a page of another scheme and port', { origin: 'https://localhost' }],
    ['an image of another server', { 'sec-fetch-site': 'same-site' }],
    ['a link of another site', { 'sec-fetch-site': 'cross-site' }],
  ])('is not lent to %s', async (_, more) => {
    const cookie = await begin();
    const reply = await send({ ...READING, headers: { cookie, ...more } });
    expect(reply.json()).toMatchObject({ error: { code: 'ORIGIN_NOT_ALLOWED' } });
  });

  test('ends after a week, and when it is asked to', async () => {
    const cookie = await begin();
    const ended = await send({ method: 'DELETE', url: SESSION_PATH });
    expect(ended.headers['set-cookie']).toContain('Max-Age=0');
    app.clock.advance(7 * 24 * 3600 * 1000);
    expect(await statusOf({ ...READING, headers: { cookie } })).toBe(401);
  });

  test('is not begun without a token, nor by another session', async () => {
    const cookie = await begin();
    const begun = { method: 'POST', url: SESSION_PATH } as const;
    expect(await statusOf({ ...begun, headers: { cookie } })).toBe(401);
    expect(await statusOf({ ...begun, token: cookie.split('=')[1]! })).toBe(401);
  });
});

test('tokens outlive a restart, with their last use, and only as hashes', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mw-auth-'));
  const first = app;
  app = await createTestApp({ stateFolder: folder });
  const token = await tokenFor('ada', 'admin');
  expect(token).toMatch(TOKEN_PATTERN);
  expect(await statusOf({ ...READING, token })).toBe(200);
  await app[Symbol.asyncDispose]();
  expect((await stat(path.join(folder, 'auth.key'))).mode & 0o777).toBe(0o600);
  for (const file of ['metadata.db', 'metadata.db-wal']) {
    const bytes = await readFile(path.join(folder, file)).catch(() => Buffer.alloc(0));
    expect(bytes.includes(token.split('_')[2]!)).toBe(false);
  }
  app = await createTestApp({ stateFolder: folder });
  const { items } = await app.api.call(listTokens, { query: {} });
  expect(items).toMatchObject([{ name: 'ada', lastUsedAt: '2001-03-01T00:00:00Z' }]);
  expect(await statusOf(READING)).toBe(401);
  expect(await statusOf({ ...READING, token })).toBe(200);
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  app = first;
});

test('every scope can be given', async () => {
  await tokenFor('all', ...SCOPES);
  const { items } = await app.api.call(listTokens, { query: {} });
  expect(items[0]?.scopes).toEqual([...SCOPES]);
});
