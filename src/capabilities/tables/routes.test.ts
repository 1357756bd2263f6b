import { expect, onTestFinished, test } from 'vitest';
import { ndjson } from '../../../test/contracts/lake.ts';
import { createTestApp } from '../../app/testing.ts';
import {
  appendRows,
  createTable,
  diffTable,
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
  expect(listed.items).toMatchObject([
    { ...params, version: 1, rows: 2, files: 1, lastChange: { operation: 'WRITE', user: 'test' } },
  ]);
});

test('versions are told apart over HTTP: who made them, and what is different', async () => {
  const { api, ...app } = await createTestApp();
  onTestFinished(() => app[Symbol.asyncDispose]());
  const params = { namespace: 'lab', name: 'rows' };
  const columns = [{ name: 'id', type: 'long' as const }];
  await api.call(createTable, { body: { ...params, columns } });
  const append = (stream: string, ...rows: readonly object[]) =>
    api.call(appendRows, { params, query: { stream, sequence: 1 } }, { bytes: ndjson(...rows) });
  await append('nightly', { id: 1 });
  await append('hourly', { id: 2 }, { id: 3 });
  const { items } = await api.call(tableHistory, { params, query: {} });
  const write = { operation: 'WRITE', user: 'test', engine: 'Millwright', changesRows: true };
  expect(items).toMatchObject([
    { ...write, app: 'stream:hourly', rowsAdded: 2, rowsRemoved: 0, changesColumns: false },
    { ...write, app: 'stream:nightly', rowsAdded: 1 },
    { operation: 'CREATE TABLE', user: 'test', app: null, changesRows: false },
  ]);

  const diff = (query: object) => api.call(diffTable, { params, query });
  expect(await diff({})).toMatchObject({ from: 1, to: 2, rowsAdded: 2, addedRows: [[2], [3]] });
  expect(await diff({ from: 0 })).toMatchObject({ from: 0, to: 2, rowsAdded: 3 });
  expect(await diff({ to: 0 })).toMatchObject({ from: 0, to: 0, rowsAdded: 0 });
  await expect(diff({ from: 2, to: 1 })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: 'Version 2 is newer than version 1.',
  });
  await expect(diff({ to: 9 })).rejects.toMatchObject({ code: 'TABLE_VERSION_NOT_FOUND' });
  await expect(diff({ from: 0, to: 90_000 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});
