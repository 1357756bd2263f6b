import { createServer, type Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HttpClient } from './http-client.ts';
import { killAll, Program, runCommand, startServer, tryStart, until } from './server-process.ts';

/** One folder, one owner: who may come second, and what remains of one that died. */

let root: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mw-owner-'));
});

afterEach(killAll);

afterAll(async () => {
  await rm(root, { recursive: true });
});

function newState(): string {
  count += 1;
  return path.join(root, `state-${count}`);
}

const command = (state: string, ...words: string[]) =>
  runCommand(['--state', state, '--json', ...words]);

describe('a second `up`', () => {
  test('is refused clearly and leaves the first alone', async () => {
    const state = newState();
    const first = await startServer({ state });
    const second = await tryStart({ state });
    expect(await second.exited).toEqual({ code: 2, signal: null });
    expect(second.stderr).toContain(`is in use by process ${first.pid} at ${first.url}`);
    const client = new HttpClient(first.url);
    expect((await client.call({ path: '/health' })).status).toBe(200);
    client.close();
    expect(await first.stop()).toEqual({ code: 0, signal: null });
  });

  test('on another folder with the port of the first names the port', async () => {
    const first = await startServer({ state: newState() });
    const { port } = new URL(first.url);
    const second = await tryStart({ state: newState(), args: ['--port', port] });
    expect((await second.exited).code).toBe(2);
    expect(second.stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
    expect(second.stderr).toContain('--port');
    await first.stop();
  });

  test('starts after the first was killed', async () => {
    const state = newState();
    const first = await startServer({ state });
    first.kill();
    await first.exited;
    const second = await startServer({ state });
    expect((await command(state, 'status')).stdout).toContain(`"pid": ${second.pid}`);
    await second.stop();
  });
});

describe('a command', () => {
  test('finds the running server, and becomes the owner without one', async () => {
    const state = newState();
    const alone = await command(state, 'status');
    expect(alone).toMatchObject({ code: 0 });
    const server = await startServer({ state });
    const found = await command(state, 'status');
    expect(found.stdout).toContain(`"pid": ${server.pid}`);
    await server.stop();
  });

  test('waits for another one that owns the folder', async () => {
    const state = newState();
    const both = await Promise.all([command(state, 'models', 'ls'), command(state, 'events')]);
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
  });

  test('killed while it owned the folder leaves it free', async () => {
    const state = newState();
    await command(state, 'status');
    const killed = new Program(['--state', state, 'events'], {});
    const owner = path.join(state, 'owner.json');
    const isOwner = async (): Promise<boolean> =>
      (await readFile(owner, 'utf8')).includes(`"pid":${killed.pid}`) || !killed.isRunning;
    await until('the command owns the folder', isOwner);
    killed.kill();
    await killed.exited;
    const server = await startServer({ state });
    await server.stop();
  });

  test('does not take a stranger on the old port for its server', async () => {
    const state = newState();
    const stranger: HttpServer = createServer((_, reply) => reply.end('{"pid":1}'));
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    await command(state, 'status');
    const { port } = stranger.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    await writeFile(path.join(state, 'owner.json'), JSON.stringify({ url, pid: 1, epoch: 7 }));
    const found = await command(state, 'status');
    expect(found.code).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({ stateFolder: state });
    stranger.close();
  });
});

test('a folder that cannot be written is refused by name', async () => {
  const blocked = path.join(root, 'blocked');
  await writeFile(blocked, 'a file, not a folder');
  const refused = await command(path.join(blocked, 'state'), 'status');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('cannot be written');
});

test('a folder of another user is refused by name', async () => {
  // Only root can become somebody else; others meet the rule with a folder of their own.
  const isRoot = process.getuid?.() === 0;
  const state = newState();
  await command(state, 'status');
  await chmod(root, 0o755);
  await chmod(state, 0o500);
  const refused = await runCommand(['--state', state, 'status'], isRoot ? { uid: 65_534 } : {});
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('cannot be written');
  await chmod(state, 0o700);
});

test('a broken configuration file is refused with its place', async () => {
  const folder = await mkdtemp(path.join(root, 'config-'));
  await writeFile(path.join(folder, 'millwright.yaml'), 'version: 1\nserver:\n  prot: 1\n');
  const refused = await runCommand(['status'], { cwd: folder });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    'millwright.yaml:3:3: server.prot: unknown key; did you mean port?',
  );
});

test('listening beyond this machine is refused', async () => {
  const server = await tryStart({ state: newState(), args: ['--host', '0.0.0.0'] });
  expect((await server.exited).code).toBe(2);
  expect(server.stderr).toContain('without authentication');
});
