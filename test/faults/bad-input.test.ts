import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sleep } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import { ENDPOINT, prepareState } from './prepared-state.ts';
import { killAll, startServer, type Server } from './server-process.ts';

/** What hostile clients send over a real socket; the server refuses it and goes on. */

const INFER = `/v2/models/${ENDPOINT}/infer`;
const MB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
});

let folder: string;
let server: Server;
let client: HttpClient;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-bad-'));
  await prepareState(path.join(folder, 'state'), 1);
  server = await startServer({ state: path.join(folder, 'state') });
  client = new HttpClient(server.url);
});

afterAll(async () => {
  client.close();
  // The server that met all of this still stops as it should.
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  await killAll();
  await rm(folder, { recursive: true });
});

async function residentMb(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function answersStill(): Promise<void> {
  const answer = await client.call({ method: 'POST', path: INFER, headers: JSON_TYPE, body: GOOD });
  expect(answer.status).toBe(200);
}

/** Writes raw bytes and reads until the server closes or half a second has passed. */
async function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  socket.on('error', () => undefined);
  socket.write(text);
  await Promise.race([once(socket, 'close'), sleep(500)]);
  socket.destroy();
  return received;
}

describe('a body of 100 MB', () => {
  test('is refused before it is read', async () => {
    const before = await residentMb();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    let received = '';
    const answered = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString();
        if (received.includes('413')) resolve();
      });
    });
    const head = `POST ${INFER} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Content-Length: ${100 * MB}\r\n\r\n[`);
    await answered;
    socket.destroy();
    expect((await residentMb()) - before).toBeLessThan(60);
    await answersStill();
  });

  test('sent in chunks is refused at its limit', async () => {
    const before = await residentMb();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.on('error', () => undefined);
    const head = `POST ${INFER} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\n`;
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `${MB.toString(16)}\r\n${'1'.repeat(MB)}\r\n`;
    for (let sent = 0; sent < 100 && !socket.destroyed && !received.includes('413'); sent += 1) {
      socket.write(chunk);
      await sleep(5);
    }
    expect(received).toContain('413');
    socket.destroy();
    expect((await residentMb()) - before).toBeLessThan(60);
    await answersStill();
  });
});

test.each([
  ['a compressed body', { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(GOOD), [400, 415]],
  ['no content type', {}, GOOD, [415]],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=1', [415]],
  ['an empty body', JSON_TYPE, '', [400]],
  ['bytes that are no text', JSON_TYPE, Buffer.from([0xff, 0xfe, 0, 1]), [400]],
] as const)('%s is refused', async (_, headers, body, statuses) => {
  const answer = await client.call({ method: 'POST', path: INFER, headers, body });
  expect(statuses).toContain(answer.status);
  expect(JSON.parse(answer.body)).toHaveProperty('error');
  await answersStill();
});

test.each([
  ['a traversal in the name', '/v2/models/..%2f..%2fetc/infer', 404],
  ['a very long name', `/v2/models/${'a'.repeat(5000)}/infer`, 404],
  ['a version that is no number', `/v2/models/${ENDPOINT}/versions/latest/infer`, 400],
  ['a negative version', `/v2/models/${ENDPOINT}/versions/-1/infer`, 400],
] as const)('%s is refused', async (_, at, status) => {
  const answer = await client.call({ method: 'POST', path: at, headers: JSON_TYPE, body: GOOD });
  expect([status, 400, 404, 414]).toContain(answer.status);
  expect(answer.status).toBeLessThan(500);
});

test('a request id that would split a header is not used', async () => {
  const body = JSON.stringify({ id: 'a\r\nset-cookie: x=1', inputs: JSON.parse(GOOD).inputs });
  const answer = await client.call({ method: 'POST', path: INFER, headers: JSON_TYPE, body });
  expect(answer.status).toBe(200);
  expect(answer.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
  expect(answer.headers['set-cookie']).toBeUndefined();
});

test.each([
  ['something that is no HTTP', 'hello\r\n\r\n'],
  ['a header without end', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
])('%s is cut off', async (_, text) => {
  expect(await raw(text)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  await answersStill();
});

test('clients that hang up in the middle leave nothing behind', async () => {
  const { hostname, port } = new URL(server.url);
  for (let index = 0; index < 50; index += 1) {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.write(`POST ${INFER} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 1000\r\n\r\n{`);
    socket.destroy();
  }
  await answersStill();
  const log = await client.json<{ answered: number; journaled: number }>(
    'GET',
    '/api/v1/predictions/log',
  );
  expect(log.journaled).toBe(log.answered);
});
