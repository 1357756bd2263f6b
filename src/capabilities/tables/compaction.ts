import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { AddFile } from '../../formats/delta/actions.ts';
import { moveRows } from '../../formats/delta/move-rows.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Log } from '../../platform/log/log.ts';
import {
  ENGINE_INFO,
  guid,
  removeUnlessNamed,
  wallMs,
  writeDataFile,
  type AppendDeps,
} from './append.ts';
import type { CommitOrder } from './commit-order.ts';
import { columnsOf } from './read-rows.ts';
import { toScanFile } from './row-selection.ts';
import type { SnapshotCache } from './snapshot-cache.ts';
import type { TableLock } from './table-lock.ts';

/** Opening a file costs a reader about a millisecond; reading this many bytes costs no more. */
const SMALL_BYTES = 1024 * 1024;
/** Small files that are worth a commit, and as many as one takes. */
const MERGED_MIN = 256;
const MERGED_MAX = 1024;
/** The newest files stay: those who follow a table may not have read them yet. */
const NEWEST_KEPT = 64;

interface CompactionDeps extends AppendDeps {
  readonly cache: SnapshotCache;
  readonly order: CommitOrder;
  readonly lock: TableLock;
  readonly log: Log;
  readonly faults: Faults;
}

/**
 * Merges the small files that many appends leave, in the background and in the order of their
 * commits. No file is deleted: older versions, which runs and training sets pin, keep theirs. It
 * holds nothing that a crash could lose; what it had written but not committed, nobody sees.
 */
export class Compaction {
  readonly #deps: CompactionDeps;
  readonly #running = new Set<string>();
  /** Files of each table after its last turn: not looked at again before there are enough more. */
  readonly #left = new Map<string, number>();

  constructor(deps: CompactionDeps) {
    this.#deps = deps;
  }

  /** To be told of each append; returns at once. */
  consider(io: TableIo, { files }: Snapshot): void {
    const { location } = io;
    const grown = files.size - (this.#left.get(location) ?? 0);
    if (grown < MERGED_MIN + NEWEST_KEPT || this.#running.has(location)) return;
    this.#running.add(location);
    this.#run(io)
      .catch((error: unknown) => {
        this.#left.set(location, files.size);
        const told = { table: location, error: String(error) };
        this.#deps.log.warn('tables.compaction.failed', told);
      })
      .finally(() => this.#running.delete(location));
  }

  async #run(io: TableIo): Promise<void> {
    const { cache, order } = this.#deps;
    for (;;) {
      const snapshot = await cache.newest(io);
      if (snapshot === null) return;
      const chosen = filesToMerge(await order.sort(io, snapshot));
      const isDone = chosen.length === 0 || !(await this.#merge(io, snapshot, chosen));
      if (!isDone) continue;
      this.#left.set(io.location, snapshot.files.size);
      return;
    }
  }

  /** False when the table has changed so that the rows may not be moved any more. */
  async #merge(io: TableIo, snapshot: Snapshot, chosen: readonly AddFile[]): Promise<boolean> {
    const { analytics, cache, lock, clock, ids, faults } = this.#deps;
    const columns = columnsOf(snapshot);
    const files = chosen.map((file) => toScanFile(io.location, file));
    const { file, rows } = await analytics.scratch((scratch) =>
      writeDataFile(this.#deps, io, snapshot, columns, { select: scratch.rowsOf(files, columns) }),
    );
    if (file === null) return false;
    faults.hit('compaction.after-write');
    // Where its rows were: pages of one version go by the files' times.
    const to = { ...file, modificationTime: chosen.at(-1)!.modificationTime };
    const move = async (): Promise<boolean> => {
      const newest = await cache.newest(io);
      if (newest === null || chosen.some(({ path: name }) => !newest.files.has(name))) return false;
      const timeMs = wallMs(clock);
      const commitInfo = {
        timestamp: timeMs,
        operation: 'OPTIMIZE',
        operationParameters: { predicate: '[]' },
        operationMetrics: {
          numRemovedFiles: String(chosen.length),
          numAddedFiles: '1',
          numOutputRows: String(rows),
        },
        engineInfo: ENGINE_INFO,
        txnId: guid(ids),
      };
      faults.hit('compaction.before-commit');
      const moved = await moveRows(io, newest, { from: chosen, to, commitInfo, timeMs });
      faults.hit('compaction.after-commit');
      if (moved !== null) cache.put(io, moved);
      return moved !== null;
    };
    let isMoved: boolean;
    try {
      isMoved = await lock.run(io.location, move);
    } catch (thrown) {
      await removeUnlessNamed(io, [file]);
      throw thrown;
    }
    if (!isMoved) await rm(path.join(io.location, file.path), { force: true });
    return isMoved;
  }
}

/** The first run of enough small files, oldest commits first; none of a partitioned table. */
export function filesToMerge(ordered: readonly AddFile[]): readonly AddFile[] {
  let run: AddFile[] = [];
  for (const file of ordered.slice(0, Math.max(0, ordered.length - NEWEST_KEPT))) {
    const isPartitioned = Object.keys(file.partitionValues ?? {}).length > 0;
    if (file.size < SMALL_BYTES && !isPartitioned) {
      run.push(file);
      if (run.length === MERGED_MAX) return run;
      continue;
    }
    if (run.length >= MERGED_MIN) return run;
    run = [];
  }
  return run.length >= MERGED_MIN ? run : [];
}
