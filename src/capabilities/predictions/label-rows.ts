import { AppError } from '../../base/errors.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, ScanFile } from '../../platform/analytics/port.ts';
import type { Column } from '../tables/contract.ts';
import type { DeclaredLabel } from './declared-labels.ts';
import type { LabelValue } from './label-progress.ts';

/** One row of a label's source; without id, time or value it tells nothing. */
export interface SourceRow {
  readonly key: string;
  /** Microseconds. */
  readonly time: number;
  readonly value: LabelValue;
}

/**
 * Reads files of a label's source in the order in which rows were appended, some thousand at a
 * time; a row that tells nothing is null. `SCHEMA_MISMATCH` when a declared column is not there.
 */
export async function* readLabelRows(
  analytics: Pick<Analytics, 'select'>,
  label: DeclaredLabel,
  from: {
    readonly files: readonly ScanFile[];
    readonly columns: readonly Column[];
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly (SourceRow | null)[], void, undefined> {
  const { files, columns, signal } = from;
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
  const instant = duckDbName(time!.name);
  const isPlain = value!.type === 'boolean' || value!.type === 'string';
  const expressions = [
    `CAST(${duckDbName(id!.name)} AS VARCHAR)`,
    `CASE WHEN isfinite(${instant}) THEN CAST(epoch_us(${instant}) AS DOUBLE) END`,
    isPlain ? duckDbName(value!.name) : `CAST(${duckDbName(value!.name)} AS DOUBLE)`,
  ];
  const needed = [...new Set([id!, time!, value!])];
  const selection = { files, columns: needed, expressions, signal };
  for await (const [keys, times, values] of analytics.select(selection)) {
    yield keys!.map((key, row) => toRow(key, times![row], values![row]));
  }
}

function toRow(key: unknown, time: unknown, value: unknown): SourceRow | null {
  if (typeof key !== 'string' || typeof time !== 'number') return null;
  const isValue =
    typeof value === 'boolean' ||
    typeof value === 'string' ||
    (typeof value === 'number' && Number.isFinite(value));
  return isValue ? { key, time, value } : null;
}
