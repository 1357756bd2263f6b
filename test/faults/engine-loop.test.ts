import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { every } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { prepareState } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, runCommand, startServer, until } from './server-process.ts';

/** Somebody kills the engine whenever there is one: the gateway goes on, and says what it lacks. */

const MINUTES_5 = 300_000;
const MINUTE = 60_000;

let folder: string;
let state: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-loop-'));
  state = path.join(folder, 'state');
  await prepareState(state, 1);
});

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

interface Engine {
  readonly state: string;
  readonly pid: number | null;
  readonly trouble?: { readonly deaths: number; readonly retryInMs: number };
}

function killing(client: HttpClient, waits: number[]): () => void {
  const killOnce = async (): Promise<void> => {
    const { engine } = await client.json<{ engine: Engine }>('GET', '/api/v1/status');
    if (engine.pid !== null) process.kill(engine.pid, 'SIGKILL');
    else if (engine.trouble !== undefined) waits.push(engine.trouble.retryInMs);
  };
  // One that has died since has been killed enough.
  return every(20, () => {
    killOnce().catch(() => undefined);
  });
}

test(
  'requests are answered and journaled meanwhile, and nothing is lost when one lives again',
  async () => {
    const server = await startServer({ state, cwd: folder });
    const client = new HttpClient(server.url);
    const ledger = new Ledger();
    const random = new Seeded(1);
    const engine = async (): Promise<Engine> =>
      (await client.json<{ engine: Engine }>('GET', '/api/v1/status')).engine;
    const waits: number[] = [];
    const stop = killing(client, waits);
    const ask = async (): Promise<void> => ledger.infer(client, random);

    await until('the engine is paused', async () => {
      await ask();
      return (await engine()).state === 'broken';
    });
    const health = await client.json<{ components: { name: string; detail?: string }[] }>(
      'GET',
      '/health',
    );
    const told = health.components.find(({ name }) => name === 'engine')?.detail;
    expect(told).toMatch(/^broken: died \d+ times, last by SIGKILL.*tried again in \d+ s/);
    expect(told).toContain('free some memory');
    const tables = await client.call({ path: '/api/v1/tables' });
    expect(tables.status).toBe(503);
    expect(tables.body).toContain('last by SIGKILL');
    const doctor = await runCommand(['--state', state, 'doctor'], { cwd: folder });
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/engine +broken, \d+ restarts; died \d+ times/);

    await until('the pause is longer', () => Math.max(...waits) > 8000, MINUTE);
    const log = await client.json<{ unflushedBytes: number; lastFlushError: string | null }>(
      'GET',
      '/api/v1/predictions/log',
    );
    expect(log.unflushedBytes).toBeGreaterThan(0);
    expect(log.lastFlushError).toContain('The engine is paused');
    for (let count = 0; count < 200; count += 1) await ask();
    stop();
    await until('the engine lives', async () => (await engine()).state === 'ready', MINUTE);
    await checkListed(client, ledger);
    expect((await engine()).trouble?.deaths).toBeGreaterThan(6);
    const { items } = await client.json<{ items: { kind: string }[] }>(
      'GET',
      '/api/v1/events?subject=engine',
    );
    expect(items.map(({ kind }) => kind)).toEqual(['engine.paused']);
    client.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTES_5,
);
