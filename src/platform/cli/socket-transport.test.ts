import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { socketTransport } from './socket-transport.ts';

let server: Server | null = null;

async function served(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const POST = { method: 'POST', url: '/x', headers: { 'x-millwright-actor': 'ana' } } as const;

test('sends whole bodies with their length, streams as they come, on one connection', async () => {
  const seen: unknown[] = [];
  const ports = new Set<number | undefined>();
  const url = await served((request, reply) => {
    ports.add(request.socket.remotePort);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      seen.push([request.headers['content-length'], request.headers['x-millwright-actor'], body]);
      reply.writeHead(201).end('é');
    });
  });
  const transport = socketTransport(url);
  const bodies = [
    'é',
    Buffer.from('ab'),
    Readable.from([Buffer.from('c'), Buffer.from('d')]),
    null,
  ];
  for (const body of bodies) {
    expect(await transport({ ...POST, body })).toEqual({ status: 201, body: 'é' });
  }
  expect(seen).toEqual([
    ['2', 'ana', 'é'],
    ['2', 'ana', 'ab'],
    [undefined, 'ana', 'cd'],
    ['0', 'ana', ''],
  ]);
  expect(ports.size).toBe(1);
});

test('hears what is answered before all of a stream was sent', async () => {
  const url = await served((_request, reply) => {
    reply.writeHead(413, { connection: 'close' }).end('too long');
  });
  const endless = Readable.from(
    (async function* () {
      for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
    })(),
  );
  const answer = await socketTransport(url)({ ...POST, body: endless });
  expect(answer).toEqual({ status: 413, body: 'too long' });
});

test('says that nobody answers, or not in time', async () => {
  const refused = { code: 'SERVER_UNREACHABLE' };
  const silent = await served(() => undefined);
  const hasty = socketTransport(silent, { timeoutMs: 50 });
  await expect(hasty({ ...POST, body: null })).rejects.toMatchObject(refused);
  server!.closeAllConnections();
  server!.close();
  await expect(socketTransport(silent)({ ...POST, body: '' })).rejects.toMatchObject(refused);
});
