import path from 'node:path';
import { expect, test } from 'vitest';
import { differenceOf } from '../../src/capabilities/tables/table-difference.ts';
import type { Column } from '../../src/formats/delta/schema.ts';
import { ndjson, openLake } from '../contracts/lake.ts';
import { python } from './python.ts';

/** What two versions differ by, against delta-rs reading both of them whole. */

const REF = { namespace: 'lab', name: 'rows' };
const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'long', nullable: true },
  { name: 'name', type: 'string', nullable: true },
];

/** Appends, deletes, updates, merges files and overwrites. */
const CHANGE = `
import sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
folder = sys.argv[1]
def rows(ids):
    names = pa.array(['n%d' % i for i in ids])
    return pa.table({'id': pa.array(ids, pa.int64()), 'name': names})
write_deltalake(folder, rows([10, 11, 12, 13]), mode='append')
DeltaTable(folder).delete('id = 11')
DeltaTable(folder).optimize.compact()
DeltaTable(folder).update(predicate='id = 2', updates={'name': "'two'"})
write_deltalake(folder, rows([20, 20, 20]), mode='append')
DeltaTable(folder).optimize.compact()
write_deltalake(folder, rows([1, 20, 99]), mode='overwrite')
`;

const COUNT = `
import json, sys
from collections import Counter
import pyarrow as pa
from deltalake import DeltaTable
folder = sys.argv[1]
newest = DeltaTable(folder).version()
def bag(version):
    table = pa.table(DeltaTable(folder, version=version).to_pyarrow_table())
    return Counter((row['id'], row['name']) for row in table.to_pylist())
bags = [bag(version) for version in range(newest + 1)]
def count(bag): return sum(bag.values())
found = [[a, b, count(bags[b] - bags[a]), count(bags[a] - bags[b])]
         for a in range(newest + 1) for b in range(a, newest + 1)]
sys.stdout.write(json.dumps(found)); sys.stdout.flush()
import os; os._exit(0)
`;

test('two versions differ by what delta-rs finds when it reads both', async () => {
  const lake = await openLake();
  await lake.tables.create(REF, COLUMNS);
  const first = [1, 2, 3].map((id) => ({ id, name: `n${id}` }));
  await lake.tables.append({ ...REF, ndjson: ndjson(...first) });
  await lake.tables.append({ ...REF, ndjson: ndjson({ id: 4, name: null }) });
  const location = path.join(lake.folder, 'lab', 'rows');
  await python(CHANGE, { args: [location] });
  const expected = JSON.parse(await python(COUNT, { args: [location] })) as number[][];
  expect(expected.length).toBeGreaterThan(50);
  const found: number[][] = [];
  for (const [from, to] of expected as [number, number][]) {
    const difference = await differenceOf(lake.tables, REF, { from, to, limit: 5 });
    found.push([from, to, difference.rowsAdded, difference.rowsRemoved]);
  }
  expect(found).toEqual(expected);

  const history = await lake.tables.history(REF, { limit: 50 });
  const moves = history.filter(({ operation }) => operation === 'OPTIMIZE');
  expect(moves.length).toBeGreaterThan(0);
  expect(
    moves.every(
      ({ changesRows, rowsAdded, rowsRemoved }) =>
        !changesRows && rowsAdded + (rowsRemoved ?? 0) === 0,
    ),
  ).toBe(true);
  expect(history[0]).toMatchObject({ rowsAdded: 3 });
});
