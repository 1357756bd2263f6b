import { readFile, unlink } from 'node:fs/promises';
import { AppError, toAppError } from '../../base/errors.ts';
import { decodeSegment, RecordKind, type Segment } from '../../platform/journal/segment.ts';
import type { Column } from '../tables/contract.ts';
import type { JournaledLabel, JournaledPrediction } from './record.ts';
import { indexChanges } from './request-index.ts';
import {
  labelRow,
  LABELS,
  LABEL_COLUMNS,
  predictionRow,
  PREDICTIONS,
  PREDICTION_COLUMNS,
} from './tables.ts';
import type { PredictionTaskDeps } from './tasks.ts';

export interface FlushOutcome {
  /** Rows added by this flush; what was in already does not count. */
  readonly predictions: number;
  readonly labels: number;
  /** Segments whose records are all in their tables; their files are gone. */
  readonly released: readonly string[];
  /** What kept other segments back, one message a segment. */
  readonly failures: readonly string[];
}

/** Rows of one table in one segment, in the order of the journal. */
interface Batch {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: { readonly seq: number; readonly row: Readonly<Record<string, unknown>> }[];
  readonly predictions: JournaledPrediction[];
}

/**
 * Flushes segments in order. Each table takes a segment's rows in one append whose transaction id
 * is (journal, last sequence number), so a flush that died anywhere can simply run again.
 */
export async function flushSegments(
  segments: readonly string[],
  deps: PredictionTaskDeps,
  signal: AbortSignal,
): Promise<FlushOutcome> {
  const outcome = { predictions: 0, labels: 0, released: [] as string[], failures: [] as string[] };
  // A table that failed takes no later rows either: its stream's numbers would pass the lost ones
  // by.
  const blocked = new Set<string>();
  for (const file of segments) {
    // Its caller has given up and will ask again: two at once would do everything twice.
    signal.throwIfAborted();
    const isWhole = await flushSegment(file, { deps, blocked, outcome });
    if (!isWhole) continue;
    deps.faults.hit('flush.before-unlink');
    await unlink(file).catch(ignoreMissing);
    outcome.released.push(file);
  }
  return outcome;
}

async function flushSegment(
  file: string,
  on: {
    readonly deps: PredictionTaskDeps;
    readonly blocked: Set<string>;
    readonly outcome: { predictions: number; labels: number; readonly failures: string[] };
  },
): Promise<boolean> {
  const { deps, blocked, outcome } = on;
  const segment = await readSegment(file);
  if (segment === null) return true;
  let isWhole = true;
  for (const batch of toBatches(segment)) {
    const table = `${batch.namespace}.${batch.name}`;
    try {
      if (blocked.has(table)) throw new AppError('CONFLICT', 'it waits for an earlier segment');
      const added = await append(batch, segment.header.writer, deps);
      if (batch.namespace === PREDICTIONS) outcome.predictions += added;
      else outcome.labels += added;
    } catch (thrown) {
      isWhole = false;
      blocked.add(table);
      outcome.failures.push(`${table}: ${toAppError(thrown).message}`);
    }
  }
  return isWhole;
}

/** Null for a segment that is already gone, or that never held a record. */
async function readSegment(file: string): Promise<Segment | null> {
  try {
    return decodeSegment(await readFile(file), file);
  } catch (thrown) {
    ignoreMissing(thrown);
    return null;
  }
}

function ignoreMissing(thrown: unknown): void {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
}

function toBatches(segment: Segment): readonly Batch[] {
  const batches = new Map<string, Batch>();
  const { writer } = segment.header;
  for (const { kind, seq, payload } of segment.records) {
    const origin = { journal: writer, seq };
    if (kind === RecordKind.prediction) {
      const record = JSON.parse(payload) as JournaledPrediction;
      const batch = batchOf(batches, PREDICTIONS, record.endpoint);
      batch.rows.push({ seq, row: predictionRow(record, origin) });
      batch.predictions.push(record);
    } else {
      const label = JSON.parse(payload) as JournaledLabel;
      batchOf(batches, LABELS, label.endpoint).rows.push({ seq, row: labelRow(label, origin) });
    }
  }
  return [...batches.values()];
}

function batchOf(batches: Map<string, Batch>, namespace: string, name: string): Batch {
  const key = `${namespace}.${name}`;
  let batch = batches.get(key);
  if (batch === undefined) {
    const columns = namespace === PREDICTIONS ? PREDICTION_COLUMNS : LABEL_COLUMNS;
    batch = { namespace, name, columns, rows: [], predictions: [] };
    batches.set(key, batch);
  }
  return batch;
}

/**
 * Adds what the table does not have yet, then points the request index at it; counts added rows.
 */
async function append(batch: Batch, writer: string, deps: PredictionTaskDeps): Promise<number> {
  const { tables, faults } = deps;
  const ref = { namespace: batch.namespace, name: batch.name };
  const appId = `journal/${writer}`;
  await tables.ensure(ref, batch.columns);
  const newest = (await tables.txnVersion(ref, appId)) ?? -1;
  const missing = batch.rows.filter(({ seq }) => seq > newest);
  faults.hit('flush.before-append');
  let addedIn: number | null = null;
  let added = 0;
  if (missing.length > 0) {
    const txn = { appId, version: missing.at(-1)!.seq };
    const beforeCommit = (): void => faults.hit('flush.before-commit');
    const done = await tables.append({ ...ref, ndjson: ndjson(missing), txn, beforeCommit });
    faults.hit('flush.after-commit');
    addedIn = done.version;
    added = done.rows;
  }
  faults.hit('flush.before-index');
  await index(batch, addedIn, deps);
  return added;
}

function ndjson(rows: Batch['rows']): Uint8Array {
  return Buffer.from(rows.map(({ row }) => `${JSON.stringify(row)}\n`).join(''));
}

/** Also after a flush that added nothing: the one that did may have died before this. */
async function index(
  batch: Batch,
  addedIn: number | null,
  deps: PredictionTaskDeps,
): Promise<void> {
  if (batch.predictions.length === 0) return;
  const changes = batch.predictions.flatMap((record) =>
    indexChanges({
      requestId: record.request_id,
      endpoint: record.endpoint,
      tableVersion: addedIn,
      key: record.key,
    }),
  );
  await deps.index.apply(changes);
}
