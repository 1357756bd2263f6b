import { AppError } from '../../base/errors.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { KvWriter } from '../../platform/kv/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { Micros } from '../../base/time.ts';
import { flushSegments, type FlushOutcome } from './flush.ts';
import type { JournaledPrediction } from './record.ts';
import type { Indexed } from './request-index.ts';
import { instant, LABELS, PREDICTIONS, toRecord } from './tables.ts';
import { rebuildIndex } from './rebuild-index.ts';

/** What the engine does for the prediction log. */
export type PredictionTasks = {
  /** Puts the segments' records into their tables, exactly once, and removes the segments. */
  readonly 'predictions.flush': {
    readonly input: { readonly segments: readonly string[] };
    readonly output: FlushOutcome;
  };
  readonly 'predictions.find': {
    readonly input: Indexed;
    readonly output: StoredPrediction | null;
  };
  /** Rows with a sequence number below `before`, newest first. */
  readonly 'predictions.list': {
    readonly input: { readonly endpoint: string; readonly before: number; readonly limit: number };
    readonly output: readonly StoredPrediction[];
  };
  /** Labels of one request, oldest first; `value` is JSON text. */
  readonly 'predictions.labels': {
    readonly input: { readonly endpoint: string; readonly requestId: string };
    readonly output: readonly { readonly value: string; readonly at: Micros }[];
  };
  /**
   * Fills the request index from the tables after the online store was lost; counts the entries.
   */
  readonly 'predictions.index': {
    readonly input: null;
    readonly output: { readonly indexed: number };
  };
};

export interface StoredPrediction {
  readonly record: JournaledPrediction;
  readonly seq: number;
}

export interface PredictionTaskDeps {
  readonly tables: DeltaTables;
  readonly index: KvWriter;
  readonly faults: Faults;
}

export function predictionTasks(deps: PredictionTaskDeps): TaskHandlers<PredictionTasks> {
  const { tables } = deps;
  return {
    'predictions.flush': ({ segments }, { signal }) => flushSegments(segments, deps, signal),
    'predictions.find': async (indexed, { signal }) => {
      const found = await find(tables, indexed, signal);
      if (found !== null || indexed.tableVersion === null) return found;
      // Another Delta writer has compacted the table: the row lies in a file of a later version.
      return find(tables, { ...indexed, tableVersion: null }, signal);
    },
    'predictions.list': async ({ endpoint, before, limit }, { signal }) => {
      const page = await orEmpty(
        tables.find(
          { namespace: PREDICTIONS, name: endpoint },
          {
            where: [{ column: 'seq', comparison: '<', value: before }],
            orderBy: { column: 'seq', descending: true },
            limit,
            signal,
          },
        ),
      );
      return toStored(endpoint, page);
    },
    'predictions.labels': async ({ endpoint, requestId }, { signal }) => {
      const page = await orEmpty(
        tables.find(
          { namespace: LABELS, name: endpoint },
          {
            where: [{ column: 'request_id', comparison: '=', value: requestId }],
            orderBy: { column: 'seq', descending: false },
            columns: ['value', 'occurred_at'],
            limit: LABELS_MAX,
            signal,
          },
        ),
      );
      return page.rows.map(([value, at]) => ({ value: String(value), at: instant(String(at)) }));
    },
    'predictions.index': () => rebuildIndex(deps),
  };
}

async function find(
  tables: DeltaTables,
  { endpoint, requestId, tableVersion }: Indexed,
  signal: AbortSignal,
): Promise<StoredPrediction | null> {
  const page = await tables.find(
    { namespace: PREDICTIONS, name: endpoint },
    {
      where: [{ column: 'request_id', comparison: '=', value: requestId }],
      orderBy: { column: 'seq', descending: true },
      ...(tableVersion === null ? {} : { addedIn: tableVersion }),
      limit: 1,
      signal,
    },
  );
  return toStored(endpoint, page)[0] ?? null;
}

/** Labels shown of one request: a request corrected more often than this has other problems. */
const LABELS_MAX = 1000;

type Page = Awaited<ReturnType<DeltaTables['find']>>;
const EMPTY: Pick<Page, 'columns' | 'rows'> = { columns: [], rows: [] };

function toStored(
  endpoint: string,
  { columns, rows }: Pick<Page, 'columns' | 'rows'>,
): readonly StoredPrediction[] {
  const seq = columns.findIndex(({ name }) => name === 'seq');
  return rows.map((row) => ({ record: toRecord(endpoint, columns, row), seq: Number(row[seq]) }));
}

/** An endpoint without a flushed request has no table yet. */
async function orEmpty(page: Promise<Page>): Promise<Pick<Page, 'columns' | 'rows'>> {
  try {
    return await page;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return EMPTY;
    throw thrown;
  }
}
