import { AppError } from '../../base/errors.ts';
import type { Analytics, Cell } from '../../platform/analytics/port.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { KvWriter } from '../../platform/kv/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { Clock, Micros } from '../../base/time.ts';
import { LIST_CHARS_MAX } from './contract.ts';
import { flushSegments, type FlushDeps, type FlushOutcome } from './flush.ts';
import { IndexedKeys } from './indexed-keys.ts';
import { LabelJoins, type JoinInput, type JoinOutcome } from './join-labels.ts';
import { labelStates, type StateCounts, type StatesInput } from './label-states.ts';
import { nearRequests, type NearQuery, type NearRequest } from './near-requests.ts';
import { Quarantine } from './quarantine.ts';
import type { JournaledPrediction } from './record.ts';
import type { Indexed } from './request-index.ts';
import type { RowFilters } from './row-filters.ts';
import { instant, LABELS, PREDICTIONS, toRecord } from './tables.ts';
import { rebuildIndex } from './rebuild-index.ts';
import {
  trafficHistory,
  type TrafficHistoryFound,
  type TrafficHistoryInput,
} from './traffic-history.ts';

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
    readonly input: {
      readonly endpoint: string;
      readonly before: number;
      readonly limit: number;
      readonly which: RowFilters;
    };
    /** `isCut` when they are fewer than asked for because they are long. */
    readonly output: { readonly rows: readonly StoredPrediction[]; readonly isCut: boolean };
  };
  readonly 'predictions.near': {
    readonly input: NearQuery;
    readonly output: readonly NearRequest[];
  };
  /** Labels of one request, oldest first; `value` is JSON text. */
  readonly 'predictions.labels': {
    readonly input: { readonly endpoint: string; readonly requestId: string };
    readonly output: readonly { readonly value: string; readonly at: Micros }[];
  };
  /** Turns rows of a declared source into labels, exactly once; one slice of the work. */
  readonly 'predictions.join-labels': {
    readonly input: JoinInput;
    readonly output: JoinOutcome;
  };
  readonly 'predictions.traffic-history': {
    readonly input: TrafficHistoryInput;
    readonly output: TrafficHistoryFound;
  };
  readonly 'predictions.label-states': {
    readonly input: StatesInput;
    readonly output: StateCounts;
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
  /** Why its table did not take it, when it lies in quarantine. */
  readonly refused: string | null;
}

export interface PredictionTaskDeps {
  readonly tables: DeltaTables;
  readonly index: KvWriter;
  readonly faults: Faults;
  readonly clock: Pick<Clock, 'wall' | 'elapsed'>;
  readonly analytics: Pick<Analytics, 'select' | 'scratch'>;
}

export function predictionTasks(given: PredictionTaskDeps): TaskHandlers<PredictionTasks> {
  const { tables } = given;
  const quarantine = new Quarantine(given);
  const indexed = new IndexedKeys();
  const kept = { unexplained: new Map<string, number>(), held: new Map<string, Set<string>>() };
  const deps: FlushDeps = { ...given, quarantine, indexed, ...kept };
  const joins = new LabelJoins({ ...given, indexed });
  return {
    'predictions.flush': ({ segments }, { signal }) => flushSegments(segments, deps, signal),
    'predictions.find': async (indexed, { signal }) => {
      const found = await find(tables, indexed, signal);
      if (found !== null) return found;
      // Another Delta writer has compacted the table: the row lies in a file of a later version.
      const { endpoint, requestId, tableVersion } = indexed;
      const moved =
        tableVersion === null
          ? null
          : await find(tables, { ...indexed, tableVersion: null }, signal);
      return moved ?? toRefused(await quarantine.find(endpoint, requestId, signal));
    },
    'predictions.list': (request, { signal }) => listRows(tables, request, signal),
    'predictions.near': (query, { signal }) => nearRequests(tables, query, signal),
    'predictions.labels': async ({ endpoint, requestId }, { signal }) => {
      const page = await orEmpty(
        tables.find(
          { namespace: LABELS, name: endpoint },
          {
            where: [{ column: 'request_id', comparison: '=', value: requestId }],
            columns: ['value', 'occurred_at', 'known_at', 'known_wall', 'seq'],
            limit: LABELS_MAX,
            signal,
          },
        ),
      );
      return page.rows
        .toSorted(byKnown)
        .map(([value, at]) => ({ value: String(value), at: instant(String(at)) }));
    },
    'predictions.join-labels': (input, { signal }) => joins.run(input, signal),
    'predictions.traffic-history': (input, { signal }) => trafficHistory(given, input, signal),
    'predictions.label-states': (input, { signal }) => labelStates(given, input, signal),
    'predictions.index': () => rebuildIndex(deps),
  };
}

/** Labels by when they became known; sources and posts number their own each. */
function byKnown(a: readonly Cell[], b: readonly Cell[]): number {
  for (const column of [2, 3]) {
    const difference = instant(String(a[column])) - instant(String(b[column]));
    if (difference !== 0) return difference;
  }
  return Number(a[4]) - Number(b[4]);
}

/** Rows of the first step; each next one is twice as long. */
const LIST_STEP = 50;
/** What a row takes besides its texts, about. */
const ROW_CHARS = 300;

/** In steps, so that many long rows are never in memory together. */
async function listRows(
  tables: DeltaTables,
  request: PredictionTasks['predictions.list']['input'],
  signal: AbortSignal,
): Promise<PredictionTasks['predictions.list']['output']> {
  const { endpoint, limit, which } = request;
  let { before } = request;
  const rows: StoredPrediction[] = [];
  let chars = 0;
  for (let step = LIST_STEP; ; step *= 2) {
    const wanted = Math.min(step, limit - rows.length);
    const page = await orEmpty(
      tables.find(
        { namespace: PREDICTIONS, name: endpoint },
        {
          where: [{ column: 'seq', comparison: '<', value: before }, ...which],
          orderBy: { column: 'seq', descending: true },
          limit: wanted,
          signal,
        },
      ),
    );
    for (const [index, stored] of toStored(endpoint, page).entries()) {
      chars += charsOf(page.rows[index]!);
      if (rows.length > 0 && chars > LIST_CHARS_MAX) return { rows, isCut: true };
      rows.push(stored);
      before = stored.seq;
    }
    if (page.rows.length < wanted || rows.length === limit) return { rows, isCut: false };
  }
}

function charsOf(row: readonly unknown[]): number {
  return row.reduce<number>(
    (sum, cell) => sum + (typeof cell === 'string' ? cell.length : 0),
    ROW_CHARS,
  );
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
  return rows.map((row) => ({
    record: toRecord(endpoint, columns, row),
    seq: Number(row[seq]),
    refused: null,
  }));
}

/** What is no record at all is shown as what it is: `TABLE_CORRUPT`. */
function toRefused(found: Awaited<ReturnType<Quarantine['find']>>): StoredPrediction | null {
  if (found === null) return null;
  const { record, reason, seq } = found;
  try {
    return { record: JSON.parse(record) as JournaledPrediction, seq, refused: reason };
  } catch {
    throw new AppError('TABLE_CORRUPT', `The record of the request is kept as it is: ${reason}`, {
      hint: 'It lies in the quarantine table of the endpoint.',
    });
  }
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
