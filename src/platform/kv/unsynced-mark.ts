import { readFileSync } from 'node:fs';
import { open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DATA_FILE } from './lmdb-file.ts';

const MARK_FILE = 'unsynced';

/**
 * Says beside a map that not all of it may be on disk, and since which start of the machine. What a
 * process wrote stays when it dies; when the machine does, pages are lost in any order.
 */
export class UnsyncedMark {
  readonly #folder: string;
  readonly #file: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = path.join(folder, MARK_FILE);
  }

  /** Whether the map was left open when the machine went down; `boot` null: that is not known. */
  isOfOtherBoot(boot: string | null): boolean {
    try {
      return readFileSync(this.#file, 'utf8') !== boot;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw thrown;
    }
  }

  /** Durable on return, before anything is written that it speaks of. */
  async set(boot: string): Promise<void> {
    await writeFile(this.#file, boot, { flush: true });
    await syncFile(this.#folder);
  }

  /** Puts everything on disk, then takes the mark away. */
  async clear(): Promise<void> {
    try {
      await syncFile(path.join(this.#folder, DATA_FILE));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
    await rm(this.#file, { force: true });
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
