import { AppError } from '../../base/errors.ts';
import { formatCommit, type Action, type AddFile, type CommitInfo, type Txn } from './actions.ts';
import { readCommit } from './load-snapshot.ts';
import { commitName } from './log-names.ts';
import { advance, type Snapshot } from './snapshot.ts';
import { assertAppendable } from './table-features.ts';
import type { TableIo } from './table-io.ts';

/**
 * Commits attempted before giving up. Each lost race means another writer's commit landed, so this
 * is reached only when dozens of writers hammer one table.
 */
export const COMMIT_ATTEMPTS_MAX = 64;

/**
 * Rows that are added without having read any: it conflicts with nothing but changes of the table.
 */
export interface BlindAppend {
  readonly files: readonly AddFile[];
  /** Makes the append exactly-once: a batch at or below the stream's newest is already in. */
  readonly txn?: Pick<Txn, 'appId' | 'version'>;
  readonly commitInfo: CommitInfo;
  /** Milliseconds since 1970, for `txn.lastUpdated`. */
  readonly timeMs: number;
}

export interface AppendOutcome {
  /** True when the txn was already in: nothing was written. */
  readonly isDuplicate: boolean;
  /** The state that holds the batch. */
  readonly snapshot: Snapshot;
}

/**
 * Commits a blind append on top of `base`. On a lost race the winning commits are read and the
 * conflict rules for blind appends applied ("Conflicts" in PROTOCOL.md and Spark's
 * ConflictChecker): a changed protocol or metadata fails, a batch of the same stream that is now in
 * makes this one a duplicate, anything else is stepped over.
 *
 * Errors: `COMMIT_CONFLICT`, `TABLE_FEATURE_UNSUPPORTED` (read-only table). Durable on return.
 */
export async function commitAppend(
  io: TableIo,
  base: Snapshot,
  append: BlindAppend,
): Promise<AppendOutcome> {
  assertAppendable(base.protocol, base.metadata);
  let snapshot = base;
  for (let attempt = 0; attempt < COMMIT_ATTEMPTS_MAX; attempt += 1) {
    if (isCommitted(snapshot, append.txn)) return { isDuplicate: true, snapshot };
    const actions = appendActions(snapshot, append);
    const name = commitName(snapshot.version + 1);
    if (await io.log.putIfAbsent(name, formatCommit(actions))) {
      return { isDuplicate: false, snapshot: advance(snapshot, actions) };
    }
    snapshot = await stepOverWinners(io, snapshot);
  }
  throw new AppError(
    'COMMIT_CONFLICT',
    `${io.location}: ${COMMIT_ATTEMPTS_MAX} commits in a row were won by other writers.`,
    { hint: 'Nothing of this append was kept; repeat it when the table is less busy.' },
  );
}

/** Whether the batch is in; always false for an append without one. */
export function isCommitted(snapshot: Snapshot, txn: BlindAppend['txn']): boolean {
  if (txn === undefined) return false;
  const newest = snapshot.txns.get(txn.appId);
  return newest !== undefined && newest.version >= txn.version;
}

function appendActions(snapshot: Snapshot, append: BlindAppend): Action[] {
  const { files, txn, commitInfo, timeMs } = append;
  const actions: Action[] = [
    { commitInfo: { ...commitInfo, readVersion: snapshot.version, isBlindAppend: true } },
  ];
  if (txn !== undefined) {
    actions.push({ txn: { appId: txn.appId, version: txn.version, lastUpdated: timeMs } });
  }
  for (const add of files) actions.push({ add });
  return actions;
}

/** The state after every commit that landed since `base`. */
async function stepOverWinners(io: TableIo, base: Snapshot): Promise<Snapshot> {
  let snapshot = base;
  for (;;) {
    const actions = await readCommit(io, snapshot.version + 1);
    if (actions === null) return snapshot;
    const version = snapshot.version + 1;
    for (const { metaData, protocol } of actions) {
      if (metaData) throw changedMeanwhile(io, version, 'schema or properties');
      if (protocol) throw changedMeanwhile(io, version, 'protocol');
    }
    snapshot = advance(snapshot, actions);
  }
}

function changedMeanwhile(io: TableIo, version: number, what: string): AppError {
  return new AppError(
    'COMMIT_CONFLICT',
    `${io.location}: another writer changed the table's ${what} in version ${version}.`,
    { hint: 'Nothing of this append was kept; look at the table and append again.' },
  );
}
