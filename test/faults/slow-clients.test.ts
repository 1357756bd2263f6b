import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { every } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { Ledger } from './ledger.ts';
import { checkListed } from './listed-predictions.ts';
import { prepareState } from './prepared-state.ts';
import { Seeded } from './seeded.ts';
import { killAll, startServer, until, type Server } from './server-process.ts';

/** A thousand clients that never finish what they began; who is well is served all the same. */

const MINUTES_5 = 300_000;
const MINUTE = 60_000;
const HEADERS = 450;
const BODIES = 450;
const READERS = 60;
/** An answer to a reader: more than the system takes off the server's hands. */
const ROW_BYTES = 90_000;
const ROWS = 100;
/** What they may take of the memory, while answers are made and while they wait. */
const GROWTH_BYTES_MAX = 1_200_000_000;

let folder: string;
let server: Server;
let client: HttpClient;
const slow: Socket[] = [];
const stops: (() => void)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-slow-'));
  await prepareState(path.join(folder, 'state'), 1);
  server = await startServer({ state: path.join(folder, 'state') });
  client = new HttpClient(server.url, { connections: 2 });
});

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  for (const socket of slow.splice(0)) socket.destroy();
  client.close();
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

function open(text: string): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(text);
  slow.push(socket);
  return socket;
}

const HOST = 'Host: 127.0.0.1\r\n';

/** Sends a header's bytes one a second. */
function slowHeaders(): void {
  const socket = open(`GET /health HTTP/1.1\r\n${HOST}X-Slow: `);
  stops.push(every(1000, () => socket.write('x')));
  socket.resume();
}

/** Sends half of its body. */
function slowBody(): void {
  const head = `POST /v2/models/late/infer HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
  open(`${head}Content-Length: 100000\r\n\r\n${' '.repeat(50_000)}`).resume();
}

/** Asks for much and takes nothing of it. */
function slowReader(): void {
  open(`GET /api/v1/tables/lab/rows/rows?limit=${ROWS} HTTP/1.1\r\n${HOST}\r\n`).pause();
}

async function makeRows(): Promise<void> {
  const columns = [{ name: 'text', type: 'string' }];
  await client.json('POST', '/api/v1/tables', { namespace: 'lab', name: 'rows', columns });
  const line = `${JSON.stringify({ text: 'x'.repeat(ROW_BYTES) })}\n`;
  const appended = await client.call({
    method: 'POST',
    path: '/api/v1/tables/lab/rows/rows',
    headers: { 'content-type': 'application/x-ndjson' },
    body: line.repeat(ROWS),
  });
  expect(appended.status, appended.body).toBe(200);
}

async function residentBytes(): Promise<number> {
  return (await client.json<{ residentBytes: number }>('GET', '/api/v1/status')).residentBytes;
}

async function openConnections(): Promise<number> {
  const health = await client.json<{ components: { name: string; detail?: string }[] }>(
    'GET',
    '/health',
  );
  const told = health.components.find(({ name }) => name === 'connections');
  return Number(/^(\d+) of/.exec(told?.detail ?? '')?.[1]);
}

test(
  'slow headers, bodies and readers are cut off, and who is not slow is answered',
  async () => {
    await makeRows();
    const ledger = new Ledger();
    const random = new Seeded(1);
    const before = await residentBytes();
    for (let count = 0; count < HEADERS; count += 1) {
      slowHeaders();
      if (count < BODIES) slowBody();
      if (count < READERS) slowReader();
      if (count % 10 === 0) await ledger.infer(client, random);
    }
    await until('all are there', async () => (await openConnections()) > HEADERS + BODIES, MINUTE);
    let most = 0;
    await until(
      'all of them are cut off',
      async () => {
        await ledger.infer(client, random);
        most = Math.max(most, await residentBytes());
        return (await openConnections()) <= 2;
      },
      3 * MINUTE,
    );
    expect(most - before).toBeLessThan(GROWTH_BYTES_MAX);
    const metrics = (await client.call({ path: '/metrics' })).body;
    const cut = Number(/^millwright_connections_cut_total (\d+)/m.exec(metrics)?.[1]);
    expect(cut).toBeGreaterThan(BODIES);
    await checkListed(client, ledger);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  },
  MINUTES_5,
);

test(
  'a stream of events that is silent, and a body that comes slowly, are left alone',
  async () => {
    const stream = open(`GET /api/v1/events/stream HTTP/1.1\r\n${HOST}\r\n`);
    stream.resume();
    let closed = false;
    stream.on('close', () => (closed = true));
    const body = Buffer.from(
      JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] }),
    );
    const head = `POST /v2/models/late/infer HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
    const sender = open(`${head}Content-Length: ${body.length}\r\n\r\n`);
    let received = '';
    sender.on('data', (chunk: Buffer) => (received += chunk.toString()));
    let sent = 0;
    // Three bytes a second: longer under way than any silence may be.
    stops.push(
      every(1000, () => {
        if (sent < body.length) sender.write(body.subarray(sent, (sent += 3)));
      }),
    );
    await until('the body is there and answered', () => received.includes('200 OK'), 2 * MINUTE);
    expect(closed).toBe(false);
  },
  MINUTES_5,
);
