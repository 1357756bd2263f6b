import type { AddFile } from '../../formats/delta/actions.ts';
import { readCommit } from '../../formats/delta/load-snapshot.ts';
import { indexLog } from '../../formats/delta/log-segment.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
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
  readonly #known = new Map<string, Known>();

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
    const { commits } = indexLog(await io.log.list(''));
    const { versionOf, upTo } = known;
    for (const version of commits) {
      if (version <= upTo || version > snapshot.version) continue;
      // A commit that only moves rows to other files keeps their order as well as it can be known.
      for (const { add } of (await readCommit(io, version)) ?? []) {
        if (add) versionOf.set(add.path, version);
      }
    }
    const read = { tableId, upTo: snapshot.version, versionOf };
    this.#known.set(io.location, read);
    return read;
  }
}
