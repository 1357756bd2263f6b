import { AppError } from '../../base/errors.ts';
import { parseActions, type Action } from './actions.ts';
import { commitName, firstNameOf, LAST_CHECKPOINT } from './log-names.ts';
import { indexLog, newestVersion, planReads, type ReadPlan } from './log-segment.ts';
import { advance, Replay, type Snapshot } from './snapshot.ts';
import type { TableIo } from './table-io.ts';

/** Commit files read at a time: hides the latency of each without holding a long log in memory. */
const COMMITS_AT_ONCE = 16;

/**
 * Reads the newest or a given version; null when the folder holds no table. `_last_checkpoint` only
 * shortens the listing: missing, stale or corrupt, it costs time, not correctness. The same holds
 * for a checkpoint that cannot be read while older files still tell the whole story.
 *
 * Errors: `TABLE_VERSION_NOT_FOUND`, `TABLE_CORRUPT` (a commit is missing or unreadable),
 * `TABLE_FEATURE_UNSUPPORTED`.
 */
export async function loadSnapshot(io: TableIo, target?: number): Promise<Snapshot | null> {
  const hint = await readHint(io);
  if (hint !== null && (target === undefined || hint <= target)) {
    const log = indexLog(await io.log.list(firstNameOf(hint)));
    for (const plan of planReads(log, target)) {
      const outcome = await tryPlan(io, plan);
      if (!(outcome instanceof BrokenCheckpoint)) return outcome;
    }
  }
  return await loadFromFullListing(io, target);
}

async function loadFromFullListing(io: TableIo, target?: number): Promise<Snapshot | null> {
  const log = indexLog(await io.log.list(''));
  const newest = newestVersion(log);
  if (newest === null) return null;
  if (target !== undefined && target > newest) {
    throw new AppError('TABLE_VERSION_NOT_FOUND', `The table has no version ${target}.`, {
      hint: `Its newest version is ${newest}.`,
    });
  }
  let broken: BrokenCheckpoint | null = null;
  for (const plan of planReads(log, target)) {
    const outcome = await tryPlan(io, plan);
    if (!(outcome instanceof BrokenCheckpoint)) return outcome;
    broken ??= outcome;
  }
  throw broken?.toError() ?? unreadable(io, log.commits, target ?? newest);
}

/** Why no plan led to the version: the log was cleaned up before it, or a commit is gone. */
function unreadable(io: TableIo, commits: readonly number[], target: number): AppError {
  const gap = commits.findIndex(
    (version, index) => index > 0 && version !== commits[index - 1]! + 1,
  );
  if (gap === -1 && commits.length > 0 && commits[0]! > 0) {
    return new AppError('TABLE_VERSION_NOT_FOUND', `Version ${target} can no longer be read.`, {
      hint: `The log before version ${commits[0]} was cleaned up; ask for a later version.`,
    });
  }
  const missing = gap === -1 ? target : commits[gap - 1]! + 1;
  return new AppError('TABLE_CORRUPT', `The table lacks commit ${commitName(missing)}.`, {
    hint: `Restore it in ${io.location}/_delta_log from a backup; nothing was changed.`,
  });
}

/** A checkpoint that cannot be read: an older one, or the commits alone, may still do. */
class BrokenCheckpoint {
  readonly #name: string;
  readonly #cause: unknown;

  constructor(name: string, cause: unknown) {
    this.#name = name;
    this.#cause = cause;
  }

  toError(): AppError {
    return new AppError('TABLE_CORRUPT', `The checkpoint ${this.#name} cannot be read.`, {
      hint: 'Restore it from a backup: the commits before it are gone, and only it has their state.',
      cause: this.#cause,
    });
  }
}

async function tryPlan(io: TableIo, plan: ReadPlan): Promise<Snapshot | BrokenCheckpoint> {
  const replay = new Replay();
  for (const name of plan.checkpoint?.names ?? []) {
    try {
      for await (const actions of io.parquet.readCheckpoint(name)) replay.apply(actions);
    } catch (cause) {
      return new BrokenCheckpoint(name, cause);
    }
  }
  for await (const { version, actions } of readCommits(io, plan.commits)) {
    if (actions === null) throw unreadable(io, [], version);
    replay.apply(actions);
  }
  return replay.finish(plan.version, plan.checkpoint?.version ?? null);
}

async function readHint(io: TableIo): Promise<number | null> {
  const text = await io.log.read(LAST_CHECKPOINT);
  if (text === null) return null;
  try {
    const version = (JSON.parse(text) as { version?: unknown } | null)?.version;
    return Number.isSafeInteger(version) && (version as number) >= 0 ? (version as number) : null;
  } catch {
    return null;
  }
}

/** The actions of each of these commits, or null when there is no such commit. */
export async function* readCommits(
  io: TableIo,
  versions: readonly number[],
): AsyncGenerator<{ readonly version: number; readonly actions: readonly Action[] | null }> {
  for (let start = 0; start < versions.length; start += COMMITS_AT_ONCE) {
    const some = versions.slice(start, start + COMMITS_AT_ONCE);
    const commits = await Promise.all(some.map((version) => readCommit(io, version)));
    for (const [index, actions] of commits.entries()) yield { version: some[index]!, actions };
  }
}

/** The actions of one commit, or null when there is no such commit. */
export async function readCommit(io: TableIo, version: number): Promise<Action[] | null> {
  const name = commitName(version);
  const text = await io.log.read(name);
  return text === null ? null : parseActions(text, name);
}

/**
 * The newest state, reading only what came after `snapshot`; the same object when nothing did. A
 * snapshot whose own commit has vanished (cleaned up or replaced behind our back) is read anew.
 */
export async function refreshSnapshot(io: TableIo, snapshot: Snapshot): Promise<Snapshot | null> {
  if ((await io.log.modifiedMs(commitName(snapshot.version))) === null) {
    return await loadSnapshot(io);
  }
  let newest = snapshot;
  for (;;) {
    const actions = await readCommit(io, newest.version + 1);
    if (actions === null) return newest;
    newest = advance(newest, actions);
  }
}
