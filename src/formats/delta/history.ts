import { parseActions, type Action } from './actions.ts';
import { loadSnapshot, readCommit, readCommits } from './load-snapshot.ts';
import { commitName } from './log-names.ts';
import { indexLog } from './log-segment.ts';
import { advance, type Snapshot } from './snapshot.ts';
import { recordCount } from './stats.ts';
import type { TableIo } from './table-io.ts';

/** What one commit did, as its file tells it. */
export interface CommitSummary {
  readonly version: number;
  /** Milliseconds since 1970: the writer's clock, or the file's time where it noted none. */
  readonly committedMs: number;
  readonly operation: string;
  readonly rowsAdded: number;
  /** Rows of the files it removed; null when nobody counted them. Moved rows do not count. */
  readonly rowsRemoved: number | null;
  readonly filesAdded: number;
  readonly filesRemoved: number;
  /** False for one that only moved rows to other files or changed the table's description. */
  readonly changesRows: boolean;
  readonly changesColumns: boolean;
  /** The person or program that asked for it, where the writer noted one. */
  readonly user: string | null;
  /** The stream whose batch it holds: an application's own name for it. */
  readonly app: string | null;
  /** What wrote it. */
  readonly engine: string | null;
}

interface ReadCommit {
  readonly version: number;
  readonly actions: readonly Action[];
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
  const read: ReadCommit[] = [];
  for await (const { version, actions } of readCommits(io, wanted)) {
    if (actions !== null) read.push({ version, actions });
  }
  const removed = await countRemoved(io, read);
  const summaries: CommitSummary[] = [];
  for (const commit of read.toReversed()) {
    const rowsRemoved = removesRows(commit) ? (removed.get(commit.version) ?? null) : 0;
    summaries.push({ ...(await summaryOf(io, commit)), rowsRemoved });
  }
  return summaries;
}

/** One commit, without what it removed; null when there is none. */
export async function readSummary(
  io: TableIo,
  version: number,
): Promise<Omit<CommitSummary, 'rowsRemoved'> | null> {
  const actions = await readCommit(io, version);
  return actions === null ? null : await summaryOf(io, { version, actions });
}

async function summaryOf(
  io: TableIo,
  { version, actions }: ReadCommit,
): Promise<Omit<CommitSummary, 'rowsRemoved'>> {
  const info = actions.find((action) => action.commitInfo)?.commitInfo;
  return {
    version,
    committedMs: info?.timestamp ?? (await io.log.modifiedMs(commitName(version))) ?? 0,
    operation: info?.operation ?? 'UNKNOWN',
    ...countChanges(actions),
    changesRows: actions.some(({ add, remove }) => (add ?? remove)?.dataChange === true),
    changesColumns: actions.some(({ metaData }) => Boolean(metaData)),
    user: text(info?.userName),
    app: actions.find(({ txn }) => txn)?.txn?.appId ?? null,
    engine: text(info?.engineInfo),
  };
}

/** Other engines write what they like. */
function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function removesRows({ actions }: ReadCommit): boolean {
  return actions.some(({ remove }) => remove?.dataChange === true);
}

/**
 * Rows that each of these commits removed, where every file's were counted. A removal does not say
 * how many: only the state before it knows the file, and it is read when one is needed.
 */
async function countRemoved(
  io: TableIo,
  commits: readonly ReadCommit[],
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  const first = commits.findIndex(removesRows);
  if (first === -1) return counts;
  let state = await stateBefore(io, commits[first]!.version);
  for (const commit of commits.slice(first)) {
    if (state?.version !== commit.version - 1) return counts;
    const files = state.files;
    const rows = commit.actions
      .flatMap(({ remove }) => (remove?.dataChange === true ? [remove.path] : []))
      .map((path) => recordCount(files.get(path)?.stats));
    if (!rows.includes(null)) {
      counts.set(
        commit.version,
        rows.reduce<number>((sum, count) => sum + (count ?? 0), 0),
      );
    }
    state = advance(state, commit.actions);
  }
  return counts;
}

/** Null when log cleanup took what it was made of. */
async function stateBefore(io: TableIo, version: number): Promise<Snapshot | null> {
  return await loadSnapshot(io, version - 1).catch(() => null);
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
