import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { diagnoseNode } from '../../src/app/doctor/diagnose-machine.ts';
import type { Diagnosis } from '../../src/app/doctor/diagnosis.ts';
import { tryLockFile } from '../../src/platform/state/file-lock.ts';
import { systemClock } from '../../src/platform/system.ts';
import { killAll, runCommand, startServer } from '../faults/server-process.ts';

/** `millwright doctor` on machines and workspaces that have something. */

// Several programs are started one after the other, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let state: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millwright-doctor-'));
  state = path.join(folder, '.millwright');
});

afterEach(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

function put(name: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), text);
}

async function examined(env: Readonly<Record<string, string>> = {}) {
  const { code, stdout } = await runCommand(['doctor', '--json'], {
    cwd: folder,
    env: { MILLWRIGHT_PORT: '0', ...env },
  });
  const { diagnoses } = JSON.parse(stdout) as { readonly diagnoses: readonly Diagnosis[] };
  return { code, of: (name: string) => diagnoses.find((one) => one.name === name), diagnoses };
}

test('finds nothing that must be mended in an empty folder, and leaves it empty', async () => {
  const { code, diagnoses, of } = await examined();
  expect(diagnoses.filter(({ state: of1 }) => of1 === 'fail')).toEqual([]);
  expect(code).toBe(0);
  expect(of('state folder')).toMatchObject({
    state: 'warn',
    cure: 'Make one with: millwright init',
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('a Node that is too old is named with what to install', () => {
  expect(diagnoseNode('v20.19.1')).toMatchObject({ state: 'fail', found: 'v20.19.1' });
  expect(diagnoseNode('v26.0.0').state).toBe('ok');
});

test('stages without a Python fail, and a folder without stages only warns', async () => {
  expect((await examined({ PATH: folder })).of('python')?.state).toBe('warn');
  put('dvc.yaml', 'stages:\n  train: { cmd: python train.py }\n');
  const { code, of } = await examined({ PATH: folder });
  expect(of('python')).toMatchObject({ state: 'fail', found: 'no python3 on the PATH' });
  expect(code).toBe(1);
});

test('a port that is taken is told with another way', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const { code, of } = await examined({ MILLWRIGHT_PORT: String(port) });
  server.close();
  expect(of('port')).toMatchObject({ state: 'fail', found: expect.stringContaining('EADDRINUSE') });
  expect(code).toBe(1);
});

test('a file with a mistake is named with line and column', async () => {
  put('millwright.yaml', 'version: 1\nendpoints:\n  late: { modle: late }\n');
  const found = await examined();
  expect(found.code).toBe(1);
  expect(found.of('millwright.yaml')?.found).toMatch(
    /^millwright.yaml:3:3: endpoints.late: .*modle/,
  );
  put('millwright.yaml', 'version: 1\nserver: { prot: 1 }\n');
  expect((await examined()).of('millwright.yaml')?.found).toContain('did you mean port?');
});

test('a folder that a later version wrote, or that somebody hanging holds, is told', async () => {
  put('.millwright/format.json', '{"format":99,"createdBy":"9.0.0"}');
  put('.millwright/owner.json', '{"url":"http://127.0.0.1:1/","pid":4711,"epoch":3}');
  const lock = tryLockFile(path.join(state, 'owner.lock'));
  const { code, of } = await examined();
  lock!.release();
  expect(code).toBe(1);
  expect(of('state folder')).toMatchObject({
    state: 'fail',
    found: expect.stringContaining('layout 99'),
  });
  expect(of('owner')).toMatchObject({ state: 'fail', cure: expect.stringContaining('kill 4711') });
  const after = await examined();
  expect(after.of('owner')?.found).toContain('process 4711 ended without a goodbye');
});

test('a machine whose clock was set back is told', async () => {
  put('.millwright/owner.json', '{"url":null,"pid":1,"epoch":1}');
  const ahead = systemClock.wall() / 1_000_000 + 7200;
  utimesSync(path.join(state, 'owner.json'), ahead, ahead);
  const { of } = await examined();
  expect(of('clock')?.found).toMatch(/^something was written 7[12]\d\d s later than now$/);
});

test('asks the server that runs for its engine and its journal', async () => {
  await startServer({ state, cwd: folder });
  const { code, of, diagnoses } = await examined();
  expect(code, JSON.stringify(diagnoses)).toBe(0);
  expect(of('engine')).toMatchObject({ state: 'ok', found: expect.stringContaining('0 restarts') });
  expect(of('journal')?.state).toBe('ok');
  expect(of('owner')?.found).toMatch(/^process \d+, at http:/);
  expect(of('port')).toBeUndefined();
});
