import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { versionModel } from '../onnx-model.ts';
import { HttpClient, type Answer } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { ENDPOINT, MODEL, prepareEndpoint } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import {
  killAll,
  processesOf,
  startServer,
  tryStart,
  until,
  type Server,
} from './server-process.ts';
import { SmallDisk } from './small-disk.ts';
import { storedLabels, storedPredictions } from './stored-records.ts';
import { flush } from './traffic.ts';

const DISK_MB = 32;
const MINUTE = 60_000;
const JSON_TYPE = { 'content-type': 'application/json' };

let disk: SmallDisk;
let state: string;
let server: Server;
let client: HttpClient;
const random = new Seeded(1);

beforeEach(async () => {
  disk = new SmallDisk(DISK_MB);
  state = path.join(disk.folder, 'state');
  server = await startServer({ state });
  client = new HttpClient(server.url);
  await prepareEndpoint(client, { versions: 2 });
});

afterEach(async () => {
  client.close();
  await killAll();
  await until('the engine is gone too', () => processesOf(state).length === 0);
  disk.unmount();
});

/** Sends requests until the journal has no room for one more. */
async function untilRefused(ledger: Ledger): Promise<void> {
  const before = ledger.refused.size;
  await until('a request is refused', async () => {
    for (let count = 0; count < 20; count += 1) await ledger.infer(client, random);
    return ledger.refused.size > before;
  });
}

async function untilAnswered(ledger: Ledger): Promise<void> {
  const before = ledger.answered.size;
  await until('a request is answered', async () => {
    await ledger.infer(client, random);
    return ledger.answered.size > before;
  });
}

/** Nothing waits in the journal any more: its files are the current segment and the next one. */
async function untilFlushed(): Promise<void> {
  let log: unknown = null;
  const isFlushed = async (): Promise<boolean> => {
    await flush(client);
    const now = await client.json<{ lastFlushError: string | null }>(
      'GET',
      '/api/v1/predictions/log',
    );
    log = now;
    return now.lastFlushError === null && readdirSync(path.join(state, 'journal')).length <= 2;
  };
  await until('the flush catches up', isFlushed).catch((thrown: unknown) => {
    throw new Error(`${String(thrown)}: ${JSON.stringify(log)} ${server.stderr.slice(-2000)}`);
  });
}

async function checkFiles(ledger: Ledger): Promise<void> {
  ledger.check(await storedPredictions(state, ENDPOINT));
  ledger.checkLabels(await storedLabels(state, ENDPOINT));
}

function change(method: string, at: string, body: unknown): Promise<Answer> {
  return client.call({ method, path: at, headers: JSON_TYPE, body: JSON.stringify(body) });
}

test(
  'refuses requests it cannot log, and answers and flushes again when there is room',
  async () => {
    const ledger = new Ledger();
    for (let round = 1; round <= 3; round += 1) {
      for (let count = 0; count < 50; count += 1) await ledger.infer(client, random);
      disk.fill();
      await untilRefused(ledger);
      // Some flushes try and fail meanwhile.
      await flush(client);
      await flush(client);
      await untilRefused(ledger);
      disk.free();
      await untilAnswered(ledger);
      await untilFlushed();
    }
    // A full disk is an answer to tasks, not the end of a process.
    const status = await client.json<{ pid: number; engine: { restarts: number } }>(
      'GET',
      '/api/v1/status',
    );
    expect([status.pid, status.engine.restarts]).toEqual([server.pid, 0]);
    await checkListed(client, ledger);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    await checkFiles(ledger);
  },
  MINUTE,
);

test(
  'refuses changes with one code, keeps nothing of them, and takes them when there is room',
  async () => {
    const ledger = new Ledger();
    await ledger.infer(client, random);
    const endpoint = `/api/v1/endpoints/${ENDPOINT}`;
    const model = (): Promise<Answer> =>
      client.call({
        method: 'POST',
        path: `/api/v1/models/${MODEL}/versions`,
        headers: { 'content-type': 'application/octet-stream' },
        body: versionModel({ version: 3, paddingFloats: 10_000 }),
      });
    const table = { namespace: 'lab', name: 'rows', columns: [{ name: 'n', type: 'long' }] };
    const append = (): Promise<Answer> =>
      client.call({
        method: 'POST',
        path: '/api/v1/tables/lab/rows/rows?batch=one',
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"n":1}\n'.repeat(1000),
      });
    expect((await change('POST', '/api/v1/tables', table)).status).toBe(201);

    disk.fill();
    await untilRefused(ledger);
    const refused = [
      await change('POST', `${endpoint}/deploy`, { version: 2, reason: 'x'.repeat(2000) }),
      await model(),
      await change('POST', '/api/v1/tables', { ...table, name: 'other' }),
      await append(),
    ];
    for (const { status, body } of refused) {
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'DISK_FULL' } });
      expect(status).toBe(507);
    }
    for (const at of [
      '/health',
      '/api/v1/status',
      endpoint,
      '/metrics',
      `/v2/models/${ENDPOINT}`,
    ]) {
      expect((await client.call({ path: at })).status, at).toBe(200);
    }
    disk.free();

    await untilAnswered(ledger);
    expect(await client.json('GET', endpoint)).toMatchObject({ route: { revision: 1 } });
    expect((await change('POST', `${endpoint}/deploy`, { version: 2 })).status).toBe(200);
    expect(JSON.parse((await model()).body)).toMatchObject({ version: 3 });
    expect((await change('POST', '/api/v1/tables', { ...table, name: 'other' })).status).toBe(201);
    expect(JSON.parse((await append()).body)).toMatchObject({ rows: 1000, duplicate: false });
    expect(JSON.parse((await append()).body)).toMatchObject({ duplicate: true });
    await ledger.label(client, random);
    await untilFlushed();
    await server.stop();
    await checkFiles(ledger);
  },
  MINUTE,
);

test(
  'loses nothing when it is killed on a full disk, and says why it cannot start there',
  async () => {
    const ledger = new Ledger();
    for (let count = 0; count < 100; count += 1) await ledger.infer(client, random);
    disk.fill();
    await untilRefused(ledger);
    server.kill();
    await server.exited;
    const full = await tryStart({ state });
    if (full.url === '') {
      expect((await full.exited).code).toBe(2);
      expect(full.stderr).toContain('disk');
      expect(full.stderr).toContain('full');
    } else {
      full.kill();
      await full.exited;
    }
    disk.free();
    server = await startServer({ state });
    client.close();
    client = new HttpClient(server.url);
    await checkListed(client, ledger);
    await ledger.infer(client, random);
    await server.stop();
    await checkFiles(ledger);
  },
  MINUTE,
);
