import type { Comparison } from '../../formats/delta/prune.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { WrittenStats } from '../../formats/delta/stats.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';

/** Where the rows of a new data file come from. */
export type RowSource =
  /** Newline-delimited JSON objects, checked strictly against the declared columns. */
  | { readonly kind: 'ndjson'; readonly bytes: AsyncIterable<Uint8Array> }
  /** A SELECT of our own (never a user's), whose columns are cast to the declared ones by name. */
  | { readonly kind: 'select'; readonly sql: string }
  /**
   * A Parquet file of somebody else's (absolute path), checked strictly against the declared
   * columns. It is read by a DuckDB of its own that sees this file and the target's folder only.
   */
  | { readonly kind: 'parquet'; readonly path: string };

/**
 * A value as it came in JSON: `long` and `timestamp` (microseconds) are bigints, `date` is days,
 * `binary` base64.
 */
export type StagedValue = string | number | bigint | boolean | null;

/** Values by column, then by row. */
export interface RowBatch {
  readonly rowCount: number;
  readonly columns: readonly (readonly StagedValue[])[];
}

export interface WrittenFile {
  readonly sizeBytes: number;
  readonly stats: WrittenStats;
  /** The rows themselves where they were few and came as NDJSON. */
  readonly batch?: RowBatch;
}

/** A data file of a snapshot, as a scan needs it. */
export interface ScanFile {
  /** Absolute. */
  readonly path: string;
  /** Values of columns that the file itself does not hold, in the log's spelling. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
}

/** JSON-safe form of a column's value; see `Analytics.scan`. */
export type Cell = string | number | boolean | null;

export interface Condition {
  readonly column: Column;
  readonly comparison: Comparison;
  /** In the form `Analytics.scan` answers in. */
  readonly value: string | number | boolean;
}

export interface Scan {
  readonly files: readonly ScanFile[];
  readonly columns: readonly Column[];
  /** All of them must hold; nulls satisfy none. */
  readonly where?: readonly Condition[];
  /** Instead of the files' own order. Nulls come last. */
  readonly orderBy?: { readonly column: Column; readonly descending: boolean };
  readonly offset: number;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** Values computed over the rows of files. */
export interface Selection {
  readonly files: readonly ScanFile[];
  /** Columns that the expressions name; one that a file lacks is null there. */
  readonly columns: readonly Column[];
  /** DuckDB expressions of our own (never a user's text). */
  readonly expressions: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Two lists of files whose rows are compared. */
export interface Comparand {
  readonly from: readonly ScanFile[];
  readonly to: readonly ScanFile[];
  /** A column a file lacks is null in it. */
  readonly columns: readonly Column[];
  /** Rows shown of each side. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that one side has more often than the other: by how much, and some of them, each once. */
export interface RowDifference {
  readonly added: number;
  readonly removed: number;
  readonly addedRows: Cell[][];
  readonly removedRows: Cell[][];
}

/** A table as a user's query sees it. */
export interface SqlTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly files: readonly ScanFile[];
}

export interface SqlLimits {
  /** Rows of the answer; more are cut off, and the answer says so. */
  readonly rows: number;
  /** Of the answer as JSON. */
  readonly resultBytes: number;
  readonly memoryBytes: number;
  /** On disk, where memory does not suffice. */
  readonly spillBytes: number;
  readonly timeoutMs: number;
}

export interface SqlQuery {
  /** A user's text: one statement that only asks. */
  readonly sql: string;
  /** All there is for it: it reads no other table, and no file but theirs. */
  readonly tables: readonly SqlTable[];
  readonly limits: SqlLimits;
  readonly signal?: AbortSignal | undefined;
}

export interface SqlAnswer {
  /** Types are DuckDB's. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Cells as `Analytics.scan` gives them; lists, structs and maps as JSON has them. */
  readonly rows: readonly (readonly unknown[])[];
  readonly isCut: boolean;
}

/**
 * Runs the text of users where it can do no harm: in a process of its own for each query, which
 * sees the named files alone and is killed past its limits. `QUERY_LIMIT` names the limit,
 * `INVALID_INPUT` says what DuckDB did not like.
 */
export interface SqlSandbox {
  query(query: SqlQuery): Promise<SqlAnswer>;
}

/** Rows as columns of doubles; only valid until the next batch is asked for. */
export interface DoubleBatch {
  readonly rowCount: number;
  readonly columns: readonly Float64Array[];
}

/** Tables in memory for one piece of work, which spill to disk and are gone when it ends. */
export interface Scratch {
  /** The SQL name of one of its tables. */
  table(name: string): string;
  /** A SELECT of the rows of files in their order, to be put into a statement. */
  rowsOf(files: readonly ScanFile[], columns: readonly Column[]): string;
  run(sql: string): Promise<void>;
  /** All rows of a query whose result is known to be small, in the form DuckDB has them. */
  rows(sql: string): Promise<unknown[][]>;
  /** A result piece by piece, as columns, in the form DuckDB has them. */
  columns(sql: string): AsyncGenerator<readonly (readonly unknown[])[], void, undefined>;
  /** A result of DOUBLE columns without nulls, piece by piece. */
  doubles(sql: string): AsyncGenerator<DoubleBatch, void, undefined>;
  /** Creates a table with DOUBLE columns `c0`, `c1`, ... of these values, all of one length. */
  fill(name: string, columns: readonly Float64Array[]): Promise<void>;
}

/**
 * Heavy work over columnar data; only the engine process holds one. Sees nothing outside the
 * folders it was opened with, and no network.
 */
export interface Analytics {
  /** The input and output of the Delta table in this absolute folder. */
  table(location: string): TableIo;
  /**
   * Writes the rows as one Parquet file (zstd, UTC timestamps), durable on return; no file is left
   * behind on failure. Errors of an NDJSON source are `INVALID_INPUT` and name line and column,
   * those of a Parquet source are `INVALID_INPUT` and name the column where there is one.
   */
  writeParquet(
    path: string,
    source: RowSource,
    columns: readonly Column[],
    signal?: AbortSignal,
  ): Promise<WrittenFile>;
  /**
   * Rows in the order of the files, and in file order within each. A column a file lacks is null,
   * an extra one is ignored. Longs past 2^53 come as decimal text, timestamps as RFC 3339 in UTC,
   * dates as `YYYY-MM-DD`, binary as base64, and NaN and the infinities by their names.
   */
  scan(scan: Scan): Promise<Cell[][]>;
  /**
   * Values of each expression, a piece of some thousand rows at a time, in the order of the files
   * and in file order within each; in the form DuckDB has them: a BIGINT is a bigint.
   */
  select(selection: Selection): AsyncGenerator<readonly (readonly unknown[])[], void, undefined>;
  /** How the rows of two lists of files differ, equal ones counted; cells as `scan` gives them. */
  difference(comparand: Comparand): Promise<RowDifference>;
  /** Work that needs tables of its own; `writeParquet` sees them while the action runs. */
  scratch<T>(action: (scratch: Scratch) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * The columns a table needs to take the rows of a Parquet file of somebody else's (absolute
   * path); `INVALID_INPUT` names one of a type that no table has.
   */
  parquetColumns(path: string): Promise<Column[]>;
  /** Rows of each file, from its footer. */
  countRows(paths: readonly string[]): Promise<number[]>;
  close(): Promise<void>;
}
