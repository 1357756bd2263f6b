import { AppError } from '../../base/errors.ts';
import type { Action, AddFile, Metadata, Protocol, RemoveFile, Txn } from './actions.ts';
import { LiveFiles } from './live-files.ts';
import { recordCount } from './stats.ts';
import { assertReadable } from './table-features.ts';

/** The state of a table at one version. Immutable: a later version is a new snapshot. */
export interface Snapshot {
  readonly version: number;
  /** The checkpoint this state was read from, if any. */
  readonly checkpointVersion: number | null;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** Live files by path. */
  readonly files: ReadonlyMap<string, AddFile>;
  readonly tombstones: ReadonlyMap<string, RemoveFile>;
  /** The newest committed batch of each application. */
  readonly txns: ReadonlyMap<string, Txn>;
  /** Rows of the files whose stats count them; the others are `uncountedFiles`. */
  readonly countedRows: number;
  readonly uncountedFiles: number;
  readonly sizeBytes: number;
}

/**
 * Action reconciliation ("Action Reconciliation" in PROTOCOL.md): actions applied oldest first, the
 * latest of each key wins.
 */
export class Replay {
  #protocol: Protocol | null;
  #metadata: Metadata | null;
  readonly #files: Map<string, AddFile>;
  readonly #tombstones: Map<string, RemoveFile>;
  readonly #txns: Map<string, Txn>;
  #rows: number;
  #uncountedFiles: number;
  #sizeBytes: number;

  constructor(base: Snapshot | null = null) {
    this.#protocol = base?.protocol ?? null;
    this.#metadata = base?.metadata ?? null;
    this.#files = new Map(base?.files);
    this.#tombstones = new Map(base?.tombstones);
    this.#txns = new Map(base?.txns);
    this.#rows = base?.countedRows ?? 0;
    this.#uncountedFiles = base?.uncountedFiles ?? 0;
    this.#sizeBytes = base?.sizeBytes ?? 0;
  }

  apply(actions: readonly Action[]): void {
    // Within one commit order has no meaning, so a file that is removed and added again with
    // another deletion vector must end up added: removes first.
    for (const { remove } of actions) if (remove) this.#remove(remove);
    for (const action of actions) {
      if (action.add) this.#add(action.add);
      else if (action.txn) this.#txns.set(action.txn.appId, action.txn);
      else if (action.metaData) this.#metadata = action.metaData;
      else if (action.protocol) this.#protocol = action.protocol;
    }
  }

  #add(file: AddFile): void {
    this.#forget(file.path);
    if (this.#tombstones.size > 0) this.#tombstones.delete(file.path);
    this.#files.set(file.path, file);
    this.#count(file, 1);
  }

  #remove(tombstone: RemoveFile): void {
    this.#forget(tombstone.path);
    this.#tombstones.set(tombstone.path, tombstone);
  }

  #forget(path: string): void {
    const former = this.#files.get(path);
    if (former === undefined) return;
    this.#files.delete(path);
    this.#count(former, -1);
  }

  #count(file: AddFile, sign: 1 | -1): void {
    const records = recordCount(file.stats);
    if (records === null) this.#uncountedFiles += sign;
    else this.#rows += sign * records;
    this.#sizeBytes += sign * file.size;
  }

  /** The state after all applied actions; refuses a table whose features we cannot read. */
  finish(version: number, checkpointVersion: number | null): Snapshot {
    const protocol = this.#protocol;
    const metadata = this.#metadata;
    if (protocol === null || metadata === null) {
      throw new AppError('TABLE_CORRUPT', `Version ${version} has no protocol or no metadata.`, {
        hint: 'The log lost its beginning; restore _delta_log from a backup.',
      });
    }
    assertReadable(protocol, metadata);
    return {
      version,
      checkpointVersion,
      protocol,
      metadata,
      files: LiveFiles.of(this.#files),
      tombstones: this.#tombstones,
      txns: this.#txns,
      countedRows: this.#rows,
      uncountedFiles: this.#uncountedFiles,
      sizeBytes: this.#sizeBytes,
    };
  }
}

/** The state one commit later. */
export function advance(snapshot: Snapshot, actions: readonly Action[]): Snapshot {
  const grown = grow(snapshot, actions);
  if (grown !== null) return grown;
  const replay = new Replay(snapshot);
  replay.apply(actions);
  return replay.finish(snapshot.version + 1, snapshot.checkpointVersion);
}

/** The state after a commit that only adds files which were never there; null for any other. */
function grow(snapshot: Snapshot, actions: readonly Action[]): Snapshot | null {
  const added: AddFile[] = [];
  const paths = new Set<string>();
  const txns = new Map(snapshot.txns);
  let { countedRows, uncountedFiles, sizeBytes } = snapshot;
  for (const { add, txn, remove, metaData, protocol } of actions) {
    if (remove || metaData || protocol) return null;
    if (txn) txns.set(txn.appId, txn);
    if (!add) continue;
    const isKnown = snapshot.files.has(add.path) || snapshot.tombstones.has(add.path);
    if (isKnown || paths.has(add.path)) return null;
    paths.add(add.path);
    added.push(add);
    const records = recordCount(add.stats);
    if (records === null) uncountedFiles += 1;
    else countedRows += records;
    sizeBytes += add.size;
  }
  const { version, files } = snapshot;
  const live = files instanceof LiveFiles ? files : LiveFiles.of(new Map(files));
  const counts = { countedRows, uncountedFiles, sizeBytes };
  return { ...snapshot, ...counts, version: version + 1, files: live.and(added), txns };
}
