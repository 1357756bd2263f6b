import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ids, temporaryFolder } from '../../../test/contracts/lake.ts';
import { AppendBuffer, IN_MEMORY_BYTES_MAX } from './append-buffer.ts';
import { AppendSpool } from './append-spool.ts';
import { APPEND_BYTES_MAX, PARQUET_BYTES_MAX } from './contract.ts';

async function* bytes(size: number, chunkSize = 8 * 1024 ** 2): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(chunkSize);
  for (let sent = 0; sent < size; sent += chunk.length) {
    yield await Promise.resolve(chunk.subarray(0, Math.min(chunk.length, size - sent)));
  }
}

test('a body is a file while it is needed, and no longer', async () => {
  const folder = path.join(temporaryFolder(), 'appends');
  const spool = new AppendSpool({ folder, kind: 'parquet', ids });
  const read = await spool.use(bytes(10, 3), (parquetPath) => {
    expect(path.dirname(parquetPath)).toBe(folder);
    return Promise.resolve(readFileSync(parquetPath).length);
  });
  expect(read).toBe(10);
  const failing = spool.use(bytes(10), () => Promise.reject(new Error('the engine died')));
  await expect(failing).rejects.toThrow('the engine died');
  expect(readdirSync(folder)).toEqual([]);
});

test('what a crash left is removed before the first body', async () => {
  const folder = path.join(temporaryFolder(), 'appends');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'tmp_1.parquet'), 'left over');
  const spool = new AppendSpool({ folder, kind: 'parquet', ids });
  await spool.use(bytes(1), () => Promise.resolve(expect(readdirSync(folder)).toHaveLength(1)));
});

test('a body past its limit is refused and removed', async () => {
  const folder = path.join(temporaryFolder(), 'appends');
  const spool = new AppendSpool({ folder, kind: 'parquet', ids });
  const use = spool.use(bytes(PARQUET_BYTES_MAX + 1), () => Promise.resolve());
  await expect(use).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
  expect(readdirSync(folder)).toEqual([]);
});

test('all bodies together past their limit are refused', async () => {
  const folder = path.join(temporaryFolder(), 'appends');
  const spool = new AppendSpool({ folder, kind: 'parquet', ids, limits: { each: 100, all: 250 } });
  const both = spool.use(bytes(100), () =>
    spool.use(bytes(100), () => spool.use(bytes(100), () => Promise.resolve())),
  );
  await expect(both).rejects.toMatchObject({ code: 'OVERLOADED' });
  await spool.use(bytes(100), () => Promise.resolve());
  expect(readdirSync(folder)).toEqual([]);
});

test('NDJSON is held in memory when it is short, in a file when it is long', async () => {
  const folder = path.join(temporaryFolder(), 'appends');
  const buffer = new AppendBuffer(new AppendSpool({ folder, kind: 'ndjson', ids }));
  const sizeOf = async (size: number): Promise<readonly [string, number]> =>
    buffer.use(bytes(size, 65_536), async (body) =>
      'ndjson' in body
        ? ['memory', body.ndjson.length]
        : ['file', readFileSync(body.ndjsonPath).length],
    );
  expect(await sizeOf(0)).toEqual(['memory', 0]);
  expect(await sizeOf(IN_MEMORY_BYTES_MAX)).toEqual(['memory', IN_MEMORY_BYTES_MAX]);
  expect(await sizeOf(IN_MEMORY_BYTES_MAX + 1)).toEqual(['file', IN_MEMORY_BYTES_MAX + 1]);
  expect(await sizeOf(3_000_001)).toEqual(['file', 3_000_001]);
  expect(readdirSync(folder)).toEqual([]);
  const long = buffer.use(bytes(APPEND_BYTES_MAX + 1), () => Promise.resolve());
  await expect(long).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
});
