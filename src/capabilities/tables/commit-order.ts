import type { Action, AddFile } from '../../formats/delta/actions.ts';
import { indexLog } from '../../formats/delta/log-segment.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import { commitsOf, type RecentFiles } from './recent-files.ts';
import { filesInOrder } from './row-selection.ts';

interface Known {
  readonly tableId: string;
  /** Commits up to here were read. */
  readonly upTo: number;
  readonly versionOf: Map<string, number>;
}

/**
 * The order in which the files of a table were committed. Their own times do not tell it: a clock
 * that was set back makes a later file look older. Each commit is read once.
 */
export class CommitOrder {
  readonly #recent: Pick<RecentFiles, 'addedBy'>;
  readonly #known = new Map<string, Known>();

  constructor(recent: Pick<RecentFiles, 'addedBy'>) {
    this.#recent = recent;
  }

  /** Oldest commit first. Files whose commit log cleanup has removed come before all others. */
  async sort(io: TableIo, snapshot: Snapshot): Promise<readonly AddFile[]> {
    const { versionOf } = await this.#read(io, snapshot);
    const version = (file: AddFile): number => versionOf.get(file.path) ?? -1;
    return filesInOrder(snapshot).toSorted((a, b) => version(a) - version(b));
  }

  async #read(io: TableIo, snapshot: Snapshot): Promise<Known> {
    const tableId = snapshot.metadata.id;
    let known = this.#known.get(io.location);
    if (known?.tableId !== tableId) known = { tableId, upTo: -1, versionOf: new Map() };
    if (known.upTo >= snapshot.version) return known;
    const { versionOf, upTo } = known;
    const wanted = await versionsIn(io, { after: upTo, upTo: snapshot.version });
    for await (const { version, actions } of commitsOf(io, wanted, this.#recent)) {
      if (actions === null) continue;
      const moved = movedRows(actions, versionOf);
      for (const { add } of actions) {
        if (!add) continue;
        // Without a removal an entry is only told anew, with statistics for example.
        const kept = moved ?? versionOf.get(add.path) ?? version;
        versionOf.set(add.path, add.dataChange ? version : kept);
      }
    }
    const read = { tableId, upTo: snapshot.version, versionOf };
    this.#known.set(io.location, read);
    return read;
  }
}

/** Versions that may be in the log: listing one of months takes longer than asking for some. */
async function versionsIn(
  io: TableIo,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): Promise<readonly number[]> {
  if (upTo - after <= UNLISTED_MAX) {
    return Array.from({ length: upTo - after }, (_, index) => after + 1 + index);
  }
  const { commits } = indexLog(await io.log.list(''));
  return commits.filter((version) => version > after && version <= upTo);
}

/** Commits that are asked for without a look at which there are. */
const UNLISTED_MAX = 1000;

/**
 * The version of the newest rows in the files that a commit removes: a file it fills with them,
 * as compaction does, is no newer. -1 when log cleanup took theirs, null when it removes none.
 */
function movedRows(
  actions: readonly Action[],
  versionOf: ReadonlyMap<string, number>,
): number | null {
  const versions = actions.flatMap(({ remove }) =>
    remove ? [versionOf.get(remove.path) ?? -1] : [],
  );
  return versions.length === 0 ? null : Math.max(...versions);
}
