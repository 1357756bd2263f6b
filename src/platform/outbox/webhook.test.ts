import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRefusedAddress, type Resolve } from '../outgoing-url.ts';
import type { OutboxMessage } from './port.ts';
import { createWebhook, type WebhookOptions } from './webhook.ts';

/** A receiver on a free port; returns the port. */
async function receiver(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function deliver(target: string, options?: WebhookOptions, signal = new AbortController().signal) {
  const payload = { alert: 'drift', é: '✓' };
  const message: OutboxMessage = { id: 'out_1', kind: 'webhook', target, payload, failures: 0 };
  return createWebhook(options)(message, { signal });
}

const resolveTo =
  (...addresses: string[]): Resolve =>
  (_host, _options, done) => {
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    done(null, found);
  };

describe('a webhook', () => {
  it('posts the payload as JSON with the id to deduplicate by', async () => {
    const seen: unknown[] = [];
    const port = await receiver((request, response) => {
      void text(request).then((body) => {
        const { 'idempotency-key': key, 'content-type': type } = request.headers;
        seen.push([request.method, request.url, key, type, JSON.parse(body)]);
        return response.writeHead(202).end('thanks');
      });
    });
    await deliver(`http://hooks.test:${port}/drift?team=a`, { resolve: resolveTo('127.0.0.1') });
    const body = { alert: 'drift', é: '✓' };
    expect(seen).toEqual([['POST', '/drift?team=a', 'out_1', 'application/json', body]]);
  });

  it.each([
    [500, 'the receiver answered 500: no disk'],
    [404, 'the receiver answered 404: no disk'],
    [302, 'the receiver answered 302: redirects are not followed'],
  ])('fails on an answer %i', async (status, message) => {
    let requests = 0;
    const port = await receiver((_request, response) => {
      requests += 1;
      response.writeHead(status, { location: '/elsewhere' }).end('no disk');
    });
    await expect(deliver(`http://127.0.0.1:${port}/`)).rejects.toThrow(message);
    expect(requests).toBe(1);
  });

  it('does not wait for ever, nor read for ever', async () => {
    const silent = await receiver(() => undefined);
    const waiting = deliver(`http://127.0.0.1:${silent}/`, { timeoutMs: 30 });
    await expect(waiting).rejects.toThrow('no answer within 30 ms');
    const endless = await receiver((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write('x'.repeat(1000)));
      };
      response.on('drain', more);
      more();
    });
    await deliver(`http://127.0.0.1:${endless}/`);
  });

  it('ends when it is aborted, and when nobody listens', async () => {
    const silent = await receiver(() => undefined);
    const controller = new AbortController();
    const waiting = deliver(`http://127.0.0.1:${silent}/`, {}, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await expect(deliver('http://127.0.0.1:9/')).rejects.toThrow('ECONNREFUSED');
  });

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'not a url',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://①⑥⑨.254.169.254/',
    'http://user:word@169.254.169.254/',
    'http://[::169.254.169.254]/',
    'http://[64:ff9b::169.254.169.254]/',
    'http://[64:ff9b:1::1]/',
    'gopher://127.0.0.1/',
    'http://0.0.0.0/',
  ])('refuses %s', async (target) => {
    await expect(deliver(target)).rejects.toMatchObject({ code: 'OUTGOING_URL_REFUSED' });
  });

  it('refuses a name that leads to such an address, before it connects', async () => {
    let requests = 0;
    const port = await receiver((_request, response) => {
      requests += 1;
      response.end();
    });
    for (const address of ['169.254.169.254', 'fe80::1', '::ffff:a9fe:a9fe']) {
      const resolve = resolveTo('127.0.0.1', address);
      await expect(deliver(`http://hooks.test:${port}/`, { resolve })).rejects.toMatchObject({
        code: 'OUTGOING_URL_REFUSED',
      });
    }
    expect(requests).toBe(0);
  });
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.0.0.8',
    '192.168.1.1',
    '::1',
    'fd12::1',
    '8.8.8.8',
    '2001:db8::1',
    '64:ff9b::808:808',
  ])('lets %s be called', (address) => {
    expect(isRefusedAddress(address)).toBe(false);
  });

  it.each([
    '169.254.0.1',
    'febf::1',
    'fe80::1%eth0',
    '64:ff9b::a9fe:a9fe',
    '64:FF9B::6464:64C8',
    '64:ff9b:0:0:0:0:a9fe:0001',
    '2002:a9fe:a9fe::1',
    '2002:6464:64c8:1::1',
    '::a83f:8110',
    '168.63.129.16',
    'ff02::1',
  ])('refuses %s', (address) => {
    expect(isRefusedAddress(address)).toBe(true);
  });
});
