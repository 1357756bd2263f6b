import { describe, expect, test } from 'vitest';
import {
  COLUMN_TYPES,
  duplicateColumn,
  formatSchema,
  parseColumns,
  parseSchema,
  sameColumns,
  type Column,
} from './schema.ts';

const COLUMNS: readonly Column[] = COLUMN_TYPES.map((type, index) => ({
  name: `c"${index}`,
  type,
  nullable: index % 2 === 0,
}));

describe('a schema', () => {
  test('of every type reads back as it was written', () => {
    expect(parseColumns(formatSchema(COLUMNS))).toEqual(COLUMNS);
  });

  test('keeps fields of other types and their metadata', () => {
    const field = { name: 'm', type: { type: 'map' }, nullable: true, metadata: { a: 1 } };
    expect(parseSchema(JSON.stringify({ type: 'struct', fields: [field] }))).toEqual([field]);
  });

  test.each([
    ['decimal(10,2)', 'decimal(10,2)'],
    [{ type: 'array', elementType: 'long', containsNull: true }, 'array'],
  ])('with a column of type %j is not given as columns', (type, spelled) => {
    const schema = JSON.stringify({ fields: [{ name: 'x', type, nullable: true, metadata: {} }] });
    expect(() => parseColumns(schema)).toThrow(`Column x has the type ${spelled}`);
  });

  test.each(['', '{}', '{"fields":[{}]}', '{"fields":7}', 'null'])('%j is corrupt', (schema) => {
    expect(() => parseColumns(schema)).toThrow("The table's schema cannot be read");
  });
});

test('columns differ by name, type, nullability, order and number', () => {
  const [a, b] = [COLUMNS[0]!, COLUMNS[1]!];
  expect(sameColumns([a, b], [{ ...a }, { ...b }])).toBe(true);
  const others = [[b, a], [a], [a, { ...b, name: 'x' }], [a, { ...b, type: 'date' as const }]];
  for (const other of others) expect(sameColumns([a, b], other)).toBe(false);
  expect(sameColumns([a], [{ ...a, nullable: !a.nullable }])).toBe(false);
});

test('names that differ only in case are one name', () => {
  const named = (name: string): Column => ({ name, type: 'long', nullable: true });
  expect(duplicateColumn([named('a'), named('b')])).toBeNull();
  expect(duplicateColumn([named('id'), named('ID')])).toBe('ID');
});
