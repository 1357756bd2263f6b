import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLmdbWriter } from '../../src/platform/kv/lmdb.ts';
import type { KvChange } from '../../src/platform/kv/port.ts';
import { SmallDisk } from './small-disk.ts';

let disk: SmallDisk;

beforeEach(() => {
  disk = new SmallDisk(8);
});

afterEach(() => {
  disk.unmount();
});

function changes(round: number): readonly KvChange[] {
  return Array.from({ length: 200 }, (_, index) => ({
    key: `${round}/${index}`,
    value: new Uint8Array(200).fill(round),
  }));
}

test('refuses writes while the disk is full, keeps nothing, and goes on after', async () => {
  const store = await openLmdbWriter(path.join(disk.folder, 'online'));
  await store.apply(changes(1));
  disk.fill();
  for (const round of [2, 3, 4]) {
    await expect(store.apply(changes(round))).rejects.toMatchObject({ code: 'DISK_FULL' });
  }
  expect(store.get('1/7')).toEqual(new Uint8Array(200).fill(1));
  expect(store.get('2/7')).toBeNull();
  disk.free();
  await store.apply(changes(5));
  expect(store.get('5/199')).toEqual(new Uint8Array(200).fill(5));
  expect(store.get('3/7')).toBeNull();
  await store.close();
});

test('refuses to be opened on a full disk', async () => {
  disk.fill();
  const folder = path.join(disk.folder, 'online');
  await expect(openLmdbWriter(folder)).rejects.toMatchObject({ code: 'DISK_FULL' });
  disk.free();
  const store = await openLmdbWriter(folder);
  await store.apply(changes(1));
  await store.close();
});
