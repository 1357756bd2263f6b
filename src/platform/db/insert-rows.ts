import { assert } from '../../base/assert.ts';
import type { AppError } from '../../base/errors.ts';
import type { Parameter } from './parameter.ts';
import type { Dialect, Step } from './port.ts';

/** Rows of the largest statement; smaller powers of two take the rest: few texts are prepared. */
const CHUNK_ROWS_MAX = 128;

export type ColumnType = 'text' | 'integer' | 'real';

const TYPES: Readonly<Record<Dialect, Readonly<Record<ColumnType, string>>>> = {
  sqlite: { text: 'text', integer: 'integer', real: 'real' },
  postgres: { text: 'text', integer: 'bigint', real: 'double precision' },
};

export interface RowsStatement {
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** The statement around the rows, which are a table expression named `v`. */
  readonly sql: (v: string) => string;
  /** Set when every row must change one; otherwise the transaction fails with it. */
  readonly otherwise?: AppError;
}

/**
 * Steps that write many rows without a statement built out of thousands of nodes: that would cost
 * the main thread ten milliseconds for a thousand rows. No rows give no steps.
 */
export function insertRows(
  dialect: Dialect,
  statement: RowsStatement,
  rows: readonly (readonly Parameter[])[],
): readonly Step[] {
  const width = Object.keys(statement.columns).length;
  const steps: Step[] = [];
  for (let at = 0; at < rows.length;) {
    const count = Math.min(CHUNK_ROWS_MAX, 2 ** Math.floor(Math.log2(rows.length - at)));
    const chunk = rows.slice(at, at + count);
    assert(
      chunk.every((row) => row.length === width),
      'every row has the columns of its statement',
    );
    const sql = statement.sql(rowsTable(dialect, statement.columns, count));
    const { otherwise } = statement;
    steps.push({
      query: compiled(sql, chunk.flat()),
      ...(otherwise === undefined ? {} : { expect: { rows: count, otherwise } }),
    });
    at += count;
  }
  return steps;
}

/** By dialect, columns and rows: as many as our statements have, times the powers of two. */
const rowsTables = new Map<string, string>();

/** Its text is as long as the rows are many, so that it is made once. */
function rowsTable(dialect: Dialect, columns: RowsStatement['columns'], count: number): string {
  const key = `${dialect} ${count} ${Object.entries(columns).join(' ')}`;
  let text = rowsTables.get(key);
  if (text === undefined) rowsTables.set(key, (text = rowsText(dialect, columns, count)));
  return text;
}

function rowsText(dialect: Dialect, columns: RowsStatement['columns'], count: number): string {
  const types = Object.values(columns);
  let position = 0;
  const rows = Array.from({ length: count }, (_, row) => {
    const cells = types.map((type) => {
      position += 1;
      const cell = dialect === 'sqlite' ? '?' : `$${position}`;
      // PostgreSQL takes the types of a list of values from its first row.
      return row === 0 ? `cast(${cell} as ${TYPES[dialect][type]})` : cell;
    });
    return `(${cells.join(',')})`;
  });
  const values = `values ${rows.join(',')}`;
  const names = Object.keys(columns);
  if (dialect === 'postgres') return `(${values}) as v (${names.join(', ')})`;
  const renamed = names.map((name, index) => `column${index + 1} as ${name}`);
  return `(select ${renamed.join(', ')} from (${values})) as v`;
}

function compiled(sql: string, parameters: readonly Parameter[]): Step['query'] {
  return {
    compile: () => ({ sql, parameters }) as unknown as ReturnType<Step['query']['compile']>,
  };
}
