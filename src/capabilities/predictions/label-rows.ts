import { AppError } from '../../base/errors.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, ScanFile, StagedValue } from '../../platform/analytics/port.ts';
import type { Column, ColumnType } from '../tables/contract.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { DeclaredLabel } from './declared-labels.ts';
import type { LabelValue } from './label-progress.ts';

/** One row of a label's source; without id, time or value it tells nothing. */
export interface SourceRow {
  readonly key: string;
  /** Microseconds. */
  readonly time: number;
  readonly value: LabelValue;
}

export interface LabelRowsDeps {
  readonly analytics: Pick<Analytics, 'select'>;
  readonly tables: Pick<DeltaTables, 'recentFile'>;
}

type RecentFile = NonNullable<ReturnType<DeltaTables['recentFile']>>;

/** The columns that a label is declared to lie in. */
interface LabelColumns {
  readonly id: Column;
  readonly time: Column;
  readonly value: Column;
}

/**
 * Reads files of a label's source in the order in which rows were appended, some thousand at a
 * time; a row that tells nothing is null. What this process wrote a moment ago is not read from its
 * files, each of which takes DuckDB longer to open than to read. `SCHEMA_MISMATCH` when a declared
 * column is not there.
 */
export async function* readLabelRows(
  { analytics, tables }: LabelRowsDeps,
  label: DeclaredLabel,
  from: {
    readonly files: readonly ScanFile[];
    readonly columns: readonly Column[];
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly (SourceRow | null)[], void, undefined> {
  const declared = declaredColumns(label, from.columns);
  const recent: RecentFile[] = [];
  for (const { path } of from.files.toReversed()) {
    const file = tables.recentFile(path);
    if (file === null || !isTold(declared)) break;
    recent.unshift(file);
  }
  const files = from.files.slice(0, from.files.length - recent.length);
  if (files.length > 0) yield* scannedRows(analytics, declared, { ...from, files });
  for (const file of recent) yield recentRows(file, declared);
}

function declaredColumns(label: DeclaredLabel, columns: readonly Column[]): LabelColumns {
  const [id, time, value] = [label.idColumn, label.timeColumn, label.valueColumn].map((name) => {
    const column = columns.find((one) => one.name === name);
    if (column !== undefined) return column;
    const { namespace, name: table } = label.table;
    throw new AppError(
      'SCHEMA_MISMATCH',
      `Table ${namespace}.${table} has no column ${name}, which label ${label.name} needs.`,
      { hint: 'Declare the source as the table is, and apply the definition.' },
    );
  });
  return { id: id!, time: time!, value: value! };
}

async function* scannedRows(
  analytics: Pick<Analytics, 'select'>,
  { id, time, value }: LabelColumns,
  from: { readonly files: readonly ScanFile[]; readonly signal: AbortSignal },
): AsyncGenerator<readonly (SourceRow | null)[], void, undefined> {
  const { files, signal } = from;
  const instant = duckDbName(time.name);
  const isPlain = value.type === 'boolean' || value.type === 'string';
  const expressions = [
    `CAST(${duckDbName(id.name)} AS VARCHAR)`,
    `CASE WHEN isfinite(${instant}) THEN CAST(epoch_us(${instant}) AS DOUBLE) END`,
    isPlain ? duckDbName(value.name) : `CAST(${duckDbName(value.name)} AS DOUBLE)`,
  ];
  const needed = [...new Set([id, time, value])];
  const selection = { files, columns: needed, expressions, signal };
  for await (const [keys, times, values] of analytics.select(selection)) {
    yield keys!.map((key, row) => toRow(key, times![row], values![row]));
  }
}

/** Whether rows in memory say the same as DuckDB would of columns of these types. */
function isTold({ id, time, value }: LabelColumns): boolean {
  return ID_TYPES.has(id.type) && time.type === 'timestamp' && VALUE_TYPES.has(value.type);
}

const ID_TYPES: ReadonlySet<ColumnType> = new Set(['string', 'long', 'integer']);
const VALUE_TYPES: ReadonlySet<ColumnType> = new Set([...ID_TYPES, 'boolean', 'double']);

function recentRows(
  { columns, batch }: RecentFile,
  { id, time, value }: LabelColumns,
): readonly (SourceRow | null)[] {
  const [ids, times, values] = [id, time, value].map(
    ({ name }) => batch.columns[columns.findIndex((column) => column.name === name)]!,
  );
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const [key, at] = [ids![row]!, times![row]!];
    return toRow(key === null ? null : String(key), numeric(at), numeric(values![row]!));
  });
}

function numeric(value: StagedValue): StagedValue {
  return typeof value === 'bigint' ? Number(value) : value;
}

function toRow(key: unknown, time: unknown, value: unknown): SourceRow | null {
  if (typeof key !== 'string' || typeof time !== 'number') return null;
  const isValue =
    typeof value === 'boolean' ||
    typeof value === 'string' ||
    (typeof value === 'number' && Number.isFinite(value));
  return isValue ? { key, time, value } : null;
}
