import { expect, onTestFinished, test } from 'vitest';
import { ndjson } from '../../../test/contracts/lake.ts';
import { createTestApp } from '../../app/testing.ts';
import {
  appendRows,
  createTable,
  getTable,
  listTables,
  readRows,
  tableHistory,
} from './contract.ts';

test('a table is made, filled, read and explained over HTTP', async () => {
  const { api, ...app } = await createTestApp();
  onTestFinished(() => app[Symbol.asyncDispose]());
  const params = { namespace: 'lab', name: 'rows' };
  const columns = [{ name: 'id', type: 'long' as const }];
  const created = await api.call(createTable, { body: { ...params, columns } });
  expect(created.columns).toEqual([{ name: 'id', type: 'long', nullable: true }]);
  const again = api.call(createTable, { body: { ...params, columns } });
  await expect(again).rejects.toMatchObject({ code: 'TABLE_EXISTS' });

  const append = (batch: string) =>
    api.call(appendRows, { params, query: { batch } }, { bytes: ndjson({ id: 1 }, { id: 2 }) });
  expect(await append('a')).toEqual({ version: 1, rows: 2, duplicate: false });
  expect(await append('a')).toEqual({ version: 1, rows: 0, duplicate: true });
  const bad = api.call(appendRows, { params, query: {} }, { bytes: ndjson({ id: 'x' }) });
  await expect(bad).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: 'Line 1, column id: expected an integer of 64 bits, got "x".',
    details: { line: 1, column: 'id' },
  });

  expect((await api.call(readRows, { params, query: { offset: 1 } })).rows).toEqual([[2]]);
  expect((await api.call(readRows, { params, query: { version: 0 } })).rows).toEqual([]);
  expect(await api.call(getTable, { params, query: {} })).toMatchObject({ version: 1, rows: 2 });
  const future = api.call(getTable, { params, query: { version: 9 } });
  await expect(future).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
  const { items } = await api.call(tableHistory, { params, query: {} });
  expect(items.map(({ version, rowsAdded }) => [version, rowsAdded])).toEqual([
    [1, 2],
    [0, 0],
  ]);
  const listed = await api.call(listTables, { query: {} });
  expect(listed.items).toMatchObject([params]);
});
