import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { Client } from 'pg';
import { makeBackup } from '../../src/app/backup/make-backup.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import type { Config } from '../../src/platform/config/config.ts';
import {
  getLogStatus,
  listPredictions,
  postLabels,
} from '../../src/capabilities/predictions/contract.ts';
import { listVersions, registerModel } from '../../src/capabilities/registry/contract.ts';
import {
  deploy,
  listEndpoints,
  listRevisions,
  putEndpoint,
  rollback,
  split,
  traceRequest,
} from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable, readRows } from '../../src/capabilities/tables/contract.ts';
import {
  advanceClock,
  getHealth,
  getStatus,
  listEvents,
} from '../../src/capabilities/workspace/contract.ts';
import { randomToken, sleep } from '../../src/platform/system.ts';
import { versionModel } from '../onnx-model.ts';
import { createDatabase } from '../postgres.ts';

/** The whole program with its metadata in PostgreSQL instead of SQLite. */

let databaseUrl: string;
const folders: string[] = [];
const apps: TestApp[] = [];

beforeEach(async () => {
  databaseUrl = await createDatabase(inject('postgresFolder'), `app_${randomToken(8)}`);
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.app.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mw-pg-app-'));
  folders.push(folder);
  return folder;
}

async function start(stateFolder: string, options: Partial<Config> = {}): Promise<TestApp> {
  const app = await createTestApp({ stateFolder, databaseUrl, ...options });
  apps.push(app);
  return app;
}

async function stop(app: TestApp): Promise<void> {
  apps.splice(apps.indexOf(app), 1);
  await app.app.stop();
}

async function ask(
  app: TestApp,
  flight: string,
): Promise<{ readonly id: string; readonly version: number }> {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      parameters: { flight },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
    }),
  });
  expect(reply.statusCode, reply.body).toBe(200);
  return {
    id: String(reply.headers['x-request-id']),
    version: Number(reply.headers['x-model-version']),
  };
}

const params = { endpoint: 'late' };

/** Two versions registered, the second deployed after the first. */
async function deployTwo(app: TestApp): Promise<void> {
  for (const version of [1, 2]) {
    const bytes = versionModel({ version });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  }
  await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
  await app.api.call(deploy, { params, body: { version: 1 } });
  await app.api.call(deploy, { params, body: { version: 2 } });
}

