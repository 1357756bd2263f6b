import { AppError } from '../../base/errors.ts';
import { assert, AssertionFailure } from '../../base/assert.ts';

/**
 * The actions of the Delta protocol ("Actions" in PROTOCOL.md), in their JSON form. Absent optional
 * fields may be missing or null when read; they are always missing when written, because strict
 * readers refuse nulls. Unknown fields are ignored.
 */
export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  /** Present exactly when minReaderVersion is 3. */
  readonly readerFeatures?: readonly string[] | null;
  /** Present exactly when minWriterVersion is 7. */
  readonly writerFeatures?: readonly string[] | null;
}

export interface Metadata {
  readonly id: string;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly format: {
    readonly provider: string;
    readonly options?: Readonly<Record<string, string>> | null;
  };
  /** A Delta schema as JSON in a string. */
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration?: Readonly<Record<string, string>> | null;
  /** Milliseconds since 1970. */
  readonly createdTime?: number | null;
}

/** A data file that belongs to the table. */
export interface AddFile {
  /** Relative to the table's folder or absolute, URI-encoded. */
  readonly path: string;
  readonly partitionValues?: Readonly<Record<string, string | null>> | null;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** JSON in a string; see stats.ts. */
  readonly stats?: string | null;
  readonly tags?: Readonly<Record<string, string | null>> | null;
}

/** A tombstone: the file no longer belongs to the table, but older versions still need it. */
export interface RemoveFile {
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly deletionTimestamp?: number | null;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean | null;
  readonly partitionValues?: Readonly<Record<string, string | null>> | null;
  readonly size?: number | null;
}

/** The newest batch `version` an application has committed: what makes appends exactly-once. */
export interface Txn {
  readonly appId: string;
  readonly version: number;
  readonly lastUpdated?: number | null;
}

/** Free-form; only what we show is named. */
export interface CommitInfo {
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
  readonly operation?: string;
  readonly operationParameters?: Readonly<Record<string, unknown>>;
  readonly operationMetrics?: Readonly<Record<string, unknown>>;
  readonly isBlindAppend?: boolean;
  readonly readVersion?: number;
  readonly engineInfo?: string;
  /** Who asked for it. */
  readonly userName?: string;
  readonly txnId?: string;
}

/** One line of a commit: exactly one of these keys is set; lines with none we know are ignored. */
export interface Action {
  readonly protocol?: Protocol | null;
  readonly metaData?: Metadata | null;
  readonly add?: AddFile | null;
  readonly remove?: RemoveFile | null;
  readonly txn?: Txn | null;
  readonly commitInfo?: CommitInfo | null;
}

/** The actions of a commit file; `TABLE_CORRUPT` names the file and line of what cannot be read. */
export function parseActions(text: string, source: string): Action[] {
  const actions: Action[] = [];
  let line = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    line += 1;
    if (end > start) {
      const action = parseLine(text.slice(start, end), source, line);
      if (action !== null) actions.push(action);
    }
    start = end + 1;
  }
  return actions;
}

function parseLine(text: string, source: string, line: number): Action | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (text.trim() === '') return null;
    throw corruptLine(source, line, 'not JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw corruptLine(source, line, 'no action');
  const action = value as Action;
  const problem = problemOf(action);
  if (problem !== null) throw corruptLine(source, line, problem);
  return action;
}

function problemOf(action: Action): string | null {
  const { add, remove, txn, metaData, protocol } = action;
  if (add) {
    if (typeof add.path !== 'string' || typeof add.size !== 'number') {
      return 'an add without path or size';
    }
    const vector = (add as { deletionVector?: unknown }).deletionVector;
    if (vector !== undefined && vector !== null) return 'a deletion vector outside its feature';
  } else if (remove) {
    if (typeof remove.path !== 'string') return 'a remove without path';
  } else if (txn) {
    if (typeof txn.appId !== 'string' || typeof txn.version !== 'number') {
      return 'a txn without appId or version';
    }
  } else if (metaData) {
    if (typeof metaData.id !== 'string' || typeof metaData.schemaString !== 'string') {
      return 'a metaData without id or schemaString';
    }
  } else if (protocol) {
    if (typeof protocol.minReaderVersion !== 'number') return 'a protocol without reader version';
    if (typeof protocol.minWriterVersion !== 'number') return 'a protocol without writer version';
  }
  return null;
}

function corruptLine(source: string, line: number, what: string, cause?: unknown): AppError {
  return new AppError('TABLE_CORRUPT', `${source}, line ${line}: ${what}.`, {
    hint: 'Restore this file from a backup; Millwright never changes a commit once written.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * The text of a commit or checkpoint line. Absent optionals are left out; a null inside
 * `partitionValues` or `tags` is a value and stays.
 */
export function formatAction(action: Action): string {
  for (const [kind, body] of Object.entries(action)) {
    if (body === undefined || body === null) continue;
    return `{"${kind}":${JSON.stringify(withoutNulls(body as object))}}`;
  }
  throw new AssertionFailure('an action without content');
}

function withoutNulls(body: object): object {
  const entries = Object.entries(body).filter(([, value]) => value !== null);
  return Object.fromEntries(entries);
}

/**
 * The text of a commit. Asserts what the protocol forbids ("Action Reconciliation"): two actions of
 * one commit that reconcile with each other.
 */
export function formatCommit(actions: readonly Action[]): string {
  const seen = new Set<string>();
  for (const action of actions) {
    const key = reconciliationKey(action);
    assert(!seen.has(key), `one commit holds two actions for ${key}`);
    seen.add(key);
    const size = action.add?.size;
    assert(size === undefined || Number.isSafeInteger(size), `a file size is ${size}`);
  }
  return `${actions.map(formatAction).join('\n')}\n`;
}

function reconciliationKey(action: Action): string {
  if (action.add) return `file ${action.add.path}`;
  if (action.remove) return `file ${action.remove.path}`;
  if (action.txn) return `txn ${action.txn.appId}`;
  return Object.keys(action).join(',');
}
