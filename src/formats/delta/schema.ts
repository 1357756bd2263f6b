import { AppError } from '../../base/errors.ts';

export const COLUMN_TYPES = [
  'string',
  'long',
  'integer',
  'double',
  'float',
  'boolean',
  'timestamp',
  'date',
  'binary',
] as const;

/** The primitive types Millwright reads and writes, spelled as the Delta protocol spells them. */
export type ColumnType = (typeof COLUMN_TYPES)[number];

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
}

/** A field of a Delta schema ("Schema Serialization Format" in PROTOCOL.md). */
export interface SchemaField {
  readonly name: string;
  /** A primitive's name, or an object for struct, array and map. */
  readonly type: unknown;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export function formatSchema(columns: readonly Column[]): string {
  const fields = columns.map(({ name, type, nullable }) => ({
    name,
    type,
    nullable,
    metadata: {},
  }));
  return JSON.stringify({ type: 'struct', fields });
}

/** The fields of a `schemaString`; `TABLE_CORRUPT` when it is none. */
export function parseSchema(schemaString: string): SchemaField[] {
  let schema: unknown;
  try {
    schema = JSON.parse(schemaString);
  } catch (cause) {
    throw corruptSchema('it is not JSON', cause);
  }
  const fields = (schema as { fields?: unknown } | null)?.fields;
  if (!Array.isArray(fields)) throw corruptSchema('it has no list of fields');
  return fields.map((field: unknown) => {
    const { name, type, nullable, metadata } = (field ?? {}) as Partial<SchemaField>;
    if (typeof name !== 'string' || type === undefined) throw corruptSchema('a field has no name');
    return { name, type, nullable: nullable !== false, metadata: metadata ?? {} };
  });
}

function corruptSchema(what: string, cause?: unknown): AppError {
  return new AppError('TABLE_CORRUPT', `The table's schema cannot be read: ${what}.`, {
    hint: 'Restore the table, or the commit that last changed its schema, from a backup.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Columns of a `schemaString`; a type outside `COLUMN_TYPES` is `TABLE_FEATURE_UNSUPPORTED`. */
export function parseColumns(schemaString: string): Column[] {
  return parseSchema(schemaString).map(({ name, type, nullable }) => {
    if (!isColumnType(type)) throw unsupportedType(name, type);
    return { name, type, nullable };
  });
}

function isColumnType(type: unknown): type is ColumnType {
  return (COLUMN_TYPES as readonly unknown[]).includes(type);
}

function unsupportedType(name: string, type: unknown): AppError {
  const spelled = typeof type === 'string' ? type : (type as { type?: string }).type;
  return new AppError(
    'TABLE_FEATURE_UNSUPPORTED',
    `Column ${name} has the type ${spelled}, which Millwright does not read.`,
    { hint: `Supported types: ${COLUMN_TYPES.join(', ')}.` },
  );
}

/** Same names, types and nullability, in the same order. */
export function sameColumns(a: readonly Column[], b: readonly Column[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((column, index) => {
    const other = b[index];
    return (
      column.name === other?.name &&
      column.type === other.type &&
      column.nullable === other.nullable
    );
  });
}

/**
 * The columns that a table with `there` still needs to have `wanted`: those at its end, if all of
 * them may be null. Null when the two differ in any other way.
 */
export function missingColumns(
  there: readonly Column[],
  wanted: readonly Column[],
): readonly Column[] | null {
  const missing = wanted.slice(there.length);
  const isPrefix = sameColumns(there, wanted.slice(0, there.length));
  return isPrefix && missing.every(({ nullable }) => nullable) ? missing : null;
}

/** The protocol compares column names ignoring case; the first name that occurs twice, or null. */
export function duplicateColumn(columns: readonly Column[]): string | null {
  const seen = new Set<string>();
  for (const { name } of columns) {
    const key = name.toLowerCase();
    if (seen.has(key)) return name;
    seen.add(key);
  }
  return null;
}