describe('of two copies of a state folder', () => {
  async function copies(): Promise<readonly [string, string]> {
    const folder = await newFolder();
    const copy = await newFolder();
    await stop(await start(folder));
    await cp(folder, copy, { recursive: true });
    return [folder, copy];
  }

  /** Ends the connection that holds the workspace, as a restart of the server does. */
  async function cutOwners(client: Client): Promise<void> {
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'millwright-owner' and datname = current_database()`,
    );
  }

  async function onServer(statement: string): Promise<void> {
    const url = new URL(databaseUrl);
    url.pathname = '/postgres';
    const client = new Client({ connectionString: url.href });
    await client.connect();
    await client.query(statement);
    await client.end();
  }

  test('one runs at a time', async () => {
    const [folder, copy] = await copies();
    const first = await start(folder);
    await expect(start(copy)).rejects.toMatchObject({ code: 'STATE_OWNED' });
    await stop(first);
    const second = await start(copy);
    expect(await second.api.call(getHealth, {})).toMatchObject({ status: 'ok' });
  });

  test('the one that runs keeps the workspace when its connection is cut', async () => {
    const [folder, copy] = await copies();
    const first = await start(folder);
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    await cutOwners(client);
    await client.end();
    await sleep(1000);
    await expect(start(copy)).rejects.toMatchObject({ code: 'STATE_OWNED' });
    expect(await first.api.call(getHealth, {})).toMatchObject({ status: 'ok' });
  });

  test('the one that lost it to the other leaves the database alone', async () => {
    const first = await start(await newFolder());
    await deployTwo(first);
    const other = new Client({ connectionString: databaseUrl });
    await other.connect();
    const { rows } = await other.query<{ key: string }>(
      "select ((classid::bigint << 32) | objid::bigint)::text as key from pg_locks where locktype = 'advisory'",
    );
    const name = new URL(databaseUrl).pathname.slice(1);
    // So that the other one is first.
    await onServer(`alter database ${name} allow_connections false`);
    await cutOwners(other);
    await other.query('select pg_advisory_lock($1::bigint)', [rows[0]?.key]);
    await onServer(`alter database ${name} allow_connections true`);
    const list = (): Promise<unknown> => first.api.call(listEndpoints, { query: {} });
    for (
      let tries = 0;
      tries < 100 &&
      (await list().then(
        () => true,
        () => false,
      ));
      tries += 1
    ) {
      await sleep(100);
    }
    await expect(list()).rejects.toMatchObject({ code: 'STATE_OWNED' });
    expect(await first.api.call(getHealth, {})).toMatchObject({ status: 'degraded' });
    expect((await ask(first, 'AA1')).version).toBe(2);
    await other.end();
  });
});

describe('a workspace on PostgreSQL', () => {
  test('cannot be copied alone, and says how both are; nothing is left behind', async () => {
    const state = await newFolder();
    const app = await start(state);
    const to = path.join(await newFolder(), 'copy');
    await expect(makeBackup(app.api, { state, to, onFile: () => undefined })).rejects.toMatchObject(
      {
        code: 'NOT_SUPPORTED',
        hint: expect.stringMatching(/pg_dump .* and the folder .* with cp -a/) as string,
      },
    );
    await expect(stat(to)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await app.api.call(getHealth, {})).toMatchObject({ status: 'ok' });
  });

  test('registers, deploys, answers, rolls back, and knows it all after a restart', async () => {
    const folder = await newFolder();
    let app = await start(folder);
    expect(await app.api.call(getHealth, {})).toMatchObject({ status: 'ok' });
    expect(await app.api.call(getStatus, {})).toMatchObject({ database: 'postgres' });
    await deployTwo(app);
    const before = await ask(app, 'AA1');
    expect(before.version).toBe(2);
    await app.api.call(postLabels, {
      body: { labels: [{ endpoint: 'late', key: 'AA1', value: 7 }] },
    });
    const trace = await app.api.call(traceRequest, { params: { requestId: before.id } });
    expect(trace).toMatchObject({
      prediction: { key: 'AA1', modelVersion: 2, routeRevision: 2 },
      route: { revision: 2 },
      model: { version: 2 },
      labels: [{ value: 7 }],
    });
    const back = await app.api.call(rollback, { params, body: { reason: 'support tickets' } });
    expect(back).toMatchObject({ revision: 3, restores: 1 });
    expect((await ask(app, 'AA2')).version).toBe(1);
    await stop(app);

    app = await start(folder);
    expect((await ask(app, 'AA3')).version).toBe(1);
    expect(await app.api.call(traceRequest, { params: { requestId: before.id } })).toMatchObject({
      prediction: { key: 'AA1', source: 'table' },
      labels: [{ value: 7 }],
    });
    const revisions = await app.api.call(listRevisions, { params, query: {} });
    expect(revisions.items.map(({ revision }) => revision)).toEqual([3, 2, 1]);
    expect(revisions.chainIntact).toBe(true);
    const listed = await app.api.call(listPredictions, { params, query: {} });
    expect(listed.items.map(({ key }) => key)).toEqual(['AA3', 'AA2', 'AA1']);
    expect(await app.api.call(getLogStatus, {})).toMatchObject({
      answered: 1,
      lastFlushError: null,
    });
  });

  test('gives changes made at once their own numbers', async () => {
    const app = await start(await newFolder());
    await deployTwo(app);
    const bytes = versionModel({ version: 3 });
    const register = () =>
      app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
    await Promise.all([register(), register(), register()]);
    const { items } = await app.api.call(listVersions, { params: { model: 'late' }, query: {} });
    expect(items.map(({ version }) => version)).toEqual([5, 4, 3, 2, 1]);
    await Promise.all([
      app.api.call(deploy, { params, body: { version: 3 } }),
      app.api.call(split, {
        params,
        body: {
          arms: [
            { name: 'old', version: 1, weight: 9000 },
            { name: 'new', version: 4, weight: 1000 },
          ],
        },
      }),
    ]);
    const { items: revisions } = await app.api.call(listRevisions, { params, query: {} });
    expect(revisions).toHaveLength(4);
    const kinds = (await app.api.call(listEvents, { query: {} })).items.map(({ kind }) => kind);
    expect(kinds).toHaveLength(10);
  });

  test('keeps tables and their batches', async () => {
    const app = await start(await newFolder());
    const table = { namespace: 'lab', name: 'rows' };
    const columns = [{ name: 'id', type: 'long' as const }];
    await app.api.call(createTable, { body: { ...table, columns } });
    const append = () =>
      app.api.call(
        appendRows,
        { params: table, query: { batch: 'one' } },
        { bytes: Buffer.from('{"id":1}\n') },
      );
    expect(await append()).toMatchObject({ rows: 1, duplicate: false });
    expect(await append()).toMatchObject({ rows: 0, duplicate: true });
    expect((await app.api.call(readRows, { params: table, query: {} })).rows).toEqual([[1]]);
  });

  test('says what is wrong with the URL', async () => {
    const url = databaseUrl.replace(/app_\w+/, 'nowhere');
    await expect(start(await newFolder(), { databaseUrl: url })).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('nowhere') as unknown,
    });
  });

  test('remembers its replay clock', async () => {
    const folder = await newFolder();
    let app = await start(folder, { clock: 'replay' });
    await app.api.call(advanceClock, { body: { to: '2001-02-03T04:05:06.789012Z' } });
    await stop(app);
    app = await start(folder);
    expect((await app.api.call(getStatus, {})).now).toBe('2001-02-03T04:05:06.789012Z');
  });

  test('is not shared by another state folder', async () => {
    const first = await start(await newFolder());
    await deployTwo(first);
    await expect(start(await newFolder())).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('another state folder') as unknown,
    });
    // Nor after the first has stopped.
    await stop(first);
    await expect(start(await newFolder())).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
    // As the hint says.
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('create schema second');
    await client.end();
    const url = `${databaseUrl}&options=-csearch_path%3Dsecond`;
    const second = await start(await newFolder(), { databaseUrl: url });
    expect((await second.api.call(listEndpoints, { query: {} })).items).toEqual([]);
    const again = await start(first.folder);
    expect((await again.api.call(listEndpoints, { query: {} })).items).toHaveLength(1);
  });
});
