import type { Analytics } from '../../platform/analytics/port.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { CommitSummary } from '../../formats/delta/history.ts';
import type { Txn } from '../../formats/delta/actions.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type {
  AppendDone,
  CommittedBatch,
  DeltaTables,
  TableRef,
  TableState,
} from './delta-tables.ts';
import type { ListedTable } from './list-tables.ts';
import type { NdjsonBody } from './append-buffer.ts';
import type { RowPage } from './read-rows.ts';
import type { TableDifference } from './contract.ts';
import { differenceOf, type DifferenceRequest } from './table-difference.ts';

/** Rows as they came: NDJSON in memory, or a file that is nowhere else in use. */
export type AppendBody = NdjsonBody | { readonly parquetPath: string };

type BatchTxn = Pick<Txn, 'appId' | 'version'>;

/**
 * What the engine does for this capability; errors are those of `DeltaTables`. Sent again when the
 * engine dies, so every append whose rows must not double carries a `txn`.
 */
export type TablesTasks = {
  readonly 'tables.create': {
    readonly input: TableRef & { readonly columns: readonly Column[]; readonly user?: string };
    readonly output: TableState;
  };
  readonly 'tables.columns': {
    readonly input: { readonly parquetPath: string };
    readonly output: readonly Column[];
  };
  readonly 'tables.list': {
    readonly input: { readonly after?: string; readonly limit: number };
    readonly output: readonly ListedTable[];
  };
  readonly 'tables.describe': {
    readonly input: TableRef & { readonly version?: number };
    readonly output: TableState;
  };
  readonly 'tables.append': {
    readonly input: TableRef & AppendBody & { readonly txn?: BatchTxn; readonly user?: string };
    readonly output: AppendDone;
  };
  readonly 'tables.batch': {
    readonly input: TableRef & { readonly batch: BatchTxn };
    readonly output: CommittedBatch | null;
  };
  readonly 'tables.rows': {
    readonly input: TableRef & {
      readonly version?: number;
      readonly offset: number;
      readonly limit: number;
    };
    readonly output: RowPage;
  };
  readonly 'tables.history': {
    readonly input: TableRef & { readonly before?: number; readonly limit: number };
    readonly output: readonly CommitSummary[];
  };
  readonly 'tables.difference': {
    readonly input: TableRef & Omit<DifferenceRequest, 'signal'>;
    readonly output: Omit<TableDifference, 'from' | 'to'>;
  };
};

export function tablesTasks({
  tables,
  analytics,
}: {
  readonly tables: DeltaTables;
  readonly analytics: Pick<Analytics, 'parquetColumns'>;
}): TaskHandlers<TablesTasks> {
  return {
    'tables.create': ({ columns, user, ...ref }) => tables.create(ref, columns, user),
    'tables.columns': ({ parquetPath }) => analytics.parquetColumns(parquetPath),
    'tables.list': (page) => tables.list(page),
    'tables.describe': ({ version, ...ref }) => tables.describe(ref, version),
    'tables.append': (input, { signal }) =>
      // An append is not cut short when its caller gives up, except that nobody can say beforehand
      // how long a Parquet file of unknown origin takes. The next append waits for its end.
      tables.append('parquetPath' in input ? { ...input, signal } : input),
    'tables.batch': ({ batch, ...ref }) => tables.findBatch(ref, batch),
    'tables.rows': (input, { signal }) => tables.rows(input, { ...input, signal }),
    'tables.history': (input) => tables.history(input, input),
    'tables.difference': (input, { signal }) => differenceOf(tables, input, { ...input, signal }),
  };
}
