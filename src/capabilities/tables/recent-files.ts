import type { RowBatch } from '../../platform/analytics/port.ts';
import type { Column } from '../../formats/delta/schema.ts';

/** The rows of a data file that was just written. */
export interface RecentFile {
  /** Absolute. */
  readonly path: string;
  readonly columns: readonly Column[];
  readonly batch: RowBatch;
}

/** Files of at most a batch of rows each: some ten megabytes together. */
const FILES_MAX = 64;

/**
 * The rows of the newest small files, for those who follow a table commit by commit: data files
 * never change, so nobody has to read again what this process wrote a moment ago.
 */
export class RecentFiles {
  /** By path, oldest first. */
  readonly #files = new Map<string, RecentFile>();

  add(file: RecentFile): void {
    this.#files.set(file.path, file);
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= FILES_MAX) return;
      this.#files.delete(oldest);
    }
  }

  find(path: string): RecentFile | null {
    return this.#files.get(path) ?? null;
  }
}
