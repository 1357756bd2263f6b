import { formatCommit, type Action, type AddFile, type CommitInfo } from './actions.ts';
import { commitName } from './log-names.ts';
import { advance, type Snapshot } from './snapshot.ts';
import { assertAppendable } from './table-features.ts';
import type { TableIo } from './table-io.ts';

export interface Move {
  /** Live files of the snapshot. */
  readonly from: readonly AddFile[];
  /** Holds all their rows and no others, in their order. */
  readonly to: AddFile;
  readonly commitInfo: CommitInfo;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
}

/**
 * Commits one file in place of several that hold the same rows ("dataChange" in PROTOCOL.md: false
 * for rows that only move, so that readers of changes pass the commit by). Former versions keep
 * their files. Null when another writer was first.
 */
export async function moveRows(io: TableIo, base: Snapshot, move: Move): Promise<Snapshot | null> {
  assertAppendable(base.protocol, base.metadata);
  const { from, to, commitInfo, timeMs } = move;
  const actions: Action[] = [
    { commitInfo: { ...commitInfo, readVersion: base.version, isBlindAppend: false } },
  ];
  for (const { path, partitionValues, size } of from) {
    const kept = { extendedFileMetadata: true, partitionValues: partitionValues ?? {}, size };
    actions.push({ remove: { path, deletionTimestamp: timeMs, dataChange: false, ...kept } });
  }
  actions.push({ add: { ...to, dataChange: false } });
  const isFirst = await io.log.putIfAbsent(commitName(base.version + 1), formatCommit(actions));
  return isFirst ? advance(base, actions) : null;
}
