import type { AddFile } from '../../formats/delta/actions.ts';
import { resolveDataPath } from '../../formats/delta/data-path.ts';
import {
  comparable,
  compare,
  fileRange,
  mayMatch,
  type Comparable,
} from '../../formats/delta/prune.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import type { Condition, ScanFile } from '../../platform/analytics/port.ts';

/** Which files of a snapshot a read has to open. */

export function toScanFile(location: string, file: AddFile): ScanFile {
  return {
    path: resolveDataPath(location, file.path),
    partitionValues: file.partitionValues ?? {},
  };
}

const sorted = new WeakMap<Snapshot, readonly AddFile[]>();

/**
 * Files oldest first. A snapshot holds them in the order they were read, which differs between
 * commits and a foreign checkpoint; pages of one version must not.
 */
export function filesInOrder(snapshot: Snapshot): readonly AddFile[] {
  let files = sorted.get(snapshot);
  if (files === undefined) {
    files = [...snapshot.files.values()].sort(
      (a, b) => a.modificationTime - b.modificationTime || (a.path < b.path ? -1 : 1),
    );
    sorted.set(snapshot, files);
  }
  return files;
}

/** Files that can hold a row for which all conditions hold. */
export function filesMatching(
  files: readonly AddFile[],
  conditions: readonly Condition[],
): readonly AddFile[] {
  const known = conditions.flatMap(({ column, comparison, value }) => {
    const wanted = comparable(column, value);
    return wanted === null ? [] : [{ column, comparison, wanted }];
  });
  if (known.length === 0) return files;
  return files.filter((file) =>
    known.every(({ column, comparison, wanted }) =>
      mayMatch(fileRange(file.stats, column), comparison, wanted),
    ),
  );
}

export interface RankedFile {
  readonly file: AddFile;
  /** The first value in the wanted order that the file can hold; null when nothing is known. */
  readonly best: Comparable | null;
}

/** Files by the best value they can hold, those that could hold anything first. */
export function rankFiles(
  files: readonly AddFile[],
  order: { readonly column: Column; readonly descending: boolean },
): RankedFile[] {
  const ranked = files.map((file) => {
    const { min, max } = fileRange(file.stats, order.column);
    return { file, best: order.descending ? max : min };
  });
  return ranked.sort((a, b) => {
    if (a.best === null || b.best === null)
      return Number(a.best !== null) - Number(b.best !== null);
    return order.descending ? compare(b.best, a.best) : compare(a.best, b.best);
  });
}

/** The part of an ordered run of files that holds rows `offset..offset+limit`. */
export interface FilePage {
  readonly files: readonly AddFile[];
  /** Rows to skip in the first file. */
  readonly offset: number;
}

export function planPage(
  files: readonly AddFile[],
  counts: readonly number[],
  page: { readonly offset: number; readonly limit: number },
): FilePage {
  const end = page.offset + page.limit;
  const chosen: AddFile[] = [];
  let before = 0;
  let offset = 0;
  for (const [index, file] of files.entries()) {
    const count = counts[index]!;
    if (before >= end) break;
    if (before + count > page.offset) {
      if (chosen.length === 0) offset = page.offset - before;
      chosen.push(file);
    }
    before += count;
  }
  return { files: chosen, offset };
}
