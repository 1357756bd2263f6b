import { z } from 'zod';
import { route } from '../../base/route.ts';
import { TableName } from '../tables/contract.ts';

/** Text of a query: what a person writes is far below. */
export const SQL_CHARS_MAX = 64 * 1024;
export const SQL_ROWS_MAX = 10_000;
export const SQL_ROWS_DEFAULT = 1000;
/** Tables of one query: each is opened, and all their files are named to it. */
export const SQL_TABLES_MAX = 50;
/** Seconds of the machine's clock. */
export const SQL_SECONDS_MAX = 30;
export const SQL_MEMORY_BYTES_MAX = 1024 ** 3;
export const SQL_SPILL_BYTES_MAX = 2 * 1024 ** 3;
/** The answer is held in memory several times on its way. */
export const SQL_RESULT_BYTES_MAX = 16 * 1024 ** 2;

const TableAt = z.object({
  namespace: TableName,
  name: TableName,
  version: z.number().int().min(0),
});
export type TableAt = z.infer<typeof TableAt>;

export const SqlAnswer = z.object({
  /** Types as DuckDB spells them. */
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  /**
   * Timestamps with a zone RFC 3339 in UTC, whole numbers past 2^53 and decimals as text, lists and
   * structs as JSON has them.
   */
  rows: z.array(z.array(z.unknown())),
  /** True when there are more rows than the limit. */
  isCut: z.boolean(),
  /** What was read. */
  tables: z.array(TableAt),
});
export type SqlAnswer = z.infer<typeof SqlAnswer>;

export const runSql = route({
  id: 'sql',
  method: 'POST',
  path: '/api/v1/sql',
  summary:
    'Answer one SQL query over the tables, read-only: a SELECT of DuckDB in a process of its own',
  access: 'read',
  body: z.strictObject({
    sql: z.string().min(1).max(SQL_CHARS_MAX),
    limit: z.number().int().min(1).max(SQL_ROWS_MAX).default(SQL_ROWS_DEFAULT),
    /** Tables to be read at another version than their newest. */
    asOf: z.array(TableAt).max(SQL_TABLES_MAX).default([]),
  }),
  reply: SqlAnswer,
});
