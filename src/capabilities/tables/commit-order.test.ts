import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ndjson, openLake, ids } from '../../../test/contracts/lake.ts';
import { present } from '../../base/assert.ts';
import { micros } from '../../base/time.ts';
import { formatCommit } from '../../formats/delta/actions.ts';
import { loadSnapshot } from '../../formats/delta/load-snapshot.ts';
import { commitName } from '../../formats/delta/log-names.ts';
import { DeltaTables } from './delta-tables.ts';

const REF = { namespace: 'lab', name: 'rows' };

it('gives files in the order of their commits, whatever the clock said', async () => {
  const { folder, analytics } = await openLake();
  let wall = micros(1_000_000_000_000_000);
  const clock = { wall: () => wall };
  const tables = new DeltaTables({ lakeFolder: folder, analytics, clock, ids });
  await tables.create(REF, [{ name: 'id', type: 'long', nullable: true }]);
  const sizes: number[] = [];
  for (const id of [1, 2, 3, 4]) {
    await tables.append({ ...REF, ndjson: ndjson({ id }) });
    const { files } = await tables.files(REF);
    sizes.push(files.length);
    // Set back after every append.
    wall = micros(wall - 60_000_000);
  }
  expect(sizes).toEqual([1, 2, 3, 4]);
  const inOrder = async (from: DeltaTables, version?: number): Promise<unknown[]> => {
    const { files, columns } = await from.files(REF, version);
    return (await analytics.scan({ files, columns, offset: 0, limit: 9 })).flat();
  };
  expect(await inOrder(tables)).toEqual([1, 2, 3, 4]);
  expect(await inOrder(tables, 2)).toEqual([1, 2]);
  const another = new DeltaTables({ lakeFolder: folder, analytics, clock, ids });
  expect(await inOrder(another)).toEqual([1, 2, 3, 4]);
  const { files } = await another.files(REF, 1);
  expect(files.map((file) => path.dirname(file.path))).toEqual([path.join(folder, 'lab/rows')]);
});

it('leaves rows that only moved to another file where they were', async () => {
  const { folder, analytics, tables } = await openLake();
  await tables.create(REF, [{ name: 'id', type: 'long', nullable: true }]);
  for (const id of [1, 2, 3]) await tables.append({ ...REF, ndjson: ndjson({ id }) });
  const io = analytics.table(path.join(folder, 'lab/rows'));
  const { version, files } = present(await loadSnapshot(io), 'the table');
  const byName = new Map<unknown, string>();
  for (const { path: file } of files.values()) {
    const scanned = { path: path.join(folder, 'lab/rows', file), partitionValues: {} };
    const { columns } = await tables.files(REF);
    const rows = await analytics.scan({ files: [scanned], columns, offset: 0, limit: 9 });
    byName.set(rows[0]![0], file);
  }
  const inOrder = async (from: typeof tables): Promise<string[]> =>
    (await from.files(REF)).files.map((file) => path.basename(file.path));
  // As OPTIMIZE of another engine does: the files of 1 and 2 become one, here a copy of the first.
  const [first, second, third] = [1, 2, 3].map((id) => present(byName.get(id), 'a file'));
  await copyFile(
    path.join(folder, 'lab/rows', first!),
    path.join(folder, 'lab/rows/moved.parquet'),
  );
  const add = {
    ...present(files.get(first!), 'its entry'),
    path: 'moved.parquet',
    modificationTime: 9_999_999_999_999,
    dataChange: false,
  };
  const removed = [first!, second!].map((file) => ({
    remove: { path: file, dataChange: false, deletionTimestamp: 0 },
  }));
  const commit = formatCommit([...removed, { add }]);
  expect(await io.log.putIfAbsent(commitName(version + 1), commit)).toBe(true);
  const another = new DeltaTables({
    lakeFolder: folder,
    analytics,
    clock: { wall: () => micros(0) },
    ids,
  });
  for (const from of [tables, another]) {
    expect(await inOrder(from)).toEqual(['moved.parquet', third]);
  }
  // As the same engine does when it adds statistics to an entry.
  const again = formatCommit([{ add }]);
  expect(await io.log.putIfAbsent(commitName(version + 2), again)).toBe(true);
  for (const from of [tables, another]) {
    expect(await inOrder(from)).toEqual(['moved.parquet', third]);
  }
});
