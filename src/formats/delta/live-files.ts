import type { AddFile } from './actions.ts';

/**
 * The live files of a table at one version, by path, in the order in which they were added. The
 * next version of a table that only grows shares its entries: an append costs what it adds, not
 * what is there.
 */
export class LiveFiles implements ReadonlyMap<string, AddFile> {
  readonly size: number;
  /** Entries of this version come first; those behind them are of later versions. */
  readonly #entries: Map<string, AddFile>;
  /** The paths of this version, once one of them is asked for after others have come. */
  #own: ReadonlySet<string> | null = null;

  private constructor(entries: Map<string, AddFile>, size: number) {
    this.#entries = entries;
    this.size = size;
  }

  /** Takes the map over: nobody else may change it from then on. */
  static of(files: Map<string, AddFile>): LiveFiles {
    return new LiveFiles(files, files.size);
  }

  /** With these behind; none of their paths may be here already. */
  and(added: readonly AddFile[]): LiveFiles {
    const isNewest = this.#entries.size === this.size;
    // Another version grew from this one: they part.
    const entries = isNewest ? this.#entries : new Map(this);
    for (const file of added) entries.set(file.path, file);
    return new LiveFiles(entries, entries.size);
  }

  get(path: string): AddFile | undefined {
    return this.has(path) ? this.#entries.get(path) : undefined;
  }

  has(path: string): boolean {
    if (this.#entries.size === this.size) return this.#entries.has(path);
    this.#own ??= new Set(this.keys());
    return this.#own.has(path);
  }

  *entries(): MapIterator<[string, AddFile]> {
    let left = this.size;
    for (const entry of this.#entries) {
      if (left === 0) return;
      left -= 1;
      yield entry;
    }
  }

  *keys(): MapIterator<string> {
    for (const [path] of this.entries()) yield path;
  }

  *values(): MapIterator<AddFile> {
    for (const [, file] of this.entries()) yield file;
  }

  forEach(each: (file: AddFile, path: string, all: ReadonlyMap<string, AddFile>) => void): void {
    for (const [path, file] of this.entries()) each(file, path, this);
  }

  [Symbol.iterator](): MapIterator<[string, AddFile]> {
    return this.entries();
  }
}
