import type { Column } from '../../formats/delta/schema.ts';
import type { Expression } from '../../formats/expression/expression.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, Scratch } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { CompiledKey, CompiledSource } from './compiled.ts';
import { insertRows } from './insert-rows.ts';

/** Names that no column of a Delta table can have. */
export const ID = duckDbName('=id');
export const TIME = duckDbName('=t');
export const NUMBER = duckDbName('=n');

export type SourceReader = Pick<DeltaTables, 'files'>;

/** What is loaded of a source. */
export interface WantedColumns {
  readonly source: CompiledSource;
  readonly keys: readonly CompiledKey[];
  readonly expressions: readonly Expression[];
}

/**
 * A source's events in a scratch table of this name: id, event time in microseconds and the columns
 * asked for. Of several events with one id the one that was appended last stays, also when its time
 * lies in the future; rows without id or time are no events.
 */
export async function loadEvents(
  scratch: Scratch,
  name: string,
  from: { readonly tables: SourceReader; readonly version: number; readonly wanted: WantedColumns },
): Promise<void> {
  const { source, keys, expressions } = from.wanted;
  const { files, columns } = await from.tables.files(source.table, from.version);
  const needed = new Set([
    source.idColumn,
    source.eventTimeColumn,
    ...keys.map((key) => key.name),
    ...expressions.flatMap(columnsIn),
  ]);
  const loaded: readonly Column[] = columns.filter((column) => needed.has(column.name));
  const id = duckDbName(source.idColumn);
  const time = duckDbName(source.eventTimeColumn);
  const table = scratch.table(name);
  const select = `${id} AS ${ID}, epoch_us(${time}) AS ${TIME}, *`;
  await scratch.run(
    `CREATE TABLE ${table} AS SELECT ${select} FROM (${scratch.rowsOf([], loaded)})`,
  );
  const where = `${id} IS NOT NULL AND isfinite(${time})`;
  await insertRows(scratch, table, { files, columns: loaded, select, where });
  const twice = await scratch.rows(
    `SELECT 1 FROM ${table} GROUP BY ${ID} HAVING count(*) > 1 LIMIT 1`,
  );
  if (twice.length === 0) return;
  await scratch.run(
    `DELETE FROM ${table} WHERE rowid NOT IN (SELECT max(rowid) FROM ${table} GROUP BY ${ID})`,
  );
}

export function columnsIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'literal':
      return [];
    case 'column':
      return [expression.name];
    case 'local':
      return [expression.key, ...columnsIn(expression.time)];
    case 'call':
      return expression.args.flatMap(columnsIn);
  }
}

/** A part of a key in the type that keys are compared in. */
export function keySql({ name, type }: CompiledKey, of: string): string {
  return `CAST(${of}.${duckDbName(name)} AS ${type === 'string' ? 'VARCHAR' : 'BIGINT'})`;
}

export type WithScratch = Pick<Analytics, 'scratch'>;
