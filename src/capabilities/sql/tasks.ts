import { AppError } from '../../base/errors.ts';
import type { SqlSandbox, SqlTable } from '../../platform/analytics/port.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { DeltaTables, TableRef } from '../tables/delta-tables.ts';
import {
  SQL_MEMORY_BYTES_MAX,
  SQL_RESULT_BYTES_MAX,
  SQL_SECONDS_MAX,
  SQL_SPILL_BYTES_MAX,
  SQL_TABLES_MAX,
  type SqlAnswer,
  type TableAt,
} from './contract.ts';
import type { SqlRequest } from './service.ts';

export type SqlTasks = {
  readonly 'sql.query': { readonly input: SqlRequest; readonly output: SqlAnswer };
};

export interface SqlTaskDeps {
  readonly tables: Pick<DeltaTables, 'list' | 'files'>;
  readonly sandbox: SqlSandbox;
  /** A query never takes more than this, whatever the contract allows. */
  readonly memoryBytesMax?: number;
}

/** Its tables need no namespace. */
const DEFAULT_NAMESPACE = 'default';
/** Tables of a lake that a query may choose from. */
const LAKE_TABLES_MAX = 10_000;

export function sqlTasks(deps: SqlTaskDeps): TaskHandlers<SqlTasks> {
  return { 'sql.query': (request, { signal }) => answer(deps, request, signal) };
}

async function answer(
  { tables, sandbox, memoryBytesMax = Infinity }: SqlTaskDeps,
  { sql, limit, asOf }: SqlRequest,
  signal: AbortSignal,
): Promise<SqlAnswer> {
  const named = await namedTables(tables, { sql, asOf });
  const limits = {
    rows: limit,
    resultBytes: SQL_RESULT_BYTES_MAX,
    memoryBytes: Math.min(SQL_MEMORY_BYTES_MAX, memoryBytesMax),
    spillBytes: SQL_SPILL_BYTES_MAX,
    timeoutMs: SQL_SECONDS_MAX * 1000,
  };
  const shown = named.map(({ table }) => table);
  const found = await sandbox.query({ sql, tables: shown, limits, signal });
  return {
    columns: found.columns.map((column) => ({ ...column })),
    rows: found.rows.map((row) => [...row]),
    isCut: found.isCut,
    tables: named.map(({ at }) => at),
  };
}

interface NamedTable {
  readonly at: TableAt;
  readonly table: SqlTable;
}

/** The tables whose name and namespace stand in the text, whatever they stand for there. */
async function namedTables(
  tables: SqlTaskDeps['tables'],
  { sql, asOf }: Pick<SqlRequest, 'sql' | 'asOf'>,
): Promise<readonly NamedTable[]> {
  const words = new Set(sql.toLowerCase().match(/[a-z0-9_]+/g));
  const versions = new Map(asOf.map((one) => [`${one.namespace}.${one.name}`, one.version]));
  const listed = await tables.list({ limit: LAKE_TABLES_MAX });
  const isNamed = ({ namespace, name }: TableRef): boolean =>
    words.has(name) && (namespace === DEFAULT_NAMESPACE || words.has(namespace));
  const named = listed.filter(isNamed);
  if (named.length > SQL_TABLES_MAX) {
    throw new AppError('INVALID_INPUT', `The query names ${named.length} tables.`, {
      hint: `It may name ${SQL_TABLES_MAX}; ask for fewer at a time.`,
    });
  }
  const found: NamedTable[] = [];
  for (const { namespace, name } of named) {
    const version = versions.get(`${namespace}.${name}`);
    versions.delete(`${namespace}.${name}`);
    const { files, columns, version: read } = await tables.files({ namespace, name }, version);
    found.push({
      at: { namespace, name, version: read },
      table: { schema: namespace, name, columns, files },
    });
  }
  const [unused] = versions.keys();
  if (unused === undefined) return found;
  throw new AppError('INVALID_INPUT', `There is no table ${unused} in the query.`, {
    hint: 'Name it in the query, or leave its version out.',
  });
}
