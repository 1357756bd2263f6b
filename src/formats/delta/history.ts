import { parseActions, type Action } from './actions.ts';
import { commitName } from './log-names.ts';
import { indexLog } from './log-segment.ts';
import { recordCount } from './stats.ts';
import type { TableIo } from './table-io.ts';

/** What one commit did, as its file tells it. */
export interface CommitSummary {
  readonly version: number;
  /** Milliseconds since 1970: the writer's clock, or the file's time where it noted none. */
  readonly committedMs: number;
  readonly operation: string;
  readonly rowsAdded: number;
  readonly filesAdded: number;
  readonly filesRemoved: number;
}

/**
 * Commits below `before` (default: all), newest first, at most `limit`; cleaned-up ones are gone.
 */
export async function readHistory(
  io: TableIo,
  options: { readonly before?: number; readonly limit: number },
): Promise<CommitSummary[]> {
  const { before = Number.POSITIVE_INFINITY, limit } = options;
  const { commits } = indexLog(await io.log.list(''));
  const wanted = commits.filter((version) => version < before).slice(-limit);
  const summaries: CommitSummary[] = [];
  for (const version of wanted.toReversed()) {
    const summary = await readSummary(io, version);
    if (summary !== null) summaries.push(summary);
  }
  return summaries;
}

async function readSummary(io: TableIo, version: number): Promise<CommitSummary | null> {
  const name = commitName(version);
  const text = await io.log.read(name);
  if (text === null) return null;
  const actions = parseActions(text, name);
  const info = actions.find((action) => action.commitInfo)?.commitInfo;
  return {
    version,
    committedMs: info?.timestamp ?? (await io.log.modifiedMs(name)) ?? 0,
    operation: info?.operation ?? 'UNKNOWN',
    ...countChanges(actions),
  };
}

/** Rows and files a commit adds and removes; compaction moves rows and adds none. */
export function countChanges(
  actions: readonly Action[],
): Pick<CommitSummary, 'rowsAdded' | 'filesAdded' | 'filesRemoved'> {
  let rowsAdded = 0;
  let filesAdded = 0;
  let filesRemoved = 0;
  for (const { add, remove } of actions) {
    if (add) {
      filesAdded += 1;
      if (add.dataChange) rowsAdded += recordCount(add.stats) ?? 0;
    } else if (remove) {
      filesRemoved += 1;
    }
  }
  return { rowsAdded, filesAdded, filesRemoved };
}

/**
 * The commit that holds a batch, searched from `newest` down through at most `limit` commits; null
 * when it lies further back or was cleaned up.
 */
export async function findTxnCommit(
  io: TableIo,
  search: {
    readonly appId: string;
    readonly txnVersion: number;
    readonly newest: number;
    readonly limit: number;
  },
): Promise<{ readonly version: number; readonly rowsAdded: number } | null> {
  const { appId, txnVersion, newest, limit } = search;
  for (let version = newest; version >= 0 && version > newest - limit; version -= 1) {
    const text = await io.log.read(commitName(version));
    if (text === null) return null;
    const actions = parseActions(text, commitName(version));
    const txn = actions.find((action) => action.txn?.appId === appId)?.txn;
    if (txn?.version === txnVersion) return { version, rowsAdded: countChanges(actions).rowsAdded };
    if (txn && txn.version < txnVersion) return null;
  }
  return null;
}
