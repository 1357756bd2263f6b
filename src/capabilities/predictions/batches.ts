import type { Segment, JournalRecord } from '../../platform/journal/segment.ts';
import { RecordKind } from '../../platform/journal/segment.ts';
import type { Column } from '../tables/contract.ts';
import type { JournaledLabel, JournaledPrediction } from './record.ts';
import type { PendingRow } from './settle-rows.ts';
import {
  labelRow,
  LABELS,
  LABEL_COLUMNS,
  predictionRow,
  PREDICTIONS,
  PREDICTION_COLUMNS,
} from './tables.ts';

/** A record of the journal as a row of its table. */
export interface BatchRow extends PendingRow {
  /** As it is in the journal. */
  readonly payload: string;
  readonly requestId: string | null;
  readonly key: string | null;
}

/** Rows of one table in one segment, in the order of the journal. */
export interface Batch {
  readonly namespace: typeof PREDICTIONS | typeof LABELS;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: BatchRow[];
}

/** Both kinds of records begin with these; enough to say whose record it is that cannot be read. */
const START = /^\{"request_id":("(?:[^"\\]|\\.)*"),"endpoint":"([a-z][a-z0-9_]*)"/;
/** Stands for the endpoint of a record that does not even tell that. */
const NOBODY = 'unknown';

export function toBatches(segment: Segment): readonly Batch[] {
  const batches = new Map<string, Batch>();
  for (const record of segment.records) {
    const { endpoint, row } = toRow(record, segment.header.writer);
    const namespace = record.kind === RecordKind.prediction ? PREDICTIONS : LABELS;
    const of = `${namespace}.${endpoint}`;
    let batch = batches.get(of);
    if (batch === undefined) {
      const columns = namespace === PREDICTIONS ? PREDICTION_COLUMNS : LABEL_COLUMNS;
      batch = { namespace, name: endpoint, columns, rows: [] };
      batches.set(of, batch);
    }
    batch.rows.push(row);
  }
  return [...batches.values()];
}

function toRow(
  { kind, seq, payload }: JournalRecord,
  journal: string,
): { readonly endpoint: string; readonly row: BatchRow } {
  const origin = { journal, seq };
  try {
    if (kind === RecordKind.prediction) {
      const record = JSON.parse(payload) as JournaledPrediction;
      const { endpoint, request_id: requestId, key } = record;
      const line = JSON.stringify(predictionRow(record, origin));
      return { endpoint, row: { seq, payload, requestId, key, line, unreadable: null } };
    }
    const label = JSON.parse(payload) as JournaledLabel;
    const line = JSON.stringify(labelRow(label, origin));
    const requestId = label.request_id;
    return {
      endpoint: label.endpoint,
      row: { seq, payload, requestId, key: null, line, unreadable: null },
    };
  } catch (thrown) {
    const [, id, endpoint = NOBODY] = START.exec(payload) ?? [];
    const requestId = id === undefined ? null : (JSON.parse(id) as string);
    const unreadable = `The record cannot be read: ${String(thrown)}`;
    return { endpoint, row: { seq, payload, requestId, key: null, line: null, unreadable } };
  }
}
