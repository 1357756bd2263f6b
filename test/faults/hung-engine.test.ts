import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HttpClient } from './http-client.ts';
import { ENDPOINT, prepareState } from './prepared-state.ts';
import { killAll, startServer, until } from './server-process.ts';

/** An engine that is there and says nothing: main answers, and says what is wrong. */

const MINUTE = 60_000;
const BODY = JSON.stringify({
  id: 'while-it-hangs',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
});

let folder: string;
let state: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-hung-'));
  state = path.join(folder, 'state');
  await prepareState(state, 1);
});

afterEach(killAll);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Health {
  readonly status: string;
  readonly components: readonly { readonly name: string; readonly detail?: string }[];
}

test(
  'a stopped engine degrades the health; requests are answered and traced all the same',
  async () => {
    const server = await startServer({ state });
    const client = new HttpClient(server.url);
    const health = (): Promise<Health> => client.json<Health>('GET', '/health');
    const { engine } = await client.json<{ engine: { pid: number } }>('GET', '/api/v1/status');
    await until('all is well', async () => (await health()).status === 'ok');

    process.kill(engine.pid, 'SIGSTOP');
    await until('the silence is noticed', async () => (await health()).status === 'degraded');
    const { components } = await health();
    const told = components.find(({ name }) => name === 'engine');
    expect(told?.detail).toContain('unresponsive');
    const headers = { 'content-type': 'application/json' };
    const at = { method: 'POST', path: `/v2/models/${ENDPOINT}/infer`, headers, body: BODY };
    expect((await client.call(at)).status).toBe(200);
    const trace = await client.json<{ labelsMissing: string | null }>(
      'GET',
      '/api/v1/trace/while-it-hangs',
    );
    expect(trace.labelsMissing).toContain('did not answer');

    process.kill(engine.pid, 'SIGCONT');
    await until('it is well again', async () => (await health()).status === 'ok');
    client.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTE,
);
