import { formatAction, type RemoveFile } from './actions.ts';
import { checkpointName, LAST_CHECKPOINT } from './log-names.ts';
import type { Snapshot } from './snapshot.ts';
import type { TableIo } from './table-io.ts';

/** Commits between checkpoints of a small table where it sets none. */
export const CHECKPOINT_INTERVAL_DEFAULT = 10;

/**
 * A checkpoint lists every file, removed ones for a while too, so one of a table with many files is
 * worth as many more commits: reading these costs an opener no more than reading it does, and
 * writing them all stays linear.
 */
const FILES_PER_COMMIT = 20;

/** `delta.deletedFileRetentionDuration` where the table sets none: one week. */
const TOMBSTONE_RETENTION_MS = 7 * 24 * 3600 * 1000;

/**
 * Whether so many commits lie behind the last known checkpoint, by the table's
 * `delta.checkpointInterval`. Counted from there, not by round numbers: of several writers the one
 * that lands on the round number may be one that writes no checkpoints. Where the table sets none,
 * later the more files it lists.
 */
export function isCheckpointDue(snapshot: Snapshot): boolean {
  const declared = Number(snapshot.metadata.configuration?.['delta.checkpointInterval']);
  const interval =
    Number.isSafeInteger(declared) && declared > 0 ? declared : CHECKPOINT_INTERVAL_DEFAULT;
  const commits = snapshot.version - (snapshot.checkpointVersion ?? 0);
  if (commits < interval || Number.isSafeInteger(declared)) return commits >= interval;
  return commits >= (snapshot.files.size + snapshot.tombstones.size) / FILES_PER_COMMIT;
}

/**
 * Writes a classic (V1) checkpoint of the snapshot, then points `_last_checkpoint` at it. `nowMs`
 * is milliseconds since 1970: tombstones past their retention are left out.
 */
export async function writeCheckpoint(
  io: TableIo,
  snapshot: Snapshot,
  nowMs: number,
): Promise<void> {
  const tombstones = unexpiredTombstones(snapshot, nowMs);
  const written = await io.parquet.writeCheckpoint(
    checkpointName(snapshot.version),
    checkpointLines(snapshot, tombstones),
  );
  const hint = {
    version: snapshot.version,
    size: 2 + snapshot.txns.size + snapshot.files.size + tombstones.length,
    sizeInBytes: written.sizeBytes,
    numOfAddFiles: snapshot.files.size,
  };
  await io.log.replace(LAST_CHECKPOINT, JSON.stringify(hint));
}

function* checkpointLines(
  { protocol, metadata, txns, files }: Snapshot,
  tombstones: readonly RemoveFile[],
): Generator<string> {
  yield formatAction({ protocol });
  yield formatAction({ metaData: metadata });
  for (const txn of txns.values()) yield formatAction({ txn });
  for (const file of files.values()) {
    const { path, partitionValues, size, modificationTime, stats, tags } = file;
    // In a checkpoint nothing changes data ("Checkpoints": dataChange is always false).
    const add = {
      path,
      partitionValues: partitionValues ?? {},
      size,
      modificationTime,
      stats,
      tags,
    };
    yield formatAction({ add: { ...add, dataChange: false } as typeof file });
  }
  for (const tombstone of tombstones) {
    yield formatAction({ remove: { ...tombstone, dataChange: false } });
  }
}

function unexpiredTombstones(snapshot: Snapshot, nowMs: number): RemoveFile[] {
  const declared = snapshot.metadata.configuration?.['delta.deletedFileRetentionDuration'];
  const retentionMs = declared === undefined ? TOMBSTONE_RETENTION_MS : intervalMs(declared);
  // A retention we cannot read keeps every tombstone: too many cost bytes, too few cost files.
  if (retentionMs === null) return [...snapshot.tombstones.values()];
  return [...snapshot.tombstones.values()].filter(
    ({ deletionTimestamp }) => (deletionTimestamp ?? 0) + retentionMs > nowMs,
  );
}

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 24 * 3_600_000,
  week: 7 * 24 * 3_600_000,
};

/** Milliseconds of a Delta interval such as `interval 30 days`; null for any other spelling. */
export function intervalMs(text: string): number | null {
  const match = /^(?:interval\s+)?(\d{1,9})\s+([a-z]+?)s?$/i.exec(text.trim());
  const unit = UNIT_MS[match?.[2]?.toLowerCase() ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}
