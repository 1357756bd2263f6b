import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { CommitSummary } from '../../formats/delta/history.ts';
import type { Txn } from '../../formats/delta/actions.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type {
  AppendDone,
  CommittedBatch,
  DeltaTables,
  ListedTable,
  TableRef,
  TableState,
} from './delta-tables.ts';
import type { RowPage } from './read-rows.ts';

type BatchTxn = Pick<Txn, 'appId' | 'version'>;

/**
 * What the engine does for this capability; errors are those of `DeltaTables`. Sent again when the
 * engine dies, so every append whose rows must not double carries a `txn`.
 */
export type TablesTasks = {
  readonly 'tables.create': {
    readonly input: TableRef & { readonly columns: readonly Column[] };
    readonly output: TableState;
  };
  readonly 'tables.list': {
    readonly input: { readonly after?: string; readonly limit: number };
    readonly output: readonly ListedTable[];
  };
  readonly 'tables.describe': {
    readonly input: TableRef & { readonly version?: number };
    readonly output: TableState;
  };
  /** `ndjson` are the bytes themselves. */
  readonly 'tables.append': {
    readonly input: TableRef & { readonly ndjson: Uint8Array; readonly txn?: BatchTxn };
    readonly output: AppendDone;
  };
  readonly 'tables.append-file': {
    readonly input: TableRef & { readonly ndjsonPath: string; readonly txn?: BatchTxn };
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
};

export function tablesTasks({
  tables,
}: {
  readonly tables: DeltaTables;
}): TaskHandlers<TablesTasks> {
  return {
    'tables.create': ({ columns, ...ref }) => tables.create(ref, columns),
    'tables.list': (page) => tables.list(page),
    'tables.describe': ({ version, ...ref }) => tables.describe(ref, version),
    // An append is not cut short when its caller gives up: it would be found half-way by the next.
    'tables.append': (input) => tables.append(input),
    'tables.append-file': (input) => tables.append(input),
    'tables.batch': ({ batch, ...ref }) => tables.findBatch(ref, batch),
    'tables.rows': (input, { signal }) => tables.rows(input, { ...input, signal }),
    'tables.history': (input) => tables.history(input, input),
  };
}
