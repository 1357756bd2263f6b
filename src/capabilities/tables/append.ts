import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { MICROS_PER_MS, type Clock } from '../../base/time.ts';
import type { AddFile, Txn } from '../../formats/delta/actions.ts';
import { parseColumns, sameColumns, type Column } from '../../formats/delta/schema.ts';
import { loadSnapshot } from '../../formats/delta/load-snapshot.ts';
import type { Snapshot } from '../../formats/delta/snapshot.ts';
import { formatStats, indexedColumns, nullViolation } from '../../formats/delta/stats.ts';
import { assertAppendable } from '../../formats/delta/table-features.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import { commitAppend, isCommitted, type AppendOutcome } from '../../formats/delta/transaction.ts';
import type { Analytics, RowBatch, RowSource } from '../../platform/analytics/port.ts';
import type { RecentFile } from './recent-files.ts';

/** Where rows come from; a path and bytes hold one JSON object a line. */
export type AppendRows =
  | { readonly ndjsonPath: string }
  | { readonly ndjson: Uint8Array }
  /** Of unknown origin. */
  | { readonly parquetPath: string }
  /** A SELECT of our own over files DuckDB may read, with the table's columns by name. */
  | { readonly select: string };

export interface AppendOptions {
  /** What the caller takes the columns to be; `SCHEMA_MISMATCH` when the table has others. */
  readonly columns?: readonly Column[];
  /** The stream and number of this batch: a number not above the stream's newest adds nothing. */
  readonly txn?: Pick<Txn, 'appId' | 'version'>;
  /** Who asked for it, noted in the commit. */
  readonly user?: string;
  readonly signal?: AbortSignal;
  /** Called when the data file is durable and the commit not begun: where tests crash. */
  readonly beforeCommit?: () => void;
}

interface Appended {
  readonly rows: number;
  /** Set for a small file. */
  readonly recent?: RecentFile;
}

export interface AppendDeps {
  readonly analytics: Analytics;
  readonly clock: Pick<Clock, 'wall'>;
  readonly ids: Ids;
}

export const ENGINE_INFO = 'Millwright';

/**
 * Writes the rows as one data file and commits it. A crash in between leaves a file nobody sees.
 */
export async function appendToTable(
  deps: AppendDeps,
  io: TableIo,
  snapshot: Snapshot,
  input: AppendRows & AppendOptions,
): Promise<AppendOutcome & Appended> {
  assertAppendable(snapshot.protocol, snapshot.metadata);
  const columns = parseColumns(snapshot.metadata.schemaString);
  if (input.columns !== undefined && !sameColumns(input.columns, columns)) {
    throw schemaMismatch(io.location);
  }
  if (isCommitted(snapshot, input.txn)) return { isDuplicate: true, snapshot, rows: 0 };
  const { file, rows, batch } = await writeDataFile(deps, io, snapshot, columns, input);
  if (file === null && input.txn === undefined) return { isDuplicate: false, snapshot, rows };
  input.beforeCommit?.();
  const timeMs = wallMs(deps.clock);
  const files = file === null ? [] : [file];
  try {
    const outcome = await commitAppend(io, snapshot, {
      files,
      ...(input.txn === undefined ? {} : { txn: input.txn }),
      timeMs,
      commitInfo: {
        timestamp: timeMs,
        operation: 'WRITE',
        operationParameters: { mode: 'Append' },
        operationMetrics: writeMetrics(files, rows),
        engineInfo: ENGINE_INFO,
        ...(input.user === undefined ? {} : { userName: input.user }),
        txnId: guid(deps.ids),
      },
    });
    if (outcome.isDuplicate) await removeFiles(io, files);
    if (outcome.isDuplicate) return { ...outcome, rows: 0 };
    if (file === null || batch === undefined) return { ...outcome, rows };
    const { location } = io;
    const { version } = outcome.snapshot;
    const place = { path: path.join(location, file.path), location, version };
    return { ...outcome, rows, recent: { ...place, added: file, columns, batch } };
  } catch (error) {
    await removeUnlessNamed(io, files);
    throw error;
  }
}

/** Writes the rows as one durable file that no commit names yet; null when there is none. */
export async function writeDataFile(
  { analytics, clock, ids }: AppendDeps,
  io: TableIo,
  snapshot: Snapshot,
  columns: readonly Column[],
  input: AppendRows & AppendOptions,
): Promise<{
  readonly file: AddFile | null;
  readonly rows: number;
  readonly batch?: RowBatch;
}> {
  const name = `part-00000-${guid(ids)}-c000.zstd.parquet`;
  const target = path.join(io.location, name);
  const written = await analytics.writeParquet(target, rowSource(input), columns, input.signal);
  const nullColumn = nullViolation(columns, written.stats);
  if (written.stats.rows === 0 || nullColumn !== null) await rm(target);
  if (nullColumn !== null) {
    throw new AppError('INVALID_INPUT', `Column ${nullColumn} may not be null.`, {
      hint: 'Nothing of this append was kept.',
      details: { column: nullColumn },
    });
  }
  if (written.stats.rows === 0) return { file: null, rows: 0 };
  const file: AddFile = {
    path: name,
    partitionValues: {},
    size: written.sizeBytes,
    modificationTime: wallMs(clock),
    dataChange: true,
    stats: formatStats(columns, written.stats, indexedColumns(snapshot.metadata)),
  };
  const { batch } = written;
  return { file, rows: written.stats.rows, ...(batch === undefined ? {} : { batch }) };
}

function rowSource(input: AppendRows): RowSource {
  if ('select' in input) return { kind: 'select', sql: input.select };
  if ('parquetPath' in input) return { kind: 'parquet', path: input.parquetPath };
  const bytes = 'ndjson' in input ? slices(input.ndjson) : createReadStream(input.ndjsonPath);
  return { kind: 'ndjson', bytes };
}

const SLICE_BYTES = 1024 * 1024;

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    yield await Promise.resolve(bytes.subarray(start, start + SLICE_BYTES));
  }
}

/** Spelled as Spark spells them: text. */
function writeMetrics(files: readonly AddFile[], rows: number): Record<string, string> {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return {
    numFiles: String(files.length),
    numOutputRows: String(rows),
    numOutputBytes: String(bytes),
  };
}

/**
 * After a commit that failed, perhaps when it was in already: a full disk must not keep what nobody
 * sees, and what the log names must stay.
 */
export async function removeUnlessNamed(io: TableIo, files: readonly AddFile[]): Promise<void> {
  const newest = await loadSnapshot(io).catch(() => null);
  if (newest === null) return;
  await removeFiles(
    io,
    files.filter(({ path: name }) => !newest.files.has(name) && !newest.tombstones.has(name)),
  );
}

async function removeFiles(io: TableIo, files: readonly AddFile[]): Promise<void> {
  for (const file of files) await rm(path.join(io.location, file.path), { force: true });
}

export function schemaMismatch(location: string): AppError {
  return new AppError('SCHEMA_MISMATCH', `The table at ${location} has other columns.`, {
    hint: 'Columns of a table cannot be changed; write these rows to a table of another name.',
  });
}

/** Delta's times are in milliseconds. */
export function wallMs(clock: Pick<Clock, 'wall'>): number {
  return Math.floor(clock.wall() / MICROS_PER_MS);
}

/** A UUID in its usual spelling: names of data files and tables, and ids of commits. */
export function guid(ids: Ids): string {
  const hex = ids.next('tmp').slice('tmp_'.length);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
