import { expect, test } from 'vitest';
import type { Column } from '../../src/formats/delta/schema.ts';
import { openLake } from '../contracts/lake.ts';
import { python } from './python.ts';

/** Tables whose rows and columns were replaced, as delta-rs reads each of their versions. */

const REF = { namespace: 'training_sets', name: 'late' };
const SHOW = `
import json, os, sys
from deltalake import DeltaTable
for version in (1, 2, 3):
    rows = DeltaTable(sys.argv[1], version=version).to_pyarrow_table().to_pylist()
    print(json.dumps(rows))
sys.stdout.flush()
os._exit(0)
`;

const double = (name: string): Column => ({ name, type: 'double', nullable: true });

test('every version of a replaced table has its own rows and columns', async () => {
  const lake = await openLake();
  const replace = (columns: readonly Column[], select: string, version: number) =>
    lake.tables.replace(REF, { columns, select, txn: { appId: `build:${version}`, version: 1 } });
  const first = await replace([double('a')], 'SELECT 1.5 AS a UNION ALL SELECT NULL', 1);
  const second = await replace([double('a'), double('b')], 'SELECT 2 AS a, 3 AS b', 2);
  const again = await replace([double('b')], 'SELECT 9 AS b', 2);
  const third = await replace([double('b')], 'SELECT 4 AS b', 3);
  expect([first, second, again, third]).toEqual([
    { version: 1, rows: 2, isDuplicate: false },
    { version: 2, rows: 1, isDuplicate: false },
    { version: 2, rows: 0, isDuplicate: true },
    { version: 3, rows: 1, isDuplicate: false },
  ]);
  const { location } = await lake.tables.describe(REF);
  const printed = await python(SHOW, { args: [location] });
  const versions = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(versions).toEqual([[{ a: 1.5 }, { a: null }], [{ a: 2, b: 3 }], [{ b: 4 }]]);
  const former = await lake.tables.rows(REF, { version: 1, offset: 0, limit: 9 });
  expect(former.rows).toEqual([[1.5], [null]]);
});
