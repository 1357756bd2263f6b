import { createHash } from 'node:crypto';
import { AppError } from '../../base/errors.ts';
import type { Digest } from './port.ts';

/** Bytes hashed or copied before other work gets its turn: about half a millisecond. */
export const SLICE_BYTES = 256 * 1024;

const DIGEST = /^[0-9a-f]{64}$/;

/** Guards paths: nothing but 64 hexadecimal digits ever becomes part of one. */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** SHA-256 over bytes as they pass. */
export function digester() {
  const hash = createHash('sha256');
  return {
    update: (bytes: Uint8Array) => {
      hash.update(bytes);
    },
    digest: () => hash.digest('hex') as Digest,
  };
}

/** The content in pieces that do not hold up the event loop. */
export async function* slices(
  content: Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  if (content instanceof Uint8Array) {
    for (let at = 0; at < content.length; at += SLICE_BYTES) {
      yield content.subarray(at, at + SLICE_BYTES);
    }
    return;
  }
  for await (const chunk of content) yield* slices(chunk);
}

/** Passes the content on and rejects with `BODY_TOO_LARGE` past `maxBytes`. */
export async function* limited(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let sizeBytes = 0;
  for await (const slice of slices(content)) {
    sizeBytes += slice.length;
    if (sizeBytes > maxBytes) {
      throw new AppError('BODY_TOO_LARGE', `The content has more than ${maxBytes} bytes.`, {
        hint: 'Send less, or store it outside Millwright and refer to it.',
        details: { maxBytes },
      });
    }
    yield slice;
  }
}

export function blobNotFound(digest: string): AppError {
  return new AppError('BLOB_NOT_FOUND', `There is no stored content ${digest}.`, {
    hint: 'Upload it again, or restore the artifacts folder from a backup.',
  });
}

export function blobCorrupt(digest: Digest): AppError {
  return new AppError('BLOB_CORRUPT', `The stored content ${digest} has changed on the disk.`, {
    hint: 'Check the disk, then restore this file from a backup.',
  });
}
