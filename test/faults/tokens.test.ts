import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { sleep } from '../../src/platform/system.ts';
import { HttpClient } from './http-client.ts';
import {
  killAll,
  runCommand,
  startServer,
  tryStart,
  until,
  type Server,
} from './server-process.ts';

/** Tokens as a user meets them: the real server, commands and steps as processes. */

let folder: string;
let state: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mw-tokens-'));
  state = path.join(folder, '.millwright');
});

afterEach(async () => {
  await killAll();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command in the folder; without a token unless one is given. */
async function command(words: string, token = ''): Promise<Ran> {
  const env = { MILLWRIGHT_TOKEN: token, MILLWRIGHT_PORT: '0' };
  return runCommand(['--state', state, ...words.split(' ')], { cwd: folder, env });
}

async function createToken(words: string, by = ''): Promise<string> {
  const { stdout, stderr } = await command(`auth create ${words} --json`, by);
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as { token: string }).token;
}

/** An address of this machine that others could reach it by; null in a network of its own. */
function outerAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap((its) => its ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null;
}

async function statusAt(url: string, token?: string, headers = {}): Promise<number> {
  const client = new HttpClient(url);
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { status } = await client.call({
    path: '/api/v1/status',
    headers: { ...authorization, ...headers },
  });
  client.close();
  return status;
}

describe('a server before others', () => {
  let admin: string;
  let server: Server;

  beforeAll(async () => {
    admin = await createToken('ada --scope admin');
  });

  test('does not listen beyond this machine without a token, and says how to get one', async () => {
    const fresh = path.join(folder, 'fresh');
    const refused = await tryStart({ state: fresh, args: ['--host', '0.0.0.0'] });
    expect(refused.url).toBe('');
    expect((await refused.exited).code).toBe(2);
    expect(refused.stderr).toContain('Refused to listen on 0.0.0.0 without authentication.');
    expect(refused.stderr).toContain('millwright auth create NAME --scope admin');
  });

  test('listens there once there is one, and lets in who has it', async () => {
    server = await startServer({ state, args: ['--host', '0.0.0.0'], cwd: folder });
    const { port } = new URL(server.url);
    const address = outerAddress();
    const urls = [server.url, ...(address === null ? [] : [`http://${address}:${port}`])];
    for (const url of urls) {
      expect(await statusAt(url)).toBe(401);
      expect(await statusAt(url, admin)).toBe(200);
      expect(await statusAt(url, admin, { host: 'evil.example' })).toBe(403);
      expect(await statusAt(url, admin, { origin: 'http://10.9.8.7' })).toBe(403);
    }
  });

  test('tells a command without a token so, and serves one that has it', async () => {
    server = await startServer({ state, cwd: folder });
    const refused = await command('status');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('This server asks for a token.');
    expect(refused.stderr).toContain('MILLWRIGHT_TOKEN');
    expect((await command('status', admin)).code).toBe(0);
  });

  test('tells a command whose token may not, or may no longer', async () => {
    server = await startServer({ state, cwd: folder });
    const reader = await createToken('rae --scope read --expires 1d', admin);
    expect((await command('auth list', reader)).stderr).toContain('it is for read');
    expect((await command('auth revoke rae', admin)).code).toBe(0);
    expect((await command('status', reader)).stderr).toContain('The token rae was revoked.');
  });

  test('ends the event stream of a token that is revoked', async () => {
    server = await startServer({ state, cwd: folder });
    const reader = await createToken('watcher --scope read', admin);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const ended = once(socket, 'end');
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    const head = `Host: ${hostname}\r\nAuthorization: Bearer ${reader}\r\nConnection: close\r\n`;
    socket.write(`GET /api/v1/events/stream HTTP/1.1\r\n${head}\r\n`);
    await until('the stream begins', () => received.includes('retry: 2000'));
    await command('auth revoke watcher', admin);
    await ended;
    expect(received).toContain('token.revoked');
  });

  test('needs no token for a command that becomes the owner, the way back in', async () => {
    const other = await createToken('again --scope admin');
    server = await startServer({ state, cwd: folder });
    expect(await statusAt(server.url, other)).toBe(200);
  });

  test('is not mixed up with whoever took its port when it was killed', async () => {
    server = await startServer({ state, cwd: folder });
    server.kill();
    await server.exited;
    const asked: unknown[] = [];
    const stranger = createServer((request, reply) => {
      asked.push(request.headers.authorization);
      reply.writeHead(401).end('{"error":{"code":"UNAUTHENTICATED","message":"Say it again."}}');
    });
    stranger.listen(Number(new URL(server.url).port), '127.0.0.1');
    await once(stranger, 'listening');
    expect((await command('status', admin)).code).toBe(0);
    expect(asked).toEqual([]);
    stranger.close();
  });

  describe('with a pipeline', () => {
    const ASK = `
import { existsSync, writeFileSync } from 'node:fs';
const { MILLWRIGHT_URL: url, MILLWRIGHT_TOKEN: own, MLFLOW_TRACKING_TOKEN: mlflow } = process.env;
const ask = async (path, token) =>
  (await fetch(url + path, { headers: token ? { authorization: 'Bearer ' + token } : {} })).status;
writeFileSync('begun', '');
while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
writeFileSync('asked.json', JSON.stringify([
  await ask('/api/v1/status'),
  await ask('/api/v1/status', own),
  await ask('/api/2.0/mlflow/experiments/get?experiment_id=0', mlflow),
  await ask('/api/v1/auth/tokens', own),
]));
`;

    test('lets a step call back that outlives the server it was started by', async () => {
      await writeFile(path.join(folder, 'ask.mjs'), ASK);
      const cmd = `"${process.execPath}" ask.mjs && cat asked.json`;
      const stages = { stages: { ask: { cmd, outs: ['asked.json'] } } };
      await writeFile(path.join(folder, 'dvc.yaml'), JSON.stringify(stages));
      server = await startServer({ state, cwd: folder });
      const { port } = new URL(server.url);
      const authorization = `Bearer ${admin}`;
      const client = new HttpClient(server.url);
      const started = await client.call({
        method: 'POST',
        path: '/api/v1/pipelines/runs',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ folder }),
      });
      const { id } = JSON.parse(started.body) as { id: string };
      await until('the step runs', async () => {
        const log = await logOf(client, id, authorization);
        return log.attempt !== null && (await exists(path.join(folder, 'begun')));
      });
      server.kill();
      await server.exited;
      client.close();
      server = await startServer({ state, cwd: folder, args: ['--port', port] });
      await writeFile(path.join(folder, 'go'), '');
      const next = new HttpClient(server.url);
      let text = '';
      await until('it has asked', async () => {
        ({ text } = await logOf(next, id, authorization));
        return text.includes(']');
      });
      next.close();
      expect(JSON.parse(text)).toEqual([401, 200, 200, 403]);
    });
  });
});

