import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep, systemClock } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { ENDPOINT, prepareEndpoint, prepareState } from './prepared-state.ts';
import { killAll, startServer, type Server } from './server-process.ts';
import { flush } from './traffic.ts';

/** Switching and rolling back while the endpoint is under full load. */

const CONNECTIONS = 16;
const SWITCHES = 20;
/** How long a version serves before the next change. */
const SERVED_MS = 100;
/** Many changes under load take half a minute where nothing else runs. */
const SWITCHING_MS = 150_000;
/** 40 MB, which take far too long to load for the main thread. */
const COSTLY_FLOATS = 10_000_000;
const BASE = `/api/v1/endpoints/${ENDPOINT}`;
const BODY = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
});

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-switch-'));
});

afterAll(async () => {
  await killAll();
  await rm(folder, { recursive: true });
});

interface Seen {
  readonly requestId: string;
  /** What the model itself says it is, in its output. */
  readonly computedBy: number;
  readonly header: number;
  readonly revision: number;
}

interface Listed {
  readonly items: readonly {
    readonly requestId: string;
    readonly modelVersion: number;
    readonly routeRevision: number;
    readonly outputs: readonly { readonly data: readonly number[] }[];
  }[];
  readonly nextCursor: string | null;
}

async function hammer(client: HttpClient, seen: Seen[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const answer = await client.call({
      method: 'POST',
      path: `/v2/models/${ENDPOINT}/infer`,
      headers: { 'content-type': 'application/json' },
      body: BODY,
    });
    expect(answer.status, answer.body).toBe(200);
    const body = JSON.parse(answer.body) as { outputs: [unknown, { data: [number] }] };
    seen.push({
      requestId: String(answer.headers['x-request-id']),
      computedBy: body.outputs[1].data[0],
      header: Number(answer.headers['x-model-version']),
      revision: Number(answer.headers['x-route-revision']),
    });
  }
}

async function logged(client: HttpClient): Promise<Map<string, Listed['items'][number]>> {
  const found = new Map<string, Listed['items'][number]>();
  let cursor = '';
  do {
    const query = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await client.json<Listed>(
      'GET',
      `/api/v1/endpoints/${ENDPOINT}/predictions?limit=1000${query}`,
    );
    for (const item of page.items) {
      expect(found.has(item.requestId), `${item.requestId} is logged twice`).toBe(false);
      found.set(item.requestId, item);
    }
    cursor = page.nextCursor ?? '';
  } while (cursor !== '');
  return found;
}

/** Sends requests on all connections while `change` runs; each is then held against the log. */
async function switchUnderLoad(
  server: Server,
  change: (control: HttpClient) => Promise<void>,
): Promise<readonly Seen[]> {
  const client = new HttpClient(server.url, { connections: CONNECTIONS });
  const control = new HttpClient(server.url, { connections: 1 });
  const seen: Seen[] = [];
  let isOver = false;
  const load = Array.from({ length: CONNECTIONS }, () => hammer(client, seen, () => isOver));
  await change(control);
  isOver = true;
  await Promise.all(load);
  await flush(control);
  const log = await logged(control);
  expect(log.size).toBe(seen.length);
  for (const { requestId, computedBy, header, revision } of seen) {
    const record = log.get(requestId);
    expect([header, record?.modelVersion, record?.outputs[1]?.data[0]]).toEqual([
      computedBy,
      computedBy,
      computedBy,
    ]);
    expect(record?.routeRevision).toBe(revision);
  }
  client.close();
  control.close();
  return seen;
}

test(
  'no request fails, and each is logged with the version that computed it',
  async () => {
    const state = path.join(folder, 'cheap');
    await prepareState(state, 2);
    const server = await startServer({ state });
    const rollbackMs: number[] = [];
    const seen = await switchUnderLoad(server, async (control) => {
      for (let count = 0; count < SWITCHES; count += 1) {
        await sleep(SERVED_MS);
        if (count % 4 === 3) {
          const start = systemClock.elapsed();
          await control.json('POST', `${BASE}/rollback`, { reason: 'drill' });
          rollbackMs.push(systemClock.elapsed() - start);
        } else {
          await control.json('POST', `${BASE}/deploy`, { version: 1 + ((count + 1) % 2) });
        }
      }
    });
    expect(new Set(seen.map(({ computedBy }) => computedBy))).toEqual(new Set([1, 2]));
    expect(new Set(seen.map(({ revision }) => revision)).size).toBeGreaterThan(SWITCHES / 2);
    process.stdout.write(
      `${seen.length} requests over ${SWITCHES} changes; slowest rollback under load ` +
        `${Math.max(...rollbackMs).toFixed(0)} ms\n`,
    );
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  SWITCHING_MS,
);

test(
  'no request fails on costly models, which are let go two versions later',
  async () => {
    const server = await startServer({ state: path.join(folder, 'costly') });
    const setUp = new HttpClient(server.url);
    await prepareEndpoint(setUp, { versions: 3, paddingFloats: COSTLY_FLOATS });
    const endpoint = await setUp.json<{ warm: { placement: string }[] }>('GET', BASE);
    expect(endpoint.warm.map(({ placement }) => placement)).toEqual(['worker']);
    setUp.close();
    const seen = await switchUnderLoad(server, async (control) => {
      for (const version of [2, 3, 1, 2]) {
        await control.json('POST', `${BASE}/deploy`, { version });
      }
    });
    expect(new Set(seen.map(({ computedBy }) => computedBy))).toEqual(new Set([1, 2, 3]));
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  SWITCHING_MS,
);
