import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ndjson, openLake } from '../../../test/contracts/lake.ts';
import { formatStats } from '../../formats/delta/stats.ts';
import type { Column, ColumnType } from '../../formats/delta/schema.ts';
import { formatInstant, micros } from '../../base/time.ts';
import { literal } from './sql-text.ts';

const TYPES: readonly ColumnType[] = [
  'string',
  'long',
  'integer',
  'double',
  'float',
  'boolean',
  'timestamp',
  'date',
  'binary',
];
const COLUMNS = TYPES.map((type): Column => ({ name: `a ${type}`, type, nullable: true }));

const named = fc.constantFrom('NaN', 'Infinity', '-Infinity');
const VALUES: Readonly<Record<ColumnType, fc.Arbitrary<unknown>>> = {
  string: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'a\u{1f600}', '\uffff')),
  long: fc.maxSafeInteger(),
  integer: fc.integer(),
  double: fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), named),
  float: fc.oneof(fc.float({ noDefaultInfinity: true, noNaN: true }), named),
  boolean: fc.boolean(),
  timestamp: fc
    .integer({ min: Date.parse('1700-01-01T00:00:00Z'), max: Date.parse('2250-01-01T00:00:00Z') })
    .map((ms) => formatInstant(micros(ms * 1000 + 7))),
  date: fc
    .integer({ min: -700_000, max: 2_900_000 })
    .map((days) => new Date(days * 86_400e3).toISOString().slice(0, 10)),
  binary: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
};
const row = fc.record(
  Object.fromEntries(COLUMNS.map(({ name, type }) => [name, fc.option(VALUES[type], { freq: 4 })])),
);

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** JSON has one zero, and floats are shown with as few digits as tell them apart. */
function comparable(cells: readonly unknown[]): readonly unknown[] {
  return cells.map((cell, index) => {
    if (typeof cell !== 'number') return cell;
    return (COLUMNS[index]!.type === 'float' ? Math.fround(cell) : cell) + 0;
  });
}

test('a small file says what DuckDB would say of the same rows, and reads the same', async () => {
  const { analytics, folder } = await openLake();
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      files += 1;
      const [small, copied] = ['small', 'copied'].map((name) =>
        path.join(folder, `${name}-${files}.parquet`),
      ) as [string, string];
      const bytes = once(ndjson(...rows));
      const written = await analytics.writeParquet(small, { kind: 'ndjson', bytes }, COLUMNS);
      expect(written.batch?.rowCount).toBe(rows.length);
      const sql = `SELECT * FROM read_parquet(${literal(small)})`;
      const again = await analytics.writeParquet(copied, { kind: 'select', sql }, COLUMNS);
      expect(formatStats(COLUMNS, written.stats)).toBe(formatStats(COLUMNS, again.stats));
      const page = { columns: COLUMNS, offset: 0, limit: 100 };
      const read = await analytics.scan({
        ...page,
        files: [{ path: small, partitionValues: {} }],
      });
      const wanted = rows.map((one) => COLUMNS.map(({ name }) => one[name] ?? null));
      expect(read.map(comparable)).toEqual(wanted.map(comparable));
    }),
    { numRuns: 60 },
  );
});

test('long texts are left to DuckDB', async () => {
  const { analytics, folder } = await openLake();
  const bytes = once(ndjson({ 'a string': 'x'.repeat(300_000) }));
  const target = path.join(folder, 'x.parquet');
  const written = await analytics.writeParquet(target, { kind: 'ndjson', bytes }, COLUMNS);
  expect(written.batch).toBeUndefined();
  expect(written.stats.rows).toBe(1);
});
