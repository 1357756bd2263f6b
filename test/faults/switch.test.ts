import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { ENDPOINT, prepareState } from './prepared-state.ts';
import { killAll, startServer } from './server-process.ts';
import { flush } from './traffic.ts';

/** Switching and rolling back while the endpoint is under full load. */

const CONNECTIONS = 16;
const SWITCHES = 20;
const BODY = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
});

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-switch-'));
  await prepareState(path.join(folder, 'state'), 2);
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

test('no request fails, and each is logged with the version that computed it', async () => {
  const server = await startServer({ state: path.join(folder, 'state') });
  const client = new HttpClient(server.url, { connections: CONNECTIONS });
  const control = new HttpClient(server.url, { connections: 1 });
  const seen: Seen[] = [];
  const rollbackMs: number[] = [];
  let isOver = false;
  const load = Array.from({ length: CONNECTIONS }, () => hammer(client, seen, () => isOver));
  for (let count = 0; count < SWITCHES; count += 1) {
    const base = `/api/v1/endpoints/${ENDPOINT}`;
    if (count % 4 === 3) {
      const start = systemClock.elapsed();
      await control.json('POST', `${base}/rollback`, { reason: 'drill' });
      rollbackMs.push(systemClock.elapsed() - start);
    } else {
      await control.json('POST', `${base}/deploy`, { version: 1 + ((count + 1) % 2) });
    }
  }
  isOver = true;
  await Promise.all(load);
  await flush(control);

  expect(new Set(seen.map(({ computedBy }) => computedBy))).toEqual(new Set([1, 2]));
  expect(new Set(seen.map(({ revision }) => revision)).size).toBeGreaterThan(SWITCHES / 2);
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
  process.stdout.write(
    `${seen.length} requests over ${SWITCHES} changes; slowest rollback under load ` +
      `${Math.max(...rollbackMs).toFixed(0)} ms\n`,
  );
  client.close();
  control.close();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
