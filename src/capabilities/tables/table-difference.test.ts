import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { differenceOf } from './table-difference.ts';

const REF = { namespace: 'lab', name: 'rows' };
const ID: Column = { name: 'id', type: 'long', nullable: true };
const AT: Column = { name: 'at', type: 'timestamp', nullable: true };

async function newTable(columns: readonly Column[] = [ID]): Promise<Lake> {
  const lake = await openLake();
  await lake.tables.create(REF, columns);
  return lake;
}

async function append({ tables }: Lake, ...rows: readonly object[]): Promise<number> {
  return (await tables.append({ ...REF, ndjson: ndjson(...rows) })).version;
}

async function differ(lake: Lake, from: number, to: number, limit = 10) {
  return await differenceOf(lake.tables, REF, { from, to, limit });
}

test('appends differ by their rows, and what was there before is not read', async () => {
  const lake = await newTable();
  await append(lake, { id: 1 }, { id: 2 });
  const { files } = await lake.tables.files(REF);
  await append(lake, { id: 3 });
  await append(lake, { id: 4 }, { id: null });
  for (const { path } of files) rmSync(path);
  expect(await differ(lake, 1, 3)).toEqual({
    columns: { added: [], removed: [], changed: [] },
    rowsAdded: 3,
    rowsRemoved: 0,
    notCompared: null,
    rowColumns: [ID],
    addedRows: [[3], [4], [null]],
    removedRows: [],
  });
  expect((await differ(lake, 1, 3, 1)).addedRows).toEqual([[3]]);
  expect(await differ(lake, 2, 2)).toMatchObject({ rowsAdded: 0, rowsRemoved: 0, addedRows: [] });
});

test('of rows that were written again, only those that changed are told', async () => {
  const lake = await newTable([ID, AT]);
  const at = '2001-02-03T04:05:06.5Z';
  await append(lake, { id: 1, at }, { id: 1, at }, { id: 2, at }, { id: null, at: null });
  const select =
    "SELECT * FROM (VALUES (1, TIMESTAMPTZ '2001-02-03 04:05:06.5Z'), (NULL, NULL), " +
    '(2, TIMESTAMPTZ \'2001-02-03 04:05:06.6Z\')) AS rows(id, "at")';
  await lake.tables.replace(REF, { columns: [ID, AT], select, txn: { appId: 'a', version: 1 } });
  const found = await differ(lake, 1, 2);
  expect(found).toMatchObject({ rowsAdded: 1, rowsRemoved: 2, notCompared: null });
  expect(found.addedRows).toEqual([[2, '2001-02-03T04:05:06.6Z']]);
  expect(found.removedRows.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
    [1, at],
    [2, at],
  ]);
});

test('columns that came, went and changed are named; rows are compared by the others', async () => {
  const lake = await newTable([ID, { name: 'old', type: 'string', nullable: true }]);
  await append(lake, { id: 1, old: 'x' }, { id: 2, old: 'y' });
  const columns: Column[] = [
    ID,
    { name: 'new', type: 'double', nullable: true },
    { name: 'old', type: 'long', nullable: true },
  ];
  const select = 'SELECT 1 AS id, NULL AS new, 7 AS old UNION ALL SELECT 2, 0.5, 8';
  await lake.tables.replace(REF, { columns, select, txn: { appId: 'a', version: 1 } });
  const found = await differ(lake, 1, 2);
  expect(found.columns.added).toEqual([columns[1]]);
  expect(found.columns.changed).toMatchObject([{ from: { type: 'string' }, to: { type: 'long' } }]);
  expect(found).toMatchObject({ rowsAdded: 1, rowsRemoved: 1 });
  expect(found.addedRows).toEqual([[2, 0.5]]);
  expect(found.removedRows).toEqual([[2, null]]);
  expect((await differ(lake, 0, 1)).columns).toEqual({ added: [], removed: [], changed: [] });
});

test('data that was vacuumed is said to be gone', async () => {
  const lake = await newTable();
  await append(lake, { id: 1 });
  const { files } = await lake.tables.files(REF);
  const select = 'SELECT 2 AS id';
  await lake.tables.replace(REF, { columns: [ID], select, txn: { appId: 'a', version: 1 } });
  for (const { path } of files) rmSync(path);
  await expect(differ(lake, 1, 2)).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
});
