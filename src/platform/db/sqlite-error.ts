import { AppError, type ErrorBody } from '../../base/errors.ts';
import { constraintError, type ConstraintKind } from './constraint.ts';
import type { WireFailure } from './sqlite-protocol.ts';

/**
 * Result codes, https://www.sqlite.org/rescode.html; an extended code's low byte is its primary
 * code.
 */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

const CONSTRAINTS: Readonly<Record<number, ConstraintKind>> = {
  275: 'check',
  787: 'foreign-key',
  1299: 'not-null',
  1555: 'unique',
  2067: 'unique',
  2579: 'unique',
};

/** An error of node:sqlite in the form that crosses threads. */
export function toWireFailure(thrown: unknown, sql: string | null): WireFailure {
  const { errcode, message } = thrown as { errcode?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(thrown);
  if (typeof errcode === 'number') {
    const error = toError(errcode, text);
    if (error !== null) return { kind: 'error', error: error.toBody(), sql };
  }
  return { kind: 'bug', message: text, sql };
}

/** The failure as an error for the caller; the statement goes to the log with the cause. */
export function fromWireFailure(failure: Exclude<WireFailure, { kind: 'expectation' }>): Error {
  const at = failure.sql === null ? '' : ` in: ${failure.sql}`;
  if (failure.kind === 'bug') return new Error(`SQLite: ${failure.message}${at}`);
  const body: ErrorBody = failure.error;
  return new AppError(body.code, body.message, {
    ...(body.hint === undefined ? {} : { hint: body.hint }),
    ...(body.details === undefined ? {} : { details: body.details }),
    cause: new Error(`SQLite${at}`),
  });
}

function toError(errcode: number, message: string): AppError | null {
  switch (errcode & 0xff) {
    case SQLITE_CONSTRAINT:
      return violation(errcode, message);
    case SQLITE_FULL:
      return new AppError('DISK_FULL', 'The disk that holds the metadata database is full.', {
        hint: 'Free some space; nothing of this change was kept.',
      });
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new AppError('OVERLOADED', 'Another process holds the metadata database locked.', {
        hint: 'Close other programs that have metadata.db open, then try again.',
      });
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return new AppError('STATE_UNWRITABLE', `The metadata database fails: ${message}.`, {
        hint: 'Check that the state folder exists, is writable, and its disk is healthy.',
      });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new AppError('STATE_UNWRITABLE', `The metadata database is damaged: ${message}.`, {
        hint: 'Restore metadata.db from a backup.',
      });
    default:
      return null;
  }
}

/** Messages read `UNIQUE constraint failed: models.name` or `...: index 'models_lower'`. */
function violation(errcode: number, message: string): AppError | null {
  const kind = CONSTRAINTS[errcode];
  if (kind === undefined) return null;
  if (kind === 'foreign-key') return constraintError({ kind, constraint: 'foreign key' });
  const named = message.slice(message.indexOf(': ') + 2);
  const index = /^index '(.*)'$/.exec(named);
  return constraintError({ kind, constraint: index?.[1] ?? named });
}