async function logOf(client: HttpClient, run: string, authorization: string) {
  const at = `/api/v1/pipelines/runs/${run}/stages/ask/log`;
  const { body } = await client.call({ path: at, headers: { authorization } });
  return JSON.parse(body) as { attempt: number | null; text: string };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

describe('the log', () => {
  test('holds neither a token nor lines that somebody else wrote', async () => {
    const admin = await createToken('logged --scope admin');
    const server = await startServer({ state, cwd: folder, args: ['--log', 'debug'] });
    const secret = present(admin.split('_')[2], 'the secret');
    const { hostname, port } = new URL(server.url);
    const forged = '{"level":60,"event":"forged"}';
    const lines = [
      `GET /api/v1/tables?limit=1 HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
      `GET /api/v1/tables?token=${admin} HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
      `GET /api/v1/tables HTTP/1.1\r\nAuthorization: Bearer ${admin}0`,
      `GET /api/v1/tables HTTP/1.1\r\nCookie: millwright_00000000=${admin}`,
      `GET /nothing/%0d%0a${encodeURIComponent(forged)} HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
      `GET /${admin} HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
      `POST /api/v1/auth/session HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
      `GET /api/v1/tables HTTP/1.1\r\nAuthorization: Bearer ${admin}\r\nX-Millwright-Actor: \u001b[31m${forged}`,
      `GET /v2/models/%0a${encodeURIComponent(forged)}/ready HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
      `GET /%zz${admin} HTTP/1.1\r\nAuthorization: Bearer ${admin}`,
    ];
    for (const line of lines) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      socket.end(`${line}\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`, 'latin1');
      socket.resume();
      await once(socket, 'close');
    }
    await sleep(100);
    await server.stop();
    const written = server.stderr.split('\n').filter((line) => line !== '');
    expect(written.length).toBeGreaterThan(0);
    expect(server.stderr + server.stdout).not.toContain(secret);
    const events = written.map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toContain('http.request');
    expect(events).not.toContain('forged');
  });
});
