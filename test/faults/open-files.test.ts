import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sleep } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { prepareState } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, startServer, until } from './server-process.ts';

/** Files, sockets and pipes that main may open besides those it has open at rest. */
const SPARE_FILES = 10;

let folder: string;
let state: string;
const idle: Socket[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-files-'));
  state = path.join(folder, 'state');
  await prepareState(state, 1);
});

afterEach(async () => {
  for (const socket of idle) socket.destroy();
  await killAll();
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

test('an engine that dies while main cannot open a file is started again later', async () => {
  const server = await startServer({ state });
  const client = new HttpClient(server.url, { connections: 2 });
  const isEngineUp = async (): Promise<boolean> =>
    (await client.json<{ status: string }>('GET', '/health')).status === 'ok';
  const { engine } = await client.json<{ engine: { pid: number } }>('GET', '/api/v1/status');
  const ledger = new Ledger();
  const random = new Seeded(1);
  await ledger.infer(client, random);
  await until('the engine is there', isEngineUp);
  const limit = (await openFiles(server.pid)) + SPARE_FILES;
  execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${limit}:${limit}`]);
  const { hostname, port } = new URL(server.url);
  for (let count = 0; count < 2 * SPARE_FILES; count += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    idle.push(socket);
  }
  await sleep(100);

  process.kill(engine.pid, 'SIGKILL');
  for (let count = 0; count < 20; count += 1) {
    await ledger.infer(client, random);
    await sleep(5);
  }
  expect(await isEngineUp()).toBe(false);
  for (const socket of idle) socket.destroy();
  await until('the engine is back', isEngineUp);
  await checkListed(client, ledger);
  client.close();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
