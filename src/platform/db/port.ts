import type { Compilable, Kysely } from 'kysely';
import type { AppError } from '../../base/errors.ts';

export type Dialect = 'sqlite' | 'postgres';

/** One pre-built statement of a transaction. */
export interface Step {
  readonly query: Compilable<unknown>;
  /** Rows it must change or return; otherwise the whole transaction rolls back with `otherwise`. */
  readonly expect?: { readonly rows: number; readonly otherwise: AppError };
}

export interface StepResult<Row = Record<string, unknown>> {
  readonly rows: readonly Row[];
  /** Rows inserted, updated or deleted; for a `returning` statement the number of rows returned. */
  readonly changes: number;
}

/**
 * The metadata database. Statements are built on the calling thread and run elsewhere (SQLite's
 * writer and reader threads, a PostgreSQL pool); a transaction is a list of them, so nothing else can
 * be awaited inside one. Decisions that depend on stored state are written into the statements
 * (`insert ... select`, `update ... where revision = ?`) and checked by `expect`.
 */
export interface Db {
  readonly dialect: Dialect;
  /** A builder over the tables a store owns. It only compiles: `.execute()` throws. */
  queries<Tables>(): Kysely<Tables>;
  /** Sees every write acknowledged before the call. */
  read<Row>(query: Compilable<Row>): Promise<readonly Row[]>;
  /**
   * Runs the steps as one atomic, durable transaction. A violated unique constraint rejects with
   * `CONFLICT` and `details.constraint`; a violated expectation rejects with its own error.
   */
  write(steps: readonly Step[]): Promise<readonly StepResult[]>;
  /** Waits for writes under way, then closes. */
  close(): Promise<void>;
}
