import type { DuckDBValue } from '@duckdb/node-api';
import type { Column } from '../../formats/delta/schema.ts';
import type { DuckDbSession } from './duckdb-session.ts';
import type { Cell, Comparand, RowDifference, ScanFile, Scratch } from './port.ts';
import { showSql, toCell } from './row-reader.ts';
import { withScratch } from './scratch.ts';
import { identifier } from './sql-text.ts';

/** By how much the newer side has a row more often; no column of the rows is called so. */
const SURPLUS = 'surplus';

/**
 * The difference of two bags: one aggregation over both, which spills to disk, and in which null
 * equals null and NaN equals NaN.
 */
export async function rowDifference(
  session: DuckDbSession,
  comparand: Comparand,
): Promise<RowDifference> {
  return await withScratch(session, (scratch) => differ(scratch, comparand), comparand.signal);
}

async function differ(scratch: Scratch, comparand: Comparand): Promise<RowDifference> {
  const { from, to, columns, limit } = comparand;
  const table = scratch.table('difference');
  const keys = columns.map((_, index) => `c${index}`).join(', ');
  const side = (files: readonly ScanFile[], sign: number): string => {
    const named = columns.map(({ name }, index) => `${identifier(name)} AS c${index}`).join(', ');
    return `SELECT ${named}, ${sign} AS sign FROM (${scratch.rowsOf(files, columns)})`;
  };
  await scratch.run(
    `CREATE TABLE ${table} AS SELECT ${keys}, CAST(sum(sign) AS BIGINT) AS ${SURPLUS} ` +
      `FROM (${side(to, 1)} UNION ALL ${side(from, -1)}) GROUP BY ${keys} HAVING sum(sign) <> 0`,
  );
  const [counts = []] = await scratch.rows(
    `SELECT CAST(coalesce(sum(greatest(${SURPLUS}, 0)), 0) AS BIGINT), ` +
      `CAST(coalesce(sum(greatest(-${SURPLUS}, 0)), 0) AS BIGINT) FROM ${table}`,
  );
  const some = async (condition: string): Promise<Cell[][]> => {
    const shown = columns.map(({ type }, index) => showSql(`c${index}`, type)).join(', ');
    const found = await scratch.rows(
      `SELECT ${shown} FROM ${table} WHERE ${condition} LIMIT ${limit}`,
    );
    return found.map((row) => toCells(row, columns));
  };
  return {
    added: Number(counts[0]),
    removed: Number(counts[1]),
    addedRows: await some(`${SURPLUS} > 0`),
    removedRows: await some(`${SURPLUS} < 0`),
  };
}

function toCells(row: readonly unknown[], columns: readonly Column[]): Cell[] {
  return row.map((value, index) => toCell(value as DuckDBValue, columns[index]!.type));
}
