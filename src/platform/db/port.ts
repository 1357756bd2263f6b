import type { Compilable, Kysely } from 'kysely';
import type { AppError } from '../../base/errors.ts';

export type Dialect = 'sqlite' | 'postgres';

/** One pre-built statement of a transaction. */
export interface Step {
  readonly query: Compilable;
  /** Rows it must change or return; otherwise the whole transaction rolls back with `otherwise`. */
  readonly expect?: { readonly rows: number; readonly otherwise: AppError };
}

export interface StepResult<Row = Record<string, unknown>> {
  readonly rows: readonly Row[];
  /** Rows inserted, updated or deleted; for a `returning` statement the number of rows returned. */
  readonly changes: number;
}

/** The most rows one statement may return: anything longer is a list that forgot its limit. */
export const RESULT_ROWS_MAX = 100_000;

/** Told of every write made through this `Db`, after it was acknowledged as durable. */
export type CommitListener = (steps: readonly Step[], results: readonly StepResult[]) => void;

/**
 * The metadata database. Statements are built on the calling thread and run elsewhere (SQLite's
 * writer and reader threads, a PostgreSQL pool); a transaction is a list of them, so nothing else
 * can be awaited inside one. Decisions that depend on stored state are written into the statements
 * (`insert ... select`, `update ... where revision = ?`) and checked by `expect`.
 */
export interface Db {
  readonly dialect: Dialect;
  /** A builder over the tables a store owns. It only compiles: `.execute()` throws. */
  queries<Tables>(): Kysely<Tables>;
  /**
   * Sees every write acknowledged before the call. Integers outside JavaScript's exact range
   * arrive as text, truth values as 0 or 1, bytes as `Uint8Array`.
   */
  read<Row>(query: Compilable<Row>): Promise<readonly Row[]>;
  /**
   * Runs the steps as one atomic, durable transaction. A violated constraint rejects with
   * `CONFLICT`: `details.kind` is `unique`, `foreign-key`, `check` or `not-null`, and
   * `details.constraint` names the columns (`models.name`, `versions.model, versions.version`), the
   * index of an expression, or the check. A violated expectation rejects with its own error.
   * Transactions appear one after the other on both dialects; too many waiting ones reject with
   * `OVERLOADED`.
   */
  write(steps: readonly Step[]): Promise<readonly StepResult[]>;
  /** Wakes what waits for new rows (followers, dispatchers). Call the result to stop listening. */
  onCommit(listener: CommitListener): () => void;
  /** Waits for writes under way, then closes. Later calls reject with `STOPPING`. */
  close(): Promise<void>;
}
