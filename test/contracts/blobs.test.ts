import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FsBlobs } from '../../src/platform/blobs/fs.ts';
import { MemoryBlobs } from '../../src/platform/blobs/memory.ts';
import type { Blobs, Digest } from '../../src/platform/blobs/port.ts';

const MAX = { maxBytes: 4 * 1024 * 1024 };
const bytes = (text: string) => new TextEncoder().encode(text);
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'millwright-blobs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function* chunks(...parts: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    await Promise.resolve();
    if (part instanceof Error) throw part;
    yield part;
  }
}

describe.each([
  ['in files', () => new FsBlobs({ folder })],
  ['in memory', () => new MemoryBlobs({ scratchFolder: folder })],
] satisfies [string, () => Blobs][])('blobs %s', (_name, create) => {
  it('returns what was stored, by its SHA-256, however it was cut', async () => {
    const blobs = create();
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(parts, async (cut) => {
        const whole = new Uint8Array(Buffer.concat(cut));
        const stored = await blobs.put(chunks(...cut), MAX);
        expect(stored).toEqual({ digest: sha256(whole), sizeBytes: whole.length });
        expect(await blobs.put(whole, MAX)).toEqual(stored);
        expect(await blobs.read(stored.digest)).toEqual(whole);
        expect(await blobs.size(stored.digest)).toBe(whole.length);
      }),
      { numRuns: 25 },
    );
  });

  it('discards what one put has brought, and nothing else', async () => {
    const blobs = create();
    const once = await blobs.put(bytes('once'), MAX);
    await blobs.discard(once.digest);
    expect(await blobs.size(once.digest)).toBeNull();
    await blobs.discard(once.digest);

    const twice = await blobs.put(bytes('twice'), MAX);
    await blobs.put(bytes('twice'), MAX);
    await blobs.discard(twice.digest);
    expect(await blobs.size(twice.digest)).toBe(5);

    const again = await blobs.put(bytes('once'), MAX);
    await Promise.all([blobs.discard(again.digest), blobs.put(bytes('once'), MAX)]);
    expect(await blobs.size(again.digest)).toBe(4);
  });

  it('stores content of many slices', async () => {
    const blobs = create();
    const large = new Uint8Array(1_500_000).map((_, index) => index % 251);
    const { digest } = await blobs.put(large, MAX);
    expect(digest).toBe(sha256(large));
    expect(Buffer.from(await blobs.read(digest)).equals(large)).toBe(true);
  });

  it('gives libraries a file with the content', async () => {
    const blobs = create();
    const { digest } = await blobs.put(bytes('model'), MAX);
    expect(readFileSync(await blobs.localFile(digest), 'utf8')).toBe('model');
  });

  it('refuses content past the limit, at the limit takes it', async () => {
    const blobs = create();
    const parts = [bytes('1234'), bytes('5678')];
    await expect(blobs.put(chunks(...parts), { maxBytes: 7 })).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
    });
    expect(await blobs.put(chunks(...parts), { maxBytes: 8 })).toMatchObject({ sizeBytes: 8 });
  });

  it('knows nothing of content that was not stored, or is no digest', async () => {
    const blobs = create();
    for (const digest of ['0'.repeat(64), '../../etc/passwd', '', 'A'.repeat(64)] as Digest[]) {
      expect(await blobs.size(digest)).toBeNull();
      await expect(blobs.read(digest)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
      await expect(blobs.localFile(digest)).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
    }
  });

  it('does not share memory with its callers', async () => {
    const blobs = create();
    const mine = bytes('mine');
    const { digest } = await blobs.put(mine, MAX);
    mine.fill(0);
    (await blobs.read(digest)).fill(0);
    expect(await blobs.read(digest)).toEqual(bytes('mine'));
  });
});

describe('blobs in files', () => {
  const files = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);

  it('keeps a read-only file under two levels of folders', async () => {
    const { digest } = await new FsBlobs({ folder }).put(bytes('x'), MAX);
    const file = path.join(folder, digest.slice(0, 2), digest.slice(2, 4), digest);
    expect(statSync(file).mode & 0o777).toBe(0o444);
    expect(files()).toEqual([digest]);
  });

  it.each([
    ['the source fails', new Error('connection lost'), 'connection lost'],
    ['the disk is full', Object.assign(new Error('no space'), { code: 'ENOSPC' }), 'disk'],
  ])('leaves nothing behind when %s', async (_name, error, message) => {
    const blobs = new FsBlobs({ folder });
    const put = blobs.put(chunks(bytes('half'), error), MAX);
    await expect(put).rejects.toThrow(message);
    await expect(blobs.put(bytes('too large'), { maxBytes: 1 })).rejects.toThrow('more than');
    expect(files()).toEqual([]);
  });

  it('reports a full disk and leaves nothing of what did not fit', async ({ skip }) => {
    const disk = ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder];
    skip(spawnSync('mount', disk).status !== 0, 'only root may mount a small disk');
    try {
      const blobs = new FsBlobs({ folder });
      await expect(blobs.put(new Uint8Array(1024 * 1024), MAX)).rejects.toMatchObject({
        code: 'DISK_FULL',
      });
      expect(files()).toEqual([]);
      await blobs.put(bytes('fits'), MAX);
    } finally {
      spawnSync('umount', [folder]);
    }
  });

  it('removes what a process that died left unfinished, and nothing of a living one', async () => {
    const blobs = new FsBlobs({ folder });
    const dead = path.join(folder, 'tmp', '999999999-aa');
    const sameId = path.join(folder, 'tmp', `${process.pid}-aa`);
    const alive = path.join(folder, 'tmp', `${process.ppid}-aa`);
    for (const file of [dead, sameId, alive]) writeFileSync(file, 'half');
    await blobs.put(bytes('x'), MAX);
    expect([dead, sameId, alive].map((file) => existsSync(file))).toEqual([false, false, true]);
  });

  it('notices content that changed on the disk', async () => {
    const blobs = new FsBlobs({ folder });
    const { digest } = await blobs.put(bytes('right'), MAX);
    const file = await blobs.localFile(digest);
    chmodSync(file, 0o644);
    writeFileSync(file, 'wrong');
    await expect(blobs.read(digest)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    await expect(blobs.localFile(digest)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
  });
});
