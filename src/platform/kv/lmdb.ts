import { mkdir, rm, statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { AppError } from '../../base/errors.ts';
import { keyBytes } from './kv-key.ts';
import { DATA_FILE, LOCK_FILE, lmdbFileState } from './lmdb-file.ts';
import type { KvChange, KvReader, KvWriter } from './port.ts';

type Map = RootDatabase<Uint8Array, Uint8Array>;

/** Room that opening needs, and some more: a map's first pages and its table of readers. */
const FREE_BYTES_MIN = 1024 * 1024;

/**
 * Opens the map for the one process that writes it, creating it when missing, and anew when it is
 * no map any more. Rejects with `DISK_FULL` before lmdb maps a file that has no blocks yet:
 * touching it would kill the process.
 */
export async function openLmdbWriter(folder: string): Promise<KvWriter> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FREE_BYTES_MIN) throw diskFull();
  if (lmdbFileState(folder) === 'damaged') {
    // Everything in it can be rebuilt, and lmdb would end the process.
    for (const name of [DATA_FILE, LOCK_FILE]) await rm(path.join(folder, name), { force: true });
  }
  return new LmdbWriter(folder);
}

/**
 * Opens the map for reading; it may not exist yet, and is empty until it does. Within one process
 * lmdb has one handle for a map, so a reader beside a writer is opened (first read) after it.
 */
export function openLmdbReader(folder: string): Promise<KvReader> {
  return Promise.resolve(
    new LmdbReader(() => (lmdbFileState(folder) === 'whole' ? openMap(folder, true) : null)),
  );
}

class LmdbReader implements KvReader {
  readonly #open: () => Map | null;
  #map: Map | null = null;
  #isFresh = false;

  constructor(open: () => Map | null) {
    this.#open = open;
  }

  get(key: string): Uint8Array | null {
    const value = this.#snapshot()?.getBinary(keyBytes(key));
    return value === undefined ? null : plain(value);
  }

  peek(key: string): Uint8Array | null {
    // The buffer that all reads of the process share; its `length` is that of this value.
    const value = this.#snapshot()?.getBinaryFast(keyBytes(key));
    return value === undefined ? null : plain(value);
  }

  range(bounds: { readonly from: string; readonly to: string; readonly limit: number }): {
    readonly key: string;
    readonly value: Uint8Array;
  }[] {
    const [start, end] = [keyBytes(bounds.from), keyBytes(bounds.to)];
    if (Buffer.compare(start, end) >= 0) return [];
    const found = this.#snapshot()?.getRange({ start, end, limit: bounds.limit }) ?? [];
    return Array.from(found, ({ key, value }) => ({
      key: Buffer.from(key).toString('utf8'),
      value: plain(value).slice(),
    }));
  }

  async close(): Promise<void> {
    const map = this.#map;
    this.#map = null;
    await map?.close();
  }

  /**
   * lmdb keeps one snapshot for about a millisecond, so that a message saying "written" could
   * arrive before what was written is seen. Here a snapshot lasts for one uninterrupted stretch of
   * code.
   */
  #snapshot(): Map | null {
    this.#map ??= this.#open();
    if (this.#map === null || this.#isFresh) return this.#map;
    this.#map.resetReadTxn();
    this.#isFresh = true;
    queueMicrotask(() => {
      this.#isFresh = false;
    });
    return this.#map;
  }
}

class LmdbWriter extends LmdbReader implements KvWriter {
  readonly #writable: Map;

  constructor(folder: string) {
    const map = openMap(folder, false);
    super(() => map);
    this.#writable = map;
  }

  async apply(changes: readonly KvChange[]): Promise<void> {
    const keyed = changes.map(({ key, value }) => ({ key: keyBytes(key), value }));
    try {
      // Synchronous: of lmdb's asynchronous commits a failed one also rejects promises that nobody
      // can reach, and one under way keeps the process from ending.
      this.#writable.transactionSync(() => {
        for (const { key, value } of keyed) {
          if (value === null) this.#writable.removeSync(key);
          else this.#writable.putSync(key, value);
        }
      });
    } catch (thrown) {
      const isFull = (thrown as { code?: unknown }).code === constants.errno.ENOSPC;
      throw isFull ? diskFull(thrown) : thrown;
    }
  }

  override async close(): Promise<void> {
    await this.#writable.close();
  }
}

function openMap(folder: string, readOnly: boolean): Map {
  return open<Uint8Array, Uint8Array>({
    path: folder,
    readOnly,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
}

function diskFull(cause?: unknown): AppError {
  return new AppError('DISK_FULL', 'The disk that holds the online store is full.', {
    hint: 'Free some space; what is missing is written again.',
    cause,
  });
}

/** The bytes of a `Buffer` that lmdb made for us, without its type. */
function plain(value: Uint8Array): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.length);
}
