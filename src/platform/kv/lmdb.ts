import { mkdir, rm, statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { AppError } from '../../base/errors.ts';
import { keyBytes } from './kv-key.ts';
import { DATA_FILE, LOCK_FILE, lmdbFileState } from './lmdb-file.ts';
import type { KvChange, KvReader, KvWriter } from './port.ts';
import { UnsyncedMark } from './unsynced-mark.ts';
import { WrittenValues } from './written-values.ts';

type Map = RootDatabase<Uint8Array, Uint8Array>;

/** Room that opening needs, and some more: a map's first pages and its table of readers. */
const FREE_BYTES_MIN = 1024 * 1024;

export interface MapWriter extends KvWriter {
  /** Takes no more changes and puts all there are on disk; what is there can still be read. */
  rest(): Promise<void>;
}

/**
 * Opens the map for the one process that writes it, creating it when missing, and anew when it is
 * no map any more. Rejects with `DISK_FULL` before lmdb maps a file that has no blocks yet:
 * touching it would kill the process.
 *
 * `boot` names the machine's present start. With it changes are left to the system to write: they
 * outlive any process, and after a power loss, when the machine has started anew since and the map
 * was not closed, it is begun anew. Without it each change waits for the disk.
 */
export async function openLmdbWriter(
  folder: string,
  boot: string | null = null,
): Promise<MapWriter> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < FREE_BYTES_MIN) throw diskFull();
  const unsynced = new UnsyncedMark(folder);
  if (lmdbFileState(folder) === 'damaged' || unsynced.isOfOtherBoot(boot)) {
    // Everything in it can be rebuilt, and lmdb would end the process.
    for (const name of [DATA_FILE, LOCK_FILE]) await rm(path.join(folder, name), { force: true });
  }
  if (boot === null) await unsynced.clear();
  else await unsynced.set(boot);
  return new LmdbWriter(folder, boot === null ? null : unsynced);
}

/**
 * Opens the map for reading; it may not exist yet, and is empty until it does. Within one process
 * lmdb has one handle for a map, so a reader beside a writer is opened (first read) after it.
 */
export function openLmdbReader(folder: string): Promise<KvReader> {
  return Promise.resolve(
    new LmdbReader(() => (lmdbFileState(folder) === 'whole' ? openMap(folder, READER) : null)),
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

  scan(
    bounds: { readonly from: string; readonly to: string; readonly limit: number },
    visit: (value: Uint8Array, key: () => string) => void,
  ): { readonly visited: number; readonly last: string | null } {
    const [start, end] = [keyBytes(bounds.from), keyBytes(bounds.to)];
    let visited = 0;
    let at: Uint8Array | null = null;
    const text = (): string => Buffer.from(at!).toString('utf8');
    if (Buffer.compare(start, end) < 0) {
      for (const { key, value } of this.#snapshot()?.getRange({
        start,
        end,
        limit: bounds.limit,
      }) ?? []) {
        visited += 1;
        at = key;
        visit(value, text);
      }
    }
    return { visited, last: at === null ? null : text() };
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

class LmdbWriter extends LmdbReader implements MapWriter {
  readonly #writable: Map;
  /** Null when every change is synced. */
  readonly #unsynced: UnsyncedMark | null;
  readonly #written = new WrittenValues();
  #isResting = false;

  constructor(folder: string, unsynced: UnsyncedMark | null) {
    const map = openMap(folder, { isReadOnly: false, isSynced: unsynced === null });
    super(() => map);
    this.#writable = map;
    this.#unsynced = unsynced;
  }

  override peek(key: string): Uint8Array | null {
    return this.#written.get(key) ?? super.peek(key);
  }

  async apply(changes: readonly KvChange[]): Promise<void> {
    if (this.#isResting) throw new AppError('STOPPING', 'The online store is being closed.');
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
    for (const { key, value } of changes) this.#written.set(key, value);
  }

  async rest(): Promise<void> {
    this.#isResting = true;
    await this.#unsynced?.clear();
  }

  override async close(): Promise<void> {
    this.#isResting = true;
    await this.#writable.close();
    await this.#unsynced?.clear();
  }
}

const READER = { isReadOnly: true, isSynced: true };

function openMap(
  folder: string,
  { isReadOnly, isSynced }: { readonly isReadOnly: boolean; readonly isSynced: boolean },
): Map {
  return open<Uint8Array, Uint8Array>({
    path: folder,
    readOnly: isReadOnly,
    noSync: !isSynced,
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
