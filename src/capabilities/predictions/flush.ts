import { readFile, rename, unlink } from 'node:fs/promises';
import { AppError, toAppError } from '../../base/errors.ts';
import { decodeSegment, type Segment } from '../../platform/journal/segment.ts';
import { toBatches, type Batch, type BatchRow } from './batches.ts';
import type { Quarantine, RefusedRecord } from './quarantine.ts';
import type { IndexedKeys } from './indexed-keys.ts';
import { indexRequests } from './request-index.ts';
import { settleRows } from './settle-rows.ts';
import { PREDICTIONS } from './tables.ts';
import type { PredictionTaskDeps } from './tasks.ts';

export interface FlushOutcome {
  /** Rows added by this flush; what was in already does not count. */
  readonly predictions: number;
  readonly labels: number;
  /** Records put into quarantine by this flush. */
  readonly refused: readonly RefusedRecord[];
  /** Segments whose records are all in their tables; their files are gone. */
  readonly released: readonly string[];
  /** Released ones that break off inside a record: kept under another name, to be looked at. */
  readonly torn: readonly { readonly file: string; readonly records: number }[];
  /** What kept other segments back, one message a segment. */
  readonly failures: readonly string[];
}

/** Flushes in which a row fails by itself, without an explanation, before it is to blame. */
const UNEXPLAINED_TRIES = 3;

export interface FlushDeps extends PredictionTaskDeps {
  readonly indexed: IndexedKeys;
  readonly quarantine: Quarantine;
  /** How often a row has failed for no known reason, by journal and number. */
  readonly unexplained: Map<string, number>;
  /** Tables that a segment still has rows for, so that it need not be read to know. */
  readonly held: Map<string, ReadonlySet<string>>;
}

interface Flushing {
  readonly deps: FlushDeps;
  /**
   * A table that failed takes no later rows either: its stream's numbers would pass the lost ones
   * by.
   */
  readonly blocked: Set<string>;
  readonly outcome: {
    predictions: number;
    labels: number;
    readonly refused: RefusedRecord[];
    readonly released: string[];
    readonly torn: { readonly file: string; readonly records: number }[];
    readonly failures: string[];
  };
}

/**
 * Flushes segments in order. Each table takes a segment's rows in one append whose transaction id
 * is (journal, last sequence number), so a flush that died anywhere can simply run again. A record
 * that its table refuses goes to quarantine, and the others in.
 */
export async function flushSegments(
  segments: readonly string[],
  deps: FlushDeps,
  signal: AbortSignal,
): Promise<FlushOutcome> {
  const lists = { refused: [], released: [], torn: [], failures: [] };
  const outcome = { predictions: 0, labels: 0, ...lists };
  const flushing: Flushing = { deps, blocked: new Set<string>(), outcome };
  for (const file of segments) {
    // Its caller has given up and will ask again: two at once would do everything twice.
    signal.throwIfAborted();
    const isWhole = await flushSegment(file, flushing);
    if (!isWhole) continue;
    deps.held.delete(file);
    flushing.outcome.released.push(file);
  }
  return outcome;
}

/** Settles what the segment holds and removes it; false when some of it has to wait. */
async function flushSegment(file: string, flushing: Flushing): Promise<boolean> {
  const { deps, blocked, outcome } = flushing;
  // It waits for tables that have failed again: the journal may hold hundreds of such segments.
  const waiting = deps.held.get(file);
  if (waiting !== undefined && [...waiting].every((table) => blocked.has(table))) return false;
  const segment = await readSegment(file);
  if (segment === null) return true;
  const open = new Set<string>();
  for (const batch of toBatches(segment)) {
    const table = `${batch.namespace}.${batch.name}`;
    try {
      if (blocked.has(table)) throw new AppError('CONFLICT', 'it waits for an earlier segment');
      await flushBatch(batch, segment.header.writer, flushing);
    } catch (thrown) {
      open.add(table);
      blocked.add(table);
      outcome.failures.push(`${table}: ${toAppError(thrown).message}`);
    }
  }
  if (open.size > 0) {
    deps.held.set(file, open);
    return false;
  }
  deps.faults.hit('flush.before-unlink');
  await remove(file, segment, outcome.torn);
  return true;
}

/**
 * A power loss may cut the last record; anything else that breaks off has lost what came after,
 * and the file is all there is to tell what.
 */
async function remove(
  file: string,
  segment: Segment,
  torn: { readonly file: string; readonly records: number }[],
): Promise<void> {
  if (segment.tail !== 'torn') {
    await unlink(file).catch(ignoreMissing);
    return;
  }
  const kept = `${file}.torn`;
  await rename(file, kept).catch(ignoreMissing);
  torn.push({ file: kept, records: segment.records.length });
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

/** Adds what the table does not have yet, then points the request index at it. */
async function flushBatch(batch: Batch, writer: string, flushing: Flushing): Promise<void> {
  const { deps, outcome } = flushing;
  const { tables, faults, unexplained } = deps;
  const ref = { namespace: batch.namespace, name: batch.name };
  const appId = `journal/${writer}`;
  await tables.ensure(ref, batch.columns);
  const newest = (await tables.txnVersion(ref, appId)) ?? -1;
  const missing = batch.rows.filter(({ seq }) => seq > newest);
  const versions: number[] = [];
  faults.hit('flush.before-append');
  await settleRows(missing, {
    append: async (rows, version) => {
      const beforeCommit = (): void => faults.hit('flush.before-commit');
      const txn = { appId, version };
      const done = await tables.append({ ...ref, ndjson: ndjson(rows), txn, beforeCommit });
      faults.hit('flush.after-commit');
      if (rows.length > 0) versions.push(done.version);
      if (batch.namespace === PREDICTIONS) outcome.predictions += done.rows;
      else outcome.labels += done.rows;
    },
    refuse: async (row, reason) => {
      const refused = toRefused(batch, row, { reason, journal: writer });
      const { payload } = row;
      if (await deps.quarantine.put({ ...refused, payload })) outcome.refused.push(refused);
      unexplained.delete(`${writer} ${row.seq}`);
    },
    isToBlame: ({ seq }) => {
      const tries = (unexplained.get(`${writer} ${seq}`) ?? 0) + 1;
      unexplained.set(`${writer} ${seq}`, tries);
      return tries >= UNEXPLAINED_TRIES;
    },
  });
  faults.hit('flush.before-index');
  await index(batch, versions.length === 1 ? versions[0]! : null, deps);
}

function toRefused(
  batch: Batch,
  row: BatchRow,
  why: { readonly reason: string; readonly journal: string },
): RefusedRecord {
  const kind = batch.namespace === PREDICTIONS ? 'prediction' : 'label';
  const { requestId, seq } = row;
  return { endpoint: batch.name, kind, requestId, seq, ...why };
}

function ndjson(rows: readonly BatchRow[]): Uint8Array {
  return Buffer.from(rows.map(({ line }) => `${line}\n`).join(''));
}

/** Also after a flush that added nothing: the one that did may have died before this. */
async function index(batch: Batch, addedIn: number | null, deps: FlushDeps): Promise<void> {
  if (batch.namespace !== PREDICTIONS) return;
  await indexRequests(
    deps,
    batch.rows.flatMap(({ requestId, key }) =>
      requestId === null ? [] : { requestId, endpoint: batch.name, tableVersion: addedIn, key },
    ),
  );
}
