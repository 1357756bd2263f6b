import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from '../../base/ids.ts';
import type { LogStore } from '../../formats/delta/log-store.ts';
import {
  ensureFolder,
  linkIfAbsent,
  removeIfPresent,
  renameDurably,
  writeFileDurably,
} from './durable-files.ts';

/**
 * A table's log in a folder of this machine. Temporary files start with a dot: readers skip them.
 */
export class LocalLogStore implements LogStore {
  readonly #folder: string;
  readonly #ids: Ids;

  constructor(folder: string, ids: Ids) {
    this.#folder = folder;
    this.#ids = ids;
  }

  async list(from: string): Promise<readonly string[]> {
    const names = await orNull(readdir(this.#folder));
    if (names === null) return [];
    return names.filter((name) => name >= from).sort();
  }

  async read(name: string): Promise<string | null> {
    const path = join(this.#folder, name);
    // Asked for before every use of a table: whether there is a commit after the newest known one.
    return existsSync(path) ? await orNull(readFile(path, 'utf8')) : null;
  }

  async putIfAbsent(name: string, content: string): Promise<boolean> {
    return await this.#withTemporary(name, content, (temporary) =>
      linkIfAbsent(temporary, join(this.#folder, name)),
    );
  }

  async replace(name: string, content: string): Promise<void> {
    await this.#withTemporary(name, content, (temporary) =>
      renameDurably(temporary, join(this.#folder, name)),
    );
  }

  async modifiedMs(name: string): Promise<number | null> {
    const found = await orNull(stat(join(this.#folder, name)));
    return found === null ? null : Math.floor(found.mtimeMs);
  }

  async #withTemporary<T>(
    name: string,
    content: string,
    action: (temporary: string) => Promise<T>,
  ): Promise<T> {
    await ensureFolder(this.#folder);
    const temporary = join(this.#folder, `.${name}.${this.#ids.next('tmp')}.tmp`);
    try {
      await writeFileDurably(temporary, content);
      return await action(temporary);
    } finally {
      removeIfPresent(temporary);
    }
  }
}

async function orNull<T>(pending: Promise<T>): Promise<T | null> {
  try {
    return await pending;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
