import { checkpointName, parseLogName } from './log-names.ts';

/** What a listing of `_delta_log` holds, both ascending. */
export interface LogIndex {
  readonly commits: readonly number[];
  readonly checkpoints: readonly CheckpointFiles[];
}

export interface CheckpointFiles {
  readonly version: number;
  /** One file, or all parts of a multi-part checkpoint. */
  readonly names: readonly string[];
}

/** One way to a version: a checkpoint (or none), then every commit after it. */
export interface ReadPlan {
  readonly version: number;
  readonly checkpoint: CheckpointFiles | null;
  readonly commits: readonly number[];
}

export function indexLog(names: readonly string[]): LogIndex {
  const commits: number[] = [];
  const checkpoints = new Map<number, CheckpointFiles>();
  const partsOf = new Map<string, string[]>();
  for (const name of names) {
    const file = parseLogName(name);
    if (file === null) continue;
    if (file.kind === 'commit') commits.push(file.version);
    else if (file.kind === 'checkpoint') {
      checkpoints.set(file.version, {
        version: file.version,
        names: [checkpointName(file.version)],
      });
    } else {
      // An incomplete set is no checkpoint: its writer died half-way.
      const key = `${file.version}/${file.parts}`;
      const parts = partsOf.get(key) ?? [];
      parts.push(name);
      partsOf.set(key, parts);
      if (parts.length === file.parts && !checkpoints.has(file.version)) {
        checkpoints.set(file.version, { version: file.version, names: parts });
      }
    }
  }
  const sorted = [...checkpoints.values()].sort((a, b) => a.version - b.version);
  return { commits, checkpoints: sorted };
}

/** The newest version the listing knows, or null for an empty log. */
export function newestVersion(log: LogIndex): number | null {
  const commit = log.commits.at(-1) ?? -1;
  const checkpoint = log.checkpoints.at(-1)?.version ?? -1;
  const newest = Math.max(commit, checkpoint);
  return newest < 0 ? null : newest;
}

/**
 * Every complete way to `target` (default: the newest version), the cheapest first: newest
 * checkpoint, older ones, the commits alone. A way with a missing commit is none. Lazy, because a
 * long log has thousands of checkpoints and the first way is nearly always the one.
 */
export function* planReads(log: LogIndex, target?: number): Generator<ReadPlan> {
  const version = target ?? newestVersion(log);
  if (version === null) return;
  for (let index = log.checkpoints.length - 1; index >= 0; index -= 1) {
    const checkpoint = log.checkpoints[index]!;
    if (checkpoint.version > version) continue;
    const commits = commitsBetween(log.commits, checkpoint.version + 1, version);
    if (commits !== null) yield { version, checkpoint, commits };
  }
  const commits = commitsBetween(log.commits, 0, version);
  if (commits !== null) yield { version, checkpoint: null, commits };
}

/** The commits `first..last`, or null when one of them is missing. */
function commitsBetween(commits: readonly number[], first: number, last: number): number[] | null {
  const count = last - first + 1;
  if (count === 0) return [];
  const start = lowerBound(commits, first);
  const isComplete = commits[start] === first && commits[start + count - 1] === last;
  return isComplete ? commits.slice(start, start + count) : null;
}

/** Index of the first element not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
