import type { AddFile } from './actions.ts';

/**
 * The live files of a table at one version, by path, in the order in which they were added. The
 * next version of a table that only grows shares its entries: an append costs what it adds, not
 * what is there.
 */
export class LiveFiles implements ReadonlyMap<string, AddFile> {
  readonly size: number;
  /** Entries of this version come first; those behind them are of later versions. */
  readonly #entries: Map<string, { readonly file: AddFile; readonly index: number }>;

  private constructor(
    entries: Map<string, { readonly file: AddFile; readonly index: number }>,
    size: number,
  ) {
    this.#entries = entries;
    this.size = size;
  }

  static of(files: Iterable<readonly [string, AddFile]>): LiveFiles {
    const all = new Map(files);
    let index = 0;
    const entries = new Map(Array.from(all, ([path, file]) => [path, { file, index: index++ }]));
    return new LiveFiles(entries, entries.size);
  }

  /** With these behind; none of their paths may be here already. */
  and(added: readonly AddFile[]): LiveFiles {
    const isNewest = this.#entries.size === this.size;
    // Another version grew from this one: they part.
    const entries = isNewest ? this.#entries : LiveFiles.of(this).#entries;
    for (const file of added) entries.set(file.path, { file, index: entries.size });
    return new LiveFiles(entries, entries.size);
  }

  get(path: string): AddFile | undefined {
    const entry = this.#entries.get(path);
    return entry !== undefined && entry.index < this.size ? entry.file : undefined;
  }

  has(path: string): boolean {
    return this.get(path) !== undefined;
  }

  *entries(): MapIterator<[string, AddFile]> {
    for (const [path, { file, index }] of this.#entries) {
      if (index >= this.size) return;
      yield [path, file];
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
