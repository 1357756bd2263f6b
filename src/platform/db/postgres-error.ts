import { DatabaseError, type ClientBase } from 'pg';
import { AppError } from '../../base/errors.ts';
import { constraintError, type ConstraintKind } from './constraint.ts';

/** SQLSTATE codes, https://www.postgresql.org/docs/18/errcodes-appendix.html. */
const CONSTRAINTS: Readonly<Record<string, ConstraintKind>> = {
  '23502': 'not-null',
  '23503': 'foreign-key',
  '23505': 'unique',
  '23514': 'check',
};
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const DISK_FULL = '53100';

/** Another transaction was in the way; the same statements can succeed when run again. */
export function isRetryable(thrown: unknown): boolean {
  if (!(thrown instanceof DatabaseError)) return false;
  return thrown.code === SERIALIZATION_FAILURE || thrown.code === DEADLOCK_DETECTED;
}

export interface ErrorPlace {
  /** The statement that failed; null outside any. */
  readonly sql: string | null;
  /** The connection it failed on, rolled back and idle; null when that is lost. */
  readonly client: Pick<ClientBase, 'query'> | null;
}

/** The error for the caller. Never rejects. */
export async function toCallerError(thrown: unknown, { sql, client }: ErrorPlace): Promise<Error> {
  if (thrown instanceof AppError) return thrown;
  const at = sql === null ? '' : ` in: ${sql}`;
  if (!(thrown instanceof DatabaseError)) return unreachable(thrown);
  const code = thrown.code ?? '';
  const kind = CONSTRAINTS[code];
  if (kind !== undefined) {
    const constraint = await constraintName(kind, thrown, client);
    return constraintError({ kind, constraint }, new Error(`${thrown.message}${at}`));
  }
  if (code === DISK_FULL) {
    return new AppError('DISK_FULL', 'The disk of the PostgreSQL server is full.', {
      hint: 'Free some space there; nothing of this change was kept.',
      cause: thrown,
    });
  }
  if (isRetryable(thrown)) return contended(thrown);
  // 08: connection exceptions; 53: insufficient resources; 57: the operator stopped it.
  if (/^(?:08|53|57)/.test(code)) return unreachable(thrown);
  // 28: wrong user or password; 3D, 3F: no such database or schema; 42501: no permission.
  if (/^(?:28|3D|3F|42501)/.test(code)) return refused(thrown);
  return new Error(`PostgreSQL: ${thrown.message}${at}`, { cause: thrown });
}

function contended(cause: unknown): AppError {
  return new AppError('OVERLOADED', 'Too many changes meet in the same rows of the database.', {
    hint: 'Try again in a moment; nothing of this change was kept.',
    cause,
  });
}

function refused(cause: DatabaseError): AppError {
  return new AppError('DATABASE_UNREACHABLE', `PostgreSQL refuses: ${cause.message}.`, {
    hint: 'Correct the database URL, or the permissions of its user; nothing was changed.',
    cause,
  });
}

function unreachable(cause: unknown): AppError {
  return new AppError('DATABASE_UNREACHABLE', 'The PostgreSQL server does not answer.', {
    hint:
      'Check that it runs and that its URL and password are right. A change that was under way ' +
      'is in or not: read before repeating it.',
    cause,
  });
}

/** SQLite names columns, PostgreSQL constraints: the columns of a unique index are looked up. */
async function constraintName(
  kind: ConstraintKind,
  error: DatabaseError,
  client: ErrorPlace['client'],
): Promise<string> {
  const { table = '', column = '', constraint = '', schema = '' } = error;
  switch (kind) {
    case 'foreign-key':
      return 'foreign key';
    case 'not-null':
      return `${table}.${column}`;
    case 'check':
      return constraint;
    case 'unique':
      return (await indexColumns({ schema, index: constraint }, client)) ?? constraint;
  }
}

/** `table.a, table.b`, or null for an index over expressions. */
async function indexColumns(
  where: { readonly schema: string; readonly index: string },
  client: ErrorPlace['client'],
): Promise<string | null> {
  if (client === null) return null;
  const text = `
    select string_agg(t.relname || '.' || a.attname, ', ' order by k.place) as columns
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class t on t.oid = i.indrelid
    cross join unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
    join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
    where n.nspname = $1 and c.relname = $2 and i.indexprs is null and k.place <= i.indnkeyatts`;
  try {
    const found = await client.query<{ columns: string | null }>(text, [where.schema, where.index]);
    return found.rows[0]?.columns ?? null;
  } catch {
    // The constraint's own name still says what is wrong.
    return null;
  }
}
