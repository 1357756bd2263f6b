import { nearestName } from '../../base/nearest-name.ts';
import type { Column, ColumnType } from '../../formats/delta/schema.ts';
import type { ValueType } from '../../formats/expression/expression.ts';
import type { CompiledSource } from './compiled.ts';
import { invalid, tableRefOf, type DeclaredType, type Definitions } from './definitions.ts';

/** Columns by `<namespace>.<table>`. */
export type TableSchemas = ReadonlyMap<string, readonly Column[]>;

export interface ResolvedSource {
  readonly source: CompiledSource;
  readonly idType: 'string' | 'long';
  /** The declared columns, and the id and event time, as expressions know them. */
  readonly columns: Readonly<Record<string, ValueType>>;
}

const COLUMN_TYPES: Readonly<Record<DeclaredType, ColumnType>> = {
  string: 'string',
  int32: 'integer',
  int64: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
};

export const VALUE_TYPES: Readonly<Record<DeclaredType, ValueType>> = {
  string: 'string',
  int32: 'long',
  int64: 'long',
  float: 'double',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
};

/** A source against its table; rejects with `INVALID_CONFIG` what the table does not have. */
export function resolveSource(
  definitions: Definitions,
  name: string,
  schemas: TableSchemas,
): ResolvedSource {
  const declared = definitions.sources[name]!;
  const table = tableRefOf(declared.table);
  const path = ['sources', name];
  const schema = schemas.get(`${table.namespace}.${table.name}`)!;
  const at = { schema, table: `${table.namespace}.${table.name}` };
  const id = columnOf(declared.id, { ...at, path: [...path, 'id'] });
  const idType = keyTypeOf(id);
  if (idType === null) {
    const wrong = `The id of source ${name}, column ${id.name}, is a ${id.type}.`;
    throw invalid([...path, 'id'], wrong, 'An id is a string, an integer or a long.');
  }
  const timePath = [...path, 'event_time', 'column'];
  const time = columnOf(declared.event_time.column, { ...at, path: timePath });
  if (time.type !== 'timestamp') throw naiveTime(timePath, name, time);
  const columns: Record<string, ValueType> = { [id.name]: idType, [time.name]: 'timestamp' };
  for (const [column, type] of Object.entries(declared.columns)) {
    const columnPath = [...path, 'columns', column];
    const found = columnOf(column, { ...at, path: columnPath });
    if (found.type !== COLUMN_TYPES[type]) {
      const wrong = `Column ${column} of ${at.table} is a ${found.type}, not ${type}.`;
      throw invalid(columnPath, wrong, 'Declare the type that the table has.');
    }
    columns[column] = VALUE_TYPES[type];
  }
  const source = { name, table, idColumn: id.name, eventTimeColumn: time.name };
  return { source, idType, columns };
}

/** The type of a key column; null for what is no key. */
export function keyTypeOf({ type }: Column): 'string' | 'long' | null {
  if (type === 'string') return 'string';
  return type === 'long' || type === 'integer' ? 'long' : null;
}

export function columnOf(
  name: string,
  at: {
    readonly schema: readonly Column[];
    readonly table: string;
    readonly path: readonly string[];
  },
): Column {
  const found = at.schema.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = at.schema.map((column) => column.name);
  const hint = suggestion(name, names, `Its columns are ${names.slice(0, 20).join(', ')}.`);
  throw invalid(at.path, `Table ${at.table} has no column ${name}.`, hint);
}

export function suggestion(name: string, known: readonly string[], otherwise: string): string {
  const near = nearestName(name, known);
  return near === null ? otherwise : `Meant: ${near}?`;
}

function naiveTime(path: readonly string[], source: string, { name, type }: Column): Error {
  return invalid(
    path,
    `The event time of source ${source}, column ${name}, is a ${type}: a time without a zone.`,
    'Load the table with instants (a timestamp in UTC); only then is it known when events were.',
  );
}
