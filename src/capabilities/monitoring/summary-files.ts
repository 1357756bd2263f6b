import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Parsed files held in memory, over all monitors: a day of summaries is some 50 kB. */
const HELD_MAX = 400;

/**
 * Summaries of what was answered, one JSON file each, as the engine keeps them for itself. They are
 * derived from tables: a file that is gone or cut short is made again, so nothing is synced.
 */
export class SummaryFiles {
  readonly #folder: string;
  readonly #held = new Map<string, unknown>();

  /** `folder` is absolute, and made when something is written. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null for one that is not there or cannot be read; `decode` makes of its JSON what is held. */
  async read<Value>(
    monitor: string,
    name: string,
    decode: (stored: never) => Value,
  ): Promise<Value | null> {
    const key = `${monitor}/${name}`;
    const held = this.#held.get(key) as Value | undefined;
    if (held !== undefined) {
      this.#hold(key, held);
      return held;
    }
    try {
      const text = await readFile(this.#path(key), 'utf8');
      const value = decode(JSON.parse(text) as never);
      this.#hold(key, value);
      return value;
    } catch {
      return null;
    }
  }

  async write<Value>(
    monitor: string,
    name: string,
    of: { readonly value: Value; readonly encode: (value: Value) => unknown },
  ): Promise<void> {
    const key = `${monitor}/${name}`;
    const target = this.#path(key);
    await mkdir(path.dirname(target), { recursive: true });
    // A reader after a crash finds the whole file or none.
    await writeFile(`${target}.part`, JSON.stringify(of.encode(of.value)));
    await rename(`${target}.part`, target);
    this.#hold(key, of.value);
  }

  #hold(key: string, value: unknown): void {
    this.#held.delete(key);
    this.#held.set(key, value);
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= HELD_MAX) return;
      this.#held.delete(oldest);
    }
  }

  #path(key: string): string {
    return path.join(this.#folder, `${key}.json`);
  }
}
