import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';

/** What a statement may carry to either database. */
export type Parameter = string | number | bigint | Uint8Array | null;

/**
 * Makes one parameter mean the same in both databases: truth values become 0 or 1, and what one of
 * the two would store differently (NaN becomes NULL in SQLite) or refuse (NUL in PostgreSQL text)
 * is stopped here.
 */
export function toParameter(value: unknown): Parameter {
  if (value === null || value instanceof Uint8Array || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') {
    if (value.includes('\0')) throw nulInText();
    return value;
  }
  assert(typeof value === 'number', `a SQL parameter cannot be of type ${typeof value}`);
  assert(!Number.isNaN(value), 'a SQL parameter is not NaN');
  return value;
}

function nulInText(): AppError {
  return new AppError('INVALID_INPUT', 'A text contains the character U+0000.', {
    hint: 'Remove the NUL character; the metadata database cannot hold it.',
  });
}
