import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { blobNotFound, digester, isDigest, limited } from './digest.ts';
import { NewDigests } from './new-digests.ts';
import type { Blobs, Digest, StoredBlob } from './port.ts';

/** Blobs that end with the process. Only `localFile` writes, into the scratch folder. */
export class MemoryBlobs implements Blobs {
  readonly #content = new Map<Digest, Uint8Array>();
  readonly #scratchFolder: string;
  readonly #new = new NewDigests();

  constructor(options: { readonly scratchFolder: string }) {
    this.#scratchFolder = options.scratchFolder;
  }

  async put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly maxBytes: number },
  ): Promise<StoredBlob> {
    const hash = digester();
    const parts: Uint8Array[] = [];
    for await (const slice of limited(content, options.maxBytes)) {
      hash.update(slice);
      parts.push(slice.slice());
    }
    const digest = hash.digest();
    const bytes = new Uint8Array(Buffer.concat(parts));
    this.#new.note(digest, !this.#content.has(digest));
    this.#content.set(digest, bytes);
    return { digest, sizeBytes: bytes.length };
  }

  discard(digest: Digest): Promise<void> {
    if (this.#new.take(digest)) this.#content.delete(digest);
    return Promise.resolve();
  }

  read(digest: Digest): Promise<Uint8Array> {
    const content = this.#content.get(digest);
    if (content === undefined) return Promise.reject(blobNotFound(digest));
    return Promise.resolve(content.slice());
  }

  size(digest: Digest): Promise<number | null> {
    return Promise.resolve(this.#content.get(digest)?.length ?? null);
  }

  async localFile(digest: Digest): Promise<string> {
    const content = await this.read(digest);
    if (!isDigest(digest)) throw blobNotFound(digest);
    const file = path.join(this.#scratchFolder, digest);
    await writeFile(file, content);
    return file;
  }
}
