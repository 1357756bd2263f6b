import { AppError } from '../../base/errors.ts';
import type { SqlLimits, SqlQuery } from './port.ts';

/** What the process of a query is told. */
export interface SqlOrder extends Omit<SqlQuery, 'signal'> {
  /** For what does not fit into memory. */
  readonly spillFolder: string;
}

/** What it says first: from here on the query's own time counts. */
export const READY = 'ready\n';

type SqlLimit = 'time' | 'memory' | 'disk' | 'result';

/** Which limit was reached, how high it is, and what to do. */
export function limitReached(limit: SqlLimit, limits: SqlLimits): AppError {
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
  const said = {
    time: `The query ran longer than ${limits.timeoutMs / 1000} s.`,
    memory: `The query needed more memory than ${mib(limits.memoryBytes)}.`,
    disk: `The query put more than ${mib(limits.spillBytes)} aside on disk.`,
    result: `The answer is longer than ${mib(limits.resultBytes)}.`,
  }[limit];
  const hint =
    limit === 'result'
      ? 'Ask for fewer or shorter columns, or add LIMIT to the query.'
      : 'Ask for less: fewer columns, a narrower WHERE, an aggregate instead of rows.';
  return new AppError('QUERY_LIMIT', said, { hint, details: { limit } });
}
