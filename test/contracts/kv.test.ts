import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLmdbReader, openLmdbWriter } from '../../src/platform/kv/lmdb.ts';
import { MemoryKv } from '../../src/platform/kv/memory.ts';
import type { KvChange, KvReader, KvWriter } from '../../src/platform/kv/port.ts';
import { entryFile } from '../../src/platform/system.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const all = { from: '\u0000', to: '\u{10FFFF}'.repeat(50), limit: 1000 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millwright-kv-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Store {
  readonly writer: KvWriter;
  readonly reader: KvReader;
}

async function inMemory(): Promise<Store> {
  const writer = new MemoryKv();
  return Promise.resolve({ writer, reader: writer });
}

async function onLmdb(): Promise<Store> {
  const reader = await openLmdbReader(path.join(folder, 'online'));
  return { reader, writer: await openLmdbWriter(path.join(folder, 'online')) };
}

describe('an LMDB map that leaves syncing to the system', () => {
  const place = () => path.join(folder, 'online');
  const one: KvChange = { key: 'a', value: bytes(1) };

  it('keeps what a writer left that died', async () => {
    const first = await openLmdbWriter(place(), 'boot 1');
    await first.apply([one]);
    // Not closed, as if killed: a second handle of this process sees the same file.
    const copy = path.join(folder, 'copy');
    cpSync(place(), copy, { recursive: true });
    const second = await openLmdbWriter(copy, 'boot 1');
    expect(second.get('a')).toEqual(bytes(1));
    await second.close();
    await first.close();
  });

  it.each([
    ['another start of the machine', 'boot 2'],
    ['a machine that names no starts', null],
  ])('is begun anew by %s, unless it came to rest', async (_name, boot) => {
    const first = await openLmdbWriter(place(), 'boot 1');
    await first.apply([one]);
    const open = path.join(folder, 'open');
    cpSync(place(), open, { recursive: true });
    const afterLoss = await openLmdbWriter(open, boot);
    expect(afterLoss.get('a')).toBeNull();
    await afterLoss.close();
    await first.rest();
    await expect(first.apply([one])).rejects.toMatchObject({ code: 'STOPPING' });
    const rested = path.join(folder, 'rested');
    cpSync(place(), rested, { recursive: true });
    const afterRest = await openLmdbWriter(rested, boot);
    expect(afterRest.get('a')).toEqual(bytes(1));
    await afterRest.close();
    await first.close();
  });
});

