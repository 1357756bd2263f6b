import type { AddFile } from '../../formats/delta/actions.ts';
import { readCommits } from '../../formats/delta/load-snapshot.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import type { RowBatch } from '../../platform/analytics/port.ts';

/** A data file that was just written, its rows, and the commit that added it and nothing else. */
export interface RecentFile {
  /** Absolute. */
  readonly path: string;
  /** Folder of the table. */
  readonly location: string;
  readonly version: number;
  readonly added: AddFile;
  readonly columns: readonly Column[];
  readonly batch: RowBatch;
}

/** Memory of all files together, about. */
const BYTES_MAX = 16 * 1024 * 1024;
const FILES_MAX = 1024;
/** What a value takes beside its text. */
const VALUE_BYTES = 24;

/**
 * The rows of the newest small files, for those who follow a table commit by commit: data files
 * never change, so nobody has to read again what this process wrote a moment ago.
 */
export class RecentFiles {
  /** By path, oldest first. */
  readonly #files = new Map<string, RecentFile>();
  /** By table and version. */
  readonly #commits = new Map<string, AddFile>();

  #bytes = 0;

  add(file: RecentFile): void {
    this.#files.set(file.path, file);
    this.#commits.set(commitKey(file), file.added);
    this.#bytes += bytesOf(file.batch);
    for (const [path, oldest] of this.#files) {
      if (this.#files.size <= FILES_MAX && this.#bytes <= BYTES_MAX) return;
      this.#files.delete(path);
      this.#commits.delete(commitKey(oldest));
      this.#bytes -= bytesOf(oldest.batch);
    }
  }

  /** The one file that the commit added, when it is known. */
  addedBy(location: string, version: number): AddFile | null {
    return this.#commits.get(commitKey({ location, version })) ?? null;
  }

  find(path: string): RecentFile | null {
    return this.#files.get(path) ?? null;
  }
}

/** Commits as `readCommits` has them; the newest ones, when they are known, without reading. */
export async function* commitsOf(
  io: TableIo,
  versions: readonly number[],
  recent: Pick<RecentFiles, 'addedBy'>,
): ReturnType<typeof readCommits> {
  const known: AddFile[] = [];
  for (const version of versions.toReversed()) {
    const add = recent.addedBy(io.location, version);
    if (add === null) break;
    known.unshift(add);
  }
  const read = versions.length - known.length;
  yield* readCommits(io, versions.slice(0, read));
  for (const [index, add] of known.entries()) {
    yield { version: versions[read + index]!, actions: [{ add }] };
  }
}

function bytesOf({ columns }: RowBatch): number {
  let bytes = 0;
  for (const values of columns) {
    bytes += VALUE_BYTES * values.length;
    for (const value of values) if (typeof value === 'string') bytes += value.length;
  }
  return bytes;
}

function commitKey({ location, version }: Pick<RecentFile, 'location' | 'version'>): string {
  return `${version}@${location}`;
}
