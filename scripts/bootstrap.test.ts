import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processEnv } from '../src/platform/system.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const LOCK = '{ "packages": { "a": { "version": "1.0.0", "libc": ["glibc"] } } }';

let root = '';

/** A clone with a program of ours in npm's place and a script that tells what it was given. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  mkdirSync(join(root, 'scripts'));
  for (const name of ['bootstrap.mjs', 'hand-over.mjs', 'progress.mjs']) {
    copyFileSync(join(HERE, name), join(root, 'scripts', name));
  }
  write('package.json', '{}');
  write('package-lock.json', LOCK);
  write('.npmrc', '');
  write('scripts/test.ts', `console.log('given', ...process.argv.slice(2)); process.exit(3);`);
  npmDoes(INSTALL);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const INSTALL = `
  const fs = require('node:fs');
  fs.mkdirSync('node_modules/node/bin', { recursive: true });
  fs.rmSync('node_modules/node/bin/node', { force: true });
  fs.symlinkSync(process.execPath, 'node_modules/node/bin/node');
  fs.appendFileSync('npm-runs', process.argv.slice(2).join(' ') + '\\n');`;

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function npmDoes(script: string): void {
  write('npm.cjs.js', script);
}

function start(...args: readonly string[]) {
  const { npm_node_execpath: _, ...env } = processEnv;
  return spawn(process.execPath, [join(root, 'scripts', 'bootstrap.mjs'), ...args], {
    env: { ...env, npm_execpath: join(root, 'npm.cjs.js') },
  });
}

async function bootstrap(...args: readonly string[]) {
  const child = start(...args);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, output };
}

test('installs, then runs the script with its arguments and ends with its status', async () => {
  const { code, output } = await bootstrap('test', 'one', '--two');
  expect([code, output]).toEqual([3, expect.stringContaining('given one --two')]);
  expect(read('npm-runs')).toContain('install --include=dev');
});

test('installs once, and again when what is to be installed changed', async () => {
  await bootstrap('test');
  await bootstrap('test');
  expect(read('npm-runs').split('\n')).toHaveLength(2);
  write('package.json', '{ "dependencies": {} }');
  await bootstrap('test');
  expect(read('npm-runs').split('\n')).toHaveLength(3);
});

test('repeats an install that did not finish', async () => {
  npmDoes(`${INSTALL} process.exit(1);`);
  expect((await bootstrap('test')).code).toBe(1);
  npmDoes(INSTALL);
  expect((await bootstrap('test')).code).toBe(3);
});

test('refuses an install that changes the lock, each time, and puts the lock back', async () => {
  npmDoes(`${INSTALL} fs.writeFileSync('package-lock.json', '{}');`);
  for (const time of ['first', 'second']) {
    const { code, output } = await bootstrap('test');
    expect([time, code, output]).toEqual([time, 1, expect.stringContaining('package-lock.json')]);
    expect(output).not.toContain('given');
  }
  expect(read('package-lock.json')).toBe(LOCK);
});

test('accepts that an older npm leaves out what it does not know, and keeps the lock', async () => {
  const shorter = JSON.stringify({ packages: { a: { version: '1.0.0' } } });
  npmDoes(`${INSTALL} fs.writeFileSync('package-lock.json', '${shorter}');`);
  expect((await bootstrap('test')).code).toBe(3);
  expect(read('package-lock.json')).toBe(LOCK);
});

test.each([
  ['another system', { optional: true, os: ['beos'] }, 3],
  ['this system', { optional: true, os: [process.platform], cpu: [process.arch] }, 1],
  ['any system', { optional: true }, 1],
])('judges a build for %s that only some registries have', async (_name, entry, code) => {
  const packages = { a: { version: '1.0.0' }, b: { version: '1.0.0', ...entry } };
  npmDoes(`${INSTALL} fs.writeFileSync('package-lock.json', '${JSON.stringify({ packages })}');`);
  expect((await bootstrap('test')).code).toBe(code);
  expect(read('package-lock.json')).toBe(LOCK);
});

test('says what to check when the registry does not answer', async () => {
  npmDoes(`console.error('npm error code ENOTFOUND'); process.exit(1);`);
  const { code, output } = await bootstrap('test');
  expect([code, output]).toEqual([1, expect.stringContaining('npm config get registry')]);
});

test('passes a signal on, and ends by it', async () => {
  write('scripts/test.ts', `console.log('up'); setInterval(() => undefined, 1000);`);
  const child = start('test');
  await new Promise<void>((resolve) => {
    child.stdout.on('data', () => resolve());
  });
  child.kill('SIGTERM');
  const signal = await new Promise((resolve) => {
    child.on('close', (_code, by) => resolve(by));
  });
  expect(signal).toBe('SIGTERM');
});