describe.each([
  ['in memory', inMemory],
  ['on LMDB', onLmdb],
])('a key-value store %s', (_name, open) => {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await store.reader.close();
    await store.writer.close();
  });

  it('behaves as a sorted map of bytes, for its writer and its readers', async () => {
    const key = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .filter((text) => text.isWellFormed());
    const value = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
    const batches = fc.array(fc.array(fc.record({ key, value }), { maxLength: 8 }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(batches, key, key, async (changes, from, to) => {
        await store.writer.apply(
          store.writer.range(all).map((entry) => ({ key: entry.key, value: null })),
        );
        const model = new Map<string, Uint8Array>();
        for (const batch of changes) {
          await store.writer.apply(batch);
          for (const change of batch) changeModel(model, change);
        }
        const sorted = [...model].sort(([a], [b]) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
        for (const view of [store.writer, store.reader]) {
          expect(entries(view.range(all))).toEqual(sorted);
          for (const [name, content] of sorted) {
            expect(view.get(name)).toEqual(content);
            expect(view.peek(name)).toEqual(content);
          }
          const inside = sorted.filter(([name]) => isAtLeast(name, from) && !isAtLeast(name, to));
          expect(entries(view.range({ from, to, limit: 2 }))).toEqual(inside.slice(0, 2));
          const visited: (readonly [string, Uint8Array])[] = [];
          const end = view.scan({ from, to, limit: 2 }, (content, name) => {
            visited.push([name(), Uint8Array.from(content)]);
          });
          expect(visited).toEqual(inside.slice(0, 2));
          expect(end).toEqual({ visited: visited.length, last: visited.at(-1)?.[0] ?? null });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('shows readers a change as soon as it was applied', async () => {
    for (let n = 0; n < 200; n += 1) {
      await store.writer.apply([{ key: 'count', value: bytes(n) }]);
      expect(store.reader.get('count')).toEqual(bytes(n));
    }
  });

  it('knows nothing of keys that are not there', async () => {
    await store.writer.apply([{ key: 'a', value: bytes(1) }]);
    expect(store.reader.get('b')).toBeNull();
    expect(store.reader.peek('b')).toBeNull();
    await store.writer.apply([{ key: 'a', value: null }]);
    expect(store.reader.get('a')).toBeNull();
    expect(store.reader.range(all)).toEqual([]);
  });

  it('gives copies that stay as they are', async () => {
    const mine = bytes(1, 2, 3);
    await store.writer.apply([{ key: 'a', value: mine }]);
    mine.fill(0);
    const read = store.reader.get('a');
    await store.writer.apply([{ key: 'a', value: bytes(9, 9, 9) }]);
    store.reader.get('a')?.fill(7);
    store.reader.range(all)[0]?.value.fill(7);
    expect(read).toEqual(bytes(1, 2, 3));
    expect(store.reader.get('a')).toEqual(bytes(9, 9, 9));
  });

  it('holds values of megabytes and keys of 511 bytes, and refuses longer keys', async () => {
    const large = new Uint8Array(3_000_000).fill(5);
    const key = 'é'.repeat(255);
    await store.writer.apply([{ key, value: large }]);
    expect(Buffer.from(store.reader.get(key) ?? []).equals(large)).toBe(true);
    expect(Buffer.from(store.reader.peek(key) ?? []).equals(large)).toBe(true);
    const tooLong = store.writer.apply([
      { key: 'kept?', value: bytes(1) },
      { key: `${key}é`, value: bytes(1) },
    ]);
    await expect(tooLong).rejects.toThrow('511 bytes');
    expect(store.reader.get('kept?')).toBeNull();
    expect(() => store.reader.get('')).toThrow('1 to 511');
  });
});

describe('LMDB between processes', () => {
  it('is empty until its writer has created it, then shows what that process writes', async () => {
    const online = path.join(folder, 'online');
    const reader = await openLmdbReader(online);
    expect([reader.get('count'), reader.range(all)]).toEqual([null, []]);
    const program = entryFile(import.meta.url, './kv-process');
    const child = spawn(process.execPath, [program, online], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let told = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      told = Number(line);
      const seen = reader.get('count');
      expect(new DataView((seen ?? bytes()).buffer).getUint32(0)).toBeGreaterThanOrEqual(told);
      // Both keys change together: a reader never sees one without the other.
      expect(reader.range({ from: 'twin-', to: 'twin.', limit: 9 }).map((e) => e.value)).toEqual([
        seen,
        seen,
      ]);
      if (told === 300) child.kill('SIGKILL');
    }
    await exited;
    expect(told).toBeGreaterThanOrEqual(300);
    await reader.close();
    const next = await openLmdbWriter(online);
    expect(next.get('twin-a')).toEqual(next.get('twin-b'));
    await next.apply([{ key: 'count', value: bytes(1) }]);
    expect(next.get('count')).toEqual(bytes(1));
    await next.close();
  });
});

describe('an LMDB file that is none any more', () => {
  it.each([
    ['overwritten', (file: Buffer) => file.fill(7)],
    ['without its beginning', (file: Buffer) => file.fill(0, 0, 8192)],
    ['cut short', (file: Buffer) => file.subarray(0, 5000)],
    ['cut to its first pages', (file: Buffer) => file.subarray(0, 8192)],
  ])('is empty to readers and made anew by its writer: %s', async (_name, damage) => {
    const online = path.join(folder, 'online');
    const program = entryFile(import.meta.url, './kv-process');
    const child = spawn(process.execPath, [program, online], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      if (Number(line) === 50) child.kill('SIGKILL');
    }
    const file = path.join(online, 'data.mdb');
    writeFileSync(file, damage(readFileSync(file)));
    const reader = await openLmdbReader(online);
    expect(reader.get('count')).toBeNull();
    const writer = await openLmdbWriter(online);
    expect(writer.get('count')).toBeNull();
    await writer.apply([{ key: 'count', value: bytes(1) }]);
    expect(writer.get('count')).toEqual(bytes(1));
    expect(reader.get('count')).toEqual(bytes(1));
    await reader.close();
    await writer.close();
  });
});

function changeModel(model: Map<string, Uint8Array>, { key, value }: KvChange): void {
  if (value === null) model.delete(key);
  else model.set(key, value);
}

function entries(found: readonly { readonly key: string; readonly value: Uint8Array }[]) {
  return found.map(({ key, value }) => [key, Uint8Array.from(value)]);
}

function isAtLeast(key: string, bound: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(bound)) >= 0;
}
