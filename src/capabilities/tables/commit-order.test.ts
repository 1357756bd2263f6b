import path from 'node:path';
import { expect, it } from 'vitest';
import { ndjson, openLake, ids } from '../../../test/contracts/lake.ts';
import { micros } from '../../base/time.ts';
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
