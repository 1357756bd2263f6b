import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { sleep, systemClock } from '../system.ts';

let app: TestApp;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app[Symbol.asyncDispose]();
});

/** Opens a connection, sends the text and keeps it open; resolves with what came back so far. */
async function send(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
  });
  socket.write(text);
  await sleep(100);
  return received;
}

async function stopMs(): Promise<number> {
  const start = systemClock.elapsed();
  await app.app.stop();
  return systemClock.elapsed() - start;
}

const HOST = 'Host: 127.0.0.1\r\n';

describe('a server that stops', () => {
  test.each([
    ['an event stream', `GET /api/v1/events/stream HTTP/1.1\r\n${HOST}\r\n`],
    ['a connection that never asked anything', ''],
    ['a request line without an end', `GET /health HTTP/1.1\r\n${HOST}X-`],
    ['an idle connection', `GET /health HTTP/1.1\r\n${HOST}\r\n`],
  ])('does not wait for %s', async (_, text) => {
    app = await createTestApp();
    await send(await app.app.listen(), text);
    expect(await stopMs()).toBeLessThan(4000);
  });

  test('cuts a request off whose body does not come', async () => {
    app = await createTestApp();
    const head = `POST /api/v1/tables HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
    await send(await app.app.listen(), `${head}Content-Length: 100\r\n\r\n{`);
    expect(await stopMs()).toBeLessThan(15_000);
  });
});
