import { AssertionFailure } from '../../base/assert.ts';

/** The key limit of every engine we may ever use: LMDB's own default. */
export const KEY_BYTES_MAX = 511;

/**
 * A key as the bytes that order it. Written without `assert`, whose message costs on every read.
 */
export function keyBytes(key: string): Uint8Array {
  const bytes = Buffer.from(key, 'utf8');
  if (bytes.length === 0 || bytes.length > KEY_BYTES_MAX) {
    throw new AssertionFailure(`a key has 1 to ${KEY_BYTES_MAX} bytes, not ${bytes.length}`);
  }
  if (!key.isWellFormed()) throw new AssertionFailure('a key is well-formed Unicode');
  return bytes;
}
