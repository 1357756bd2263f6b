import { AppError } from '../../base/errors.ts';
import type { Action, AddFile, RemoveFile } from './actions.ts';
import { readCommits } from './load-snapshot.ts';
import type { TableIo } from './table-io.ts';

export interface FileDifference {
  /**
   * Together they hold every row that only the newer version has; rows of `removed` that were
   * written again are among them.
   */
  readonly added: readonly AddFile[];
  /** The same for the rows that only the older version has. */
  readonly removed: readonly RemoveFile[];
  /** False when the columns are the same in both. */
  readonly changesMetadata: boolean;
}

/** Files that took the place of others with the same rows. */
interface Move {
  readonly from: readonly RemoveFile[];
  readonly to: readonly AddFile[];
}

/**
 * The files by which two versions differ, from the commits between them alone: what it costs is the
 * difference. Rows that only moved (compaction) cancel out as long as the files they were in are
 * taken for theirs; `readsMoved` takes the files they moved to instead.
 *
 * `TABLE_VERSION_NOT_FOUND` when log cleanup removed a commit in between.
 */
export async function fileDifference(
  io: TableIo,
  range: { readonly from: number; readonly to: number; readonly readsMoved?: boolean },
): Promise<FileDifference> {
  const { from, to, readsMoved = false } = range;
  const versions = Array.from({ length: to - from }, (_, index) => from + 1 + index);
  const change = new Change();
  for await (const { version, actions } of readCommits(io, versions)) {
    if (actions === null) throw goneCommit(version);
    change.apply(actions);
  }
  if (!readsMoved) change.undoMoves();
  return change;
}

class Change implements FileDifference {
  readonly #added = new Map<string, AddFile>();
  readonly #removed = new Map<string, RemoveFile>();
  /** Every file that came in between, also those that are gone again. */
  readonly #came = new Map<string, AddFile>();
  readonly #moves: Move[] = [];
  changesMetadata = false;

  get added(): readonly AddFile[] {
    return [...this.#added.values()];
  }

  get removed(): readonly RemoveFile[] {
    return [...this.#removed.values()];
  }

  apply(actions: readonly Action[]): void {
    const removes = actions.flatMap(({ remove }) => (remove ? [remove] : []));
    const adds = actions.flatMap(({ add }) => (add ? [add] : []));
    if (actions.some(({ metaData }) => metaData)) this.changesMetadata = true;
    for (const remove of removes) {
      if (!this.#added.delete(remove.path)) this.#removed.set(remove.path, remove);
    }
    const isMove = [...removes, ...adds].every(({ dataChange }) => !dataChange);
    // Without a removal nothing can have moved: the files are only told anew, with statistics.
    if (isMove && removes.length === 0) return;
    for (const add of adds) {
      if (this.#removed.delete(add.path)) continue;
      this.#added.set(add.path, add);
      this.#came.set(add.path, add);
    }
    if (isMove) this.#moves.push({ from: removes, to: adds });
  }

  /** Newest first, since what one move made another one may have moved on. */
  undoMoves(): void {
    for (const { from, to } of this.#moves.toReversed()) {
      // Where a part of the rows went on from there, nobody can say which.
      const isWhole = to.every(({ path }) => this.#added.has(path));
      const isKnown = from.every(({ path }) => this.#removed.has(path) || this.#came.has(path));
      if (!isWhole || !isKnown) continue;
      for (const { path } of to) this.#added.delete(path);
      for (const { path } of from) {
        if (!this.#removed.delete(path)) this.#added.set(path, this.#came.get(path)!);
      }
    }
  }
}

function goneCommit(version: number): AppError {
  return new AppError('TABLE_VERSION_NOT_FOUND', `Commit ${version} is no longer in the log.`, {
    hint: 'Log cleanup removed it: compare versions after it.',
  });
}
