import { AppError } from '../../base/errors.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, ScanFile } from '../../platform/analytics/port.ts';
import type { Column } from '../tables/contract.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { tableKey, type Build } from './tiles-catalog.ts';
import { keyPart } from './tiles-keys.ts';

/** The files of a table at a version, and what one commit added, as the lake tells them. */
export type TableFiles = Awaited<ReturnType<DeltaTables['files']>>;
export type TableAddition = NonNullable<Awaited<ReturnType<DeltaTables['additionsAfter']>>>[number];

/** Events of a table's files as columns, in the order in which they were appended. */
export interface EventRows {
  readonly ids: string[];
  /** Microseconds. */
  readonly times: number[];
  /** By key column of the build: parts of keys (`keyPart`), null where the column is null. */
  readonly keys: (string | null)[][];
  /** By expression of the build; NaN is null. */
  readonly values: number[][];
}

/**
 * Reads what a build needs of the files, some thousand rows at a time. Rows without id or time are
 * no events. `SCHEMA_MISMATCH` when the table has not the columns that the definition names.
 */
export async function* readEvents(
  analytics: Pick<Analytics, 'select'>,
  build: Build,
  from: {
    readonly files: readonly ScanFile[];
    readonly columns: readonly Column[];
    readonly signal: AbortSignal;
  },
): AsyncGenerator<EventRows, void, undefined> {
  const { keys, expressions } = build;
  const needed = [build.idColumn, build.eventTimeColumn, ...keys.map(({ name }) => name)];
  assertColumns(build, from.columns, needed);
  const { files, columns, signal } = from;
  const selected = [
    `CAST(${duckDbName(build.idColumn)} AS VARCHAR)`,
    timeSql(duckDbName(build.eventTimeColumn)),
    ...keys.map(({ name }) => `CAST(${duckDbName(name)} AS VARCHAR)`),
    ...expressions.map((sql) => `CAST((${sql}) AS DOUBLE)`),
  ];
  const pieces = analytics.select({ files, columns, expressions: selected, signal });
  for await (const piece of pieces) {
    yield toRows(piece, { keys, expressions: expressions.length });
  }
}

function toRows(
  piece: readonly (readonly unknown[])[],
  of: { readonly keys: Build['keys']; readonly expressions: number },
): EventRows {
  const [ids, times] = [piece[0] as (string | null)[], piece[1] as (number | null)[]];
  const rows: EventRows = {
    ids: [],
    times: [],
    keys: of.keys.map(() => []),
    values: Array.from({ length: of.expressions }, () => []),
  };
  const isEvent = ids.map((id, row) => id !== null && times[row] !== null);
  for (let row = 0; row < ids.length; row += 1) {
    if (!isEvent[row]) continue;
    rows.ids.push(ids[row]!);
    rows.times.push(times[row]!);
  }
  of.keys.forEach(({ type }, index) => {
    const column = piece[2 + index] as (string | null)[];
    // Most keys come many times.
    const parts = new Map<string, string>();
    for (let row = 0; row < column.length; row += 1) {
      if (!isEvent[row]) continue;
      const text = column[row]!;
      let part = text === null ? null : parts.get(text);
      if (part === undefined) parts.set(text, (part = keyPart(type, text)));
      rows.keys[index]!.push(part);
    }
  });
  for (let index = 0; index < of.expressions; index += 1) {
    const column = piece[2 + of.keys.length + index] as (number | null)[];
    for (let row = 0; row < column.length; row += 1) {
      if (isEvent[row]) rows.values[index]!.push(finite(column[row]!));
    }
  }
  return rows;
}

/** What is no finite number counts as null, as everywhere in expressions. */
function finite(value: number | null): number {
  return value !== null && Number.isFinite(value) ? value : NaN;
}

export function assertColumns(
  build: Build,
  columns: readonly Column[],
  needed: readonly string[],
): void {
  const missing = needed.find((name) => !columns.some((column) => column.name === name));
  if (missing === undefined) return;
  throw new AppError(
    'SCHEMA_MISMATCH',
    `Table ${tableKey(build.table)} has no column ${missing}, which features need.`,
    { hint: 'Declare the source as the table is, and apply the definition.' },
  );
}

/** An infinite time is none. */
function timeSql(column: string): string {
  return `CASE WHEN isfinite(${column}) THEN CAST(epoch_us(${column}) AS DOUBLE) END`;
}
