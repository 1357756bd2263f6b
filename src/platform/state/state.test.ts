import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isOwned, readOwner, takeOwnerLock } from './owner-lock.ts';
import { openFormat, STATE_FORMAT, stateFolder } from './state-folder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mw-state-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

describe('the owner lock', () => {
  test('is held by one, who is named to the other', () => {
    const lock = takeOwnerLock(root);
    lock.announce('http://127.0.0.1:7070');
    expect(() => takeOwnerLock(root)).toThrow(
      `${root} is in use by process ${process.pid} at http://127.0.0.1:7070.`,
    );
    lock.release();
  });

  test('counts its holders and forgets their address', () => {
    const first = takeOwnerLock(root);
    first.announce('http://127.0.0.1:1');
    first.release();
    expect(readOwner(root)).toEqual({ url: null, pid: process.pid, epoch: 1 });
    const second = takeOwnerLock(root);
    expect(second.epoch).toBe(2);
    second.release();
  });

  test('can be looked for without being taken', () => {
    expect(isOwned(root)).toBe(false);
    const lock = takeOwnerLock(root);
    expect(isOwned(root)).toBe(true);
    expect(isOwned(root)).toBe(true);
    lock.release();
    expect(isOwned(root)).toBe(false);
    takeOwnerLock(root).release();
  });

  test('says so when the folder cannot be written', async () => {
    const file = path.join(root, 'file');
    await writeFile(file, '');
    expect(() => takeOwnerLock(path.join(file, 'inside'))).toThrow('cannot be written');
  });

  test('makes the folders on the way, and says so where none can be made', () => {
    const deep = path.join(root, 'a', 'b', 'c');
    takeOwnerLock(deep).release();
    expect(readOwner(deep)?.epoch).toBe(1);
    expect(() => takeOwnerLock('/proc/nowhere/state')).toThrow('cannot be written (ENOENT)');
  });
});

describe('the layout of a state folder', () => {
  const backups: string[] = [];
  const migrated: number[] = [];

  function open(migrations = [{ from: 0, migrate: async () => void migrated.push(0) }]) {
    return openFormat({
      folder: stateFolder(root),
      programVersion: '9.9.9',
      migrations,
      backup: async () => void backups.push('made'),
    });
  }

  async function written(): Promise<unknown> {
    return JSON.parse(await readFile(path.join(root, 'format.json'), 'utf8'));
  }

  beforeEach(() => {
    backups.length = 0;
    migrated.length = 0;
  });

  test('is written into a new folder', async () => {
    await open();
    expect(await written()).toEqual({ format: STATE_FORMAT, createdBy: '9.9.9' });
    expect(backups).toEqual([]);
  });

  test('that is newer is refused and left alone', async () => {
    const newer = '{"format":99,"createdBy":"10.0.0"}';
    await writeFile(path.join(root, 'format.json'), newer);
    await expect(open()).rejects.toMatchObject({ code: 'STATE_NEWER' });
    expect(await readFile(path.join(root, 'format.json'), 'utf8')).toBe(newer);
  });

  test('that is older is migrated after a backup', async () => {
    await writeFile(path.join(root, 'format.json'), '{"format":0,"createdBy":"0.0.1"}');
    await open();
    expect({ backups, migrated }).toEqual({ backups: ['made'], migrated: [0] });
    expect(await written()).toEqual({ format: 1, createdBy: '0.0.1' });
  });

  test('without a way from there is refused before anything is copied', async () => {
    await writeFile(path.join(root, 'format.json'), '{"format":0,"createdBy":"0.0.1"}');
    await expect(open([])).rejects.toMatchObject({ code: 'STATE_OLDER' });
    expect(backups).toEqual([]);
  });

  test('that is damaged is not guessed at', async () => {
    await mkdir(root, { recursive: true });
    await writeFile(path.join(root, 'format.json'), 'x');
    await expect(open()).rejects.toThrow('not a format file');
  });
});
