import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { prepareState } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, startServer, until } from './server-process.ts';

/** Files, sockets and pipes that main may open besides those it has open at rest. */
const SPARE_FILES = 10;
const MINUTE = 60_000;

let folder: string;
let state: string;
const idle: Socket[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-files-'));
  state = path.join(folder, 'state');
  await prepareState(state, 1);
});

afterEach(async () => {
  for (const socket of idle.splice(0)) socket.destroy();
  await killAll();
  await rm(folder, { recursive: true });
});

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

test(
  'an engine that dies while main cannot open a file is started again later',
  async () => {
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
  },
  MINUTE,
);

/** Leaves 72 connections: the others are reserved for files. */
const OPEN_FILES = 200;
const FLOOD = 300;

test(
  'a flood of connections is refused, and all else has the files that it needs',
  async () => {
    const server = await startServer({ state, openFiles: OPEN_FILES });
    const client = new HttpClient(server.url, { connections: 2 });
    const ledger = new Ledger('flood');
    const random = new Seeded(2);
    const { engine } = await client.json<{ engine: { pid: number } }>('GET', '/api/v1/status');
    await Promise.all([ledger.infer(client, random), ledger.infer(client, random)]);
    const { hostname, port } = new URL(server.url);
    let closed = 0;
    for (let count = 0; count < FLOOD; count += 1) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.on('close', () => (closed += 1));
      socket.write('POST /v2/models/late/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
      idle.push(socket);
    }
    await until('the others are refused', () => closed > FLOOD / 2);
    for (let count = 0; count < 50; count += 1) await ledger.infer(client, random);
    expect(await openFiles(server.pid)).toBeLessThan(OPEN_FILES);
    const health = await client.json<{ components: { name: string; detail: string }[] }>(
      'GET',
      '/health',
    );
    const told = health.components.find(({ name }) => name === 'connections');
    expect(told?.detail).toMatch(/^72 of 72 are open; \d+ were refused/);
    const events = '/api/v1/events?subject=server';
    await until('an event tells of it', async () => {
      const { items } = await client.json<{ items: { kind: string }[] }>('GET', events);
      return items.map(({ kind }) => kind).join() === 'connections.refused';
    });
    const metrics = (await client.call({ path: '/metrics' })).body;
    expect(
      Number(/^millwright_connections_dropped_total (\d+)/m.exec(metrics)?.[1]),
    ).toBeGreaterThan(FLOOD / 2);
    process.kill(engine.pid, 'SIGKILL');
    await checkListed(client, ledger);

    for (const socket of idle.splice(0)) socket.destroy();
    const other = new HttpClient(server.url, { connections: 1 });
    await until('others are served again', async () =>
      other.json<{ status: string }>('GET', '/health').then(
        ({ status }) => status === 'ok',
        () => false,
      ),
    );
    other.close();
    client.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTE,
);
