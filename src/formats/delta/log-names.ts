/** Names inside `_delta_log` ("Delta Log Entries" and "Checkpoints" in PROTOCOL.md). */
export const LAST_CHECKPOINT = '_last_checkpoint';

export function commitName(version: number): string {
  return `${padded(version)}.json`;
}

export function checkpointName(version: number): string {
  return `${padded(version)}.checkpoint.parquet`;
}

/** The first name a listing from `version` on can hold. */
export function firstNameOf(version: number): string {
  return padded(version);
}

function padded(version: number): string {
  return String(version).padStart(20, '0');
}

export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'checkpoint'; readonly version: number }
  /** One of `parts` files that are a checkpoint only together; written by old Spark versions. */
  | {
      readonly kind: 'checkpoint-part';
      readonly version: number;
      readonly part: number;
      readonly parts: number;
    };

const COMMIT = /^(\d{20})\.json$/;
const CHECKPOINT = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/;

/** Null for anything else: checksums, compacted logs, V2 checkpoints, temporary files. */
export function parseLogName(name: string): LogFile | null {
  const commit = COMMIT.exec(name);
  if (commit !== null) return { kind: 'commit', version: Number(commit[1]) };
  const match = CHECKPOINT.exec(name);
  if (match === null) return null;
  const version = Number(match[1]);
  if (match[2] === undefined) return { kind: 'checkpoint', version };
  return { kind: 'checkpoint-part', version, part: Number(match[2]), parts: Number(match[3]) };
}
