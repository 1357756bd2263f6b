import type { ErrorBody } from '../../base/errors.ts';
import type { Parameter } from './parameter.ts';

/** What crosses between the main thread and a SQLite thread: structured-cloneable data only. */

export interface WireStatement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  /** Rows it must change or return. */
  readonly expectRows?: number;
}

/** Rows as arrays: one object shape less to clone for every row. */
export interface WireResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly changes: number;
}

export type WireTransaction = readonly WireStatement[];

export type WireFailure =
  | { readonly kind: 'error'; readonly error: ErrorBody; readonly sql: string | null }
  /** The statement at this index changed or returned another number of rows than expected. */
  | { readonly kind: 'expectation'; readonly step: number }
  /** A statement the database could not run: our bug. */
  | { readonly kind: 'bug'; readonly message: string; readonly sql: string | null };

export type WireOutcome =
  { readonly results: readonly WireResult[] } | { readonly failure: WireFailure };

export type SqliteRequest =
  /** The first request of every thread. */
  | { readonly kind: 'open' }
  | { readonly kind: 'read'; readonly statement: WireStatement }
  | { readonly kind: 'write'; readonly batch: readonly WireTransaction[] }
  | { readonly kind: 'backup'; readonly file: string }
  /** Keeps what is committed now to be copied, whatever is written meanwhile. */
  | { readonly kind: 'pin' }
  | { readonly kind: 'copy-pinned'; readonly file: string }
  | { readonly kind: 'close' };

export interface SqliteReplies {
  readonly open: WireOutcome;
  readonly read: WireOutcome;
  readonly write: readonly WireOutcome[];
  readonly backup: WireOutcome;
  readonly pin: WireOutcome;
  readonly 'copy-pinned': WireOutcome;
  readonly close: null;
}

export interface SqliteEnvelope {
  readonly id: number;
  readonly request: SqliteRequest;
}

export interface SqliteReplyEnvelope {
  readonly id: number;
  readonly reply: SqliteReplies[keyof SqliteReplies];
}

export interface SqliteThreadData {
  readonly file: string;
  readonly role: 'writer' | 'reader';
}
