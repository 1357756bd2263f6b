import { compileExpression, toDouble, type Evaluate } from '../../formats/expression/evaluate.ts';
import type { ScanFile, StagedValue } from '../../platform/analytics/port.ts';
import type { ColumnType } from '../tables/contract.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { CompiledView } from './compiled.ts';
import { assertColumns, type EventRows } from './ingest-rows.ts';
import type { Build } from './tiles-catalog.ts';
import { keyPart } from './tiles-keys.ts';

type RecentFile = NonNullable<ReturnType<DeltaTables['recentFile']>>;

/** What the views' expressions compute, by their SQL, as builds name them. */
export function evaluatorsOf(views: readonly CompiledView[]): ReadonlyMap<string, Evaluate> {
  const found = new Map<string, Evaluate>();
  for (const { aggregates } of views) {
    for (const { sql, of } of aggregates) {
      if (sql !== null && of !== null && !found.has(sql)) found.set(sql, compileExpression(of));
    }
  }
  return found;
}

/**
 * The events of files that this process wrote a moment ago, as `readEvents` would read them but
 * without asking DuckDB, which takes longer to begin than to read some hundred rows. Null unless
 * all of it can be told from memory.
 */
export function recentEvents(
  tables: Pick<DeltaTables, 'recentFile'>,
  build: Build,
  from: {
    readonly files: readonly ScanFile[];
    readonly evaluators: ReadonlyMap<string, Evaluate>;
  },
): EventRows | null {
  const { files, evaluators } = from;
  const evaluates = build.expressions.map((sql) => evaluators.get(sql));
  if (!evaluates.every((evaluate) => evaluate !== undefined)) return null;
  const rows: EventRows = {
    ids: [],
    times: [],
    keys: build.keys.map(() => []),
    values: build.expressions.map(() => []),
  };
  for (const { path } of files) {
    const recent = tables.recentFile(path);
    if (recent === null || !addRows(rows, recent, { build, evaluates })) return null;
  }
  return rows;
}

/** False when the file has columns of other types than it reads. */
function addRows(
  rows: EventRows,
  recent: RecentFile,
  of: { readonly build: Build; readonly evaluates: readonly Evaluate[] },
): boolean {
  const { build, evaluates } = of;
  const { idColumn, eventTimeColumn, keys } = build;
  const { columns, batch } = recent;
  assertColumns(build, columns, [idColumn, eventTimeColumn, ...keys.map(({ name }) => name)]);
  const at = (name: string): number => columns.findIndex((column) => column.name === name);
  const isOf = (name: string, types: readonly ColumnType[]): boolean =>
    types.includes(columns[at(name)]!.type);
  if (!isOf(idColumn, ['long', 'integer', 'string'])) return false;
  if (!isOf(eventTimeColumn, ['timestamp'])) return false;
  if (!keys.every(({ name, type }) => isOf(name, KEY_TYPES[type]))) return false;
  const values = batch.columns.map((column, index) => plain(columns[index]!.type, column));
  const [ids, times] = [values[at(idColumn)]!, values[at(eventTimeColumn)]!];
  const keyColumns = keys.map(({ name }) => values[at(name)]!);
  const row: Record<string, StagedValue | undefined> = {};
  for (let index = 0; index < batch.rowCount; index += 1) {
    if (ids[index] === null || times[index] === null) continue;
    rows.ids.push(String(ids[index]));
    rows.times.push(times[index] as number);
    for (const [key, { type }] of keys.entries()) {
      const value = keyColumns[key]![index]!;
      rows.keys[key]!.push(value === null ? null : keyPart(type, String(value)));
    }
    for (const [column, { name }] of columns.entries()) row[name] = values[column]![index];
    for (const [expression, evaluate] of evaluates.entries()) {
      rows.values[expression]!.push(toDouble(evaluate(row)) ?? Number.NaN);
    }
  }
  return true;
}

const KEY_TYPES: Readonly<Record<Build['keys'][number]['type'], readonly ColumnType[]>> = {
  string: ['string'],
  long: ['long', 'integer'],
};

/** As expressions take it: instants in microseconds, floats as they are stored. */
function plain(type: ColumnType, column: readonly StagedValue[]): readonly StagedValue[] {
  if (type === 'timestamp') {
    return column.map((value) => (value === null ? null : Number(value as bigint)));
  }
  if (type !== 'float') return column;
  return column.map((value) => (value === null ? null : Math.fround(value as number)));
}
