import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PythonEnvironments } from '../../src/platform/exec/python-environments.ts';
import { processEnv, sleep } from '../../src/platform/system.ts';
import { python } from './python.ts';

/** Environments made by the real Python, from a wheel that is on this disk. */

let root: string;
let wheel: string;
let count = 0;

const WHEEL = `
import sys, zipfile
name = sys.argv[1] + '/tiny_tool-1.0-py3-none-any.whl'
info = 'tiny_tool-1.0.dist-info/'
with zipfile.ZipFile(name, 'w') as z:
    z.writestr('tiny_tool.py', 'def main():\\n    import sys\\n    print("tiny", sys.prefix)\\n')
    z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny-tool\\nVersion: 1.0\\n')
    z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr(info + 'entry_points.txt', '[console_scripts]\\ntiny-tool = tiny_tool:main\\n')
    z.writestr(info + 'RECORD', '')
print(name)
`;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'mw-environments-'));
  wheel = (await python(WHEEL, { args: [root] })).trim();
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

let folder: string;

beforeEach(() => {
  count += 1;
  folder = path.join(root, `environments-${count}`);
});

function open(): PythonEnvironments {
  return new PythonEnvironments({ folder, env: processEnv });
}

function lockOf(text: string, interpreter = processEnv['PYTHON'] ?? 'python3') {
  const requirements = path.join(root, `requirements-${count}.lock`);
  writeFileSync(requirements, text);
  return { requirements, interpreter, sha256: createHash('sha256').update(text).digest('hex') };
}

function tinyLock(hash = createHash('sha256').update(readFileSync(wheel)).digest('hex')) {
  return lockOf(`--no-index\n--find-links ${root}\ntiny-tool==1.0 --hash=sha256:${hash}\n`);
}

const quiet = { says: () => undefined, signal: new AbortController().signal };

function names(): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

describe('an environment', () => {
  test('has what the lock says, under its final name', async () => {
    const said: string[] = [];
    const environments = open();
    const lock = tinyLock();
    await environments.ensure(lock, { ...quiet, says: (line) => void said.push(line) });
    const made = environments.folderOf(lock);
    expect(execFileSync(path.join(made, 'bin', 'tiny-tool'), { encoding: 'utf8' })).toBe(
      `tiny ${made}\n`,
    );
    expect(names()).toEqual([path.basename(made)]);
    expect(said.length).toBeGreaterThan(0);
  }, 60_000);

  test('is made once, whoever asks meanwhile or later', async () => {
    const environments = open();
    const lock = tinyLock();
    await Promise.all([environments.ensure(lock, quiet), environments.ensure(lock, quiet)]);
    const made = environments.folderOf(lock);
    writeFileSync(path.join(made, 'mark'), '');
    await environments.ensure(lock, quiet);
    const later = open();
    await later.ensure(lock, quiet);
    expect(later.folderOf(lock)).toBe(made);
    expect(existsSync(path.join(made, 'mark'))).toBe(true);
  }, 60_000);

  test('that is broken off leaves nothing that counts', async () => {
    const stop = new AbortController();
    const building = open().ensure(tinyLock(), { ...quiet, signal: stop.signal });
    building.catch(() => undefined);
    while (names().length === 0) await sleep(5);
    stop.abort();
    await expect(building).rejects.toMatchObject({ code: 'STOPPING' });
    expect(names()).toEqual([]);
    const environments = open();
    await environments.ensure(tinyLock(), quiet);
    expect(names().length).toBe(1);
  }, 60_000);
});

describe('refused is', () => {
  test('a package whose file is not what was locked, by line', async () => {
    const failed = open().ensure(tinyLock('0'.repeat(64)), quiet);
    await expect(failed).rejects.toMatchObject({ code: 'ENVIRONMENT_FAILED' });
    await expect(failed).rejects.toThrow(/requirements-\d+\.lock:3: tiny-tool==1\.0 could not be/);
    expect(names()).toEqual([]);
  }, 60_000);

  test('a package that does not exist, by line', async () => {
    const hash = `--hash=sha256:${'0'.repeat(64)}`;
    const lock = lockOf(`--no-index\n--find-links ${root}\n\ntiny-tool==9.9 ${hash}\n`);
    await expect(open().ensure(lock, quiet)).rejects.toThrow(':4: tiny-tool==9.9 could not be');
    expect(names()).toEqual([]);
  }, 60_000);

  test('a lock without hashes, before anything is made', async () => {
    const lock = lockOf('tiny-tool==1.0\n');
    await expect(open().ensure(lock, quiet)).rejects.toThrow(':1: tiny-tool==1.0 has no hash');
    expect(names()).toEqual([]);
  });

  test('a machine without Python', async () => {
    const lock = lockOf('', 'python-that-is-not-here');
    const failed = open().ensure(lock, quiet);
    await expect(failed).rejects.toThrow('There is no Python here');
    await expect(failed).rejects.toMatchObject({ code: 'ENVIRONMENT_FAILED' });
  });
});
