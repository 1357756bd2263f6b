import { mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { toAppError } from '../../base/errors.ts';
import { randomToken } from '../system.ts';
import { blobCorrupt, blobNotFound, digester, isDigest, limited, SLICE_BYTES } from './digest.ts';
import { NewDigests } from './new-digests.ts';
import type { Blobs, Digest, StoredBlob } from './port.ts';

/** Blobs never change: nobody, not even their owner, has a reason to write to one. */
const READ_ONLY = 0o444;

/** Content-addressed files: `<folder>/aa/bb/<digest>`, written in `<folder>/tmp` first. */
export class FsBlobs implements Blobs {
  readonly #folder: string;
  readonly #unfinished: string;
  readonly #new = new NewDigests();
  #sweeping: Promise<void> | null = null;
  /** What comes in and what goes out, one after the other: they may be the same. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly folder: string }) {
    this.#folder = path.resolve(options.folder);
    this.#unfinished = path.join(this.#folder, 'tmp');
    mkdirSync(this.#unfinished, { recursive: true });
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly maxBytes: number },
  ): Promise<StoredBlob> {
    await (this.#sweeping ??= this.#sweep());
    const unfinished = path.join(this.#unfinished, `${process.pid}-${randomToken(8)}`);
    try {
      const stored = await write(unfinished, limited(content, options.maxBytes));
      await this.#keep(unfinished, stored.digest);
      return stored;
    } catch (error) {
      await rm(unfinished, { force: true });
      if (isFull(error)) throw toAppError(error);
      throw error;
    }
  }

  async discard(digest: Digest): Promise<void> {
    if (!isDigest(digest)) return;
    await this.#inTurn(async () => {
      if (this.#new.take(digest)) await rm(this.#path(digest), { force: true });
    });
  }

  async read(digest: Digest): Promise<Uint8Array> {
    const file = await this.#open(digest);
    try {
      const content = new Uint8Array((await file.stat()).size);
      const hash = digester();
      let filled = 0;
      for await (const slice of pieces(file)) {
        hash.update(slice);
        if (filled + slice.length <= content.length) content.set(slice, filled);
        filled += slice.length;
      }
      if (hash.digest() !== digest) throw blobCorrupt(digest);
      return content;
    } finally {
      await file.close();
    }
  }

  async size(digest: Digest): Promise<number | null> {
    if (!isDigest(digest)) return null;
    try {
      return (await stat(this.#path(digest))).size;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  async localFile(digest: Digest): Promise<string> {
    const file = await this.#open(digest);
    try {
      const hash = digester();
      for await (const slice of pieces(file)) hash.update(slice);
      if (hash.digest() !== digest) throw blobCorrupt(digest);
      return this.#path(digest);
    } finally {
      await file.close();
    }
  }

  #path(digest: Digest): string {
    return path.join(this.#folder, digest.slice(0, 2), digest.slice(2, 4), digest);
  }

  async #open(digest: Digest): Promise<FileHandle> {
    if (!isDigest(digest)) throw blobNotFound(digest);
    try {
      return await open(this.#path(digest), 'r');
    } catch (error) {
      if (isAbsent(error)) throw blobNotFound(digest);
      throw error;
    }
  }

  async #keep(unfinished: string, digest: Digest): Promise<void> {
    const target = this.#path(digest);
    const folder = path.dirname(target);
    const isNewFolder = (await mkdir(folder, { recursive: true })) !== undefined;
    await this.#inTurn(async () => {
      this.#new.note(digest, (await this.size(digest)) === null);
      await rename(unfinished, target);
    });
    await syncFolder(folder);
    if (!isNewFolder) return;
    await syncFolder(path.dirname(folder));
    await syncFolder(this.#folder);
  }

  async #inTurn(action: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(action);
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  /**
   * Removes what processes that have died in the middle of a `put` left behind. It runs before the
   * first `put`: what has this process's id is of a former one, as ids in a container repeat.
   */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#unfinished)) {
      if (isAlive(Number.parseInt(name, 10))) continue;
      await rm(path.join(this.#unfinished, name), { force: true });
    }
  }
}

async function write(file: string, content: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const handle = await open(file, 'wx', READ_ONLY);
  try {
    const hash = digester();
    let sizeBytes = 0;
    for await (const slice of content) {
      hash.update(slice);
      await handle.writeFile(slice);
      sizeBytes += slice.length;
    }
    await handle.sync();
    return { digest: hash.digest(), sizeBytes };
  } finally {
    await handle.close();
  }
}

async function* pieces(file: FileHandle): AsyncGenerator<Uint8Array, void> {
  const buffer = new Uint8Array(SLICE_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, SLICE_BYTES);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isAlive(pid: number): boolean {
  if (Number.isNaN(pid) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function isFull(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT';
}
