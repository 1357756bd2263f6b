import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep, systemClock } from '../../platform/system.ts';
import { FileHashes } from './file-hashes.ts';
import { ObjectCache } from './object-cache.ts';

let folder: string;
const { signal } = new AbortController();

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-cache-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a file that changes while it is read has no hash', async () => {
  const file = path.join(folder, 'big');
  writeFileSync(file, '');
  truncateSync(file, 64 * 1024 * 1024);
  const hashed = new FileHashes(systemClock).hash(file, signal);
  const refused = expect(hashed).rejects.toThrow('changed while it was read');
  await sleep(20);
  appendFileSync(file, 'more');
  await refused;
});

test('a file that changed after it was hashed is not kept under that hash', async () => {
  const file = path.join(folder, 'out');
  writeFileSync(file, 'after!');
  const md5 = createHash('md5').update('before').digest('hex');
  const locked = { path: 'out', md5, size: 6 };
  const hashed = { relpath: '', md5, sha256: '', size: 6, isExecutable: false };
  const cache = new ObjectCache(folder);
  const added = cache.add(file, { locked, files: [hashed], directory: null }, 'a');
  await expect(added).rejects.toMatchObject({ code: 'STAGE_FAILED' });
  expect(await cache.has(locked)).toBe(false);
  expect(readdirSync(path.join(folder, 'files', 'md5', md5.slice(0, 2)))).toEqual([]);
});
