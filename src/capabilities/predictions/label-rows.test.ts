import { expect, test } from 'vitest';
import { ndjson, openLake } from '../../../test/contracts/lake.ts';
import type { Column } from '../tables/contract.ts';
import type { DeclaredLabel } from './declared-labels.ts';
import { readLabelRows, type LabelRowsDeps, type SourceRow } from './label-rows.ts';

const REF = { namespace: 'main', name: 'outcomes' };
const TIMES = ['2001-03-01T00:00:00.123456Z', '1969-12-31T23:59:59Z', null];

async function rowsOf(
  deps: LabelRowsDeps,
  label: DeclaredLabel,
  from: Parameters<typeof readLabelRows>[2],
) {
  const rows: (SourceRow | null)[] = [];
  for await (const piece of readLabelRows(deps, label, from)) rows.push(...piece);
  return rows;
}

test.each<[Column['type'], Column['type'], readonly unknown[], readonly unknown[]]>([
  ['long', 'boolean', [1, -9_007_199_254_740_991, null], [true, false, null]],
  ['integer', 'double', [7, 0, null], [0.1, 'NaN', -1e300]],
  ['string', 'string', ['é 😀', '', null], ['a"b', '', null]],
  ['string', 'long', ['a', 'b', 'c'], [9_007_199_254_740_991, 0, null]],
  ['long', 'integer', [1, 2, 3], [-5, null, 5]],
  ['long', 'float', [1, 2, 3], [0.1, null, 5]],
])(
  'rows of a %s and a %s are told from memory as from their files',
  async (id, value, ids, values) => {
    const { tables, analytics } = await openLake();
    const columns = [
      { name: 'id', type: id, nullable: true },
      { name: 'at', type: 'timestamp', nullable: true },
      { name: 'value', type: value, nullable: true },
    ] as const;
    await tables.create(REF, columns);
    for (const at of TIMES) {
      for (const [index, one] of ids.entries()) {
        await tables.append({ ...REF, ndjson: ndjson({ id: one, at, value: values[index] }) });
      }
    }
    const label: DeclaredLabel = {
      name: 'outcome',
      endpoint: 'e',
      table: REF,
      idColumn: 'id',
      timeColumn: 'at',
      valueColumn: 'value',
      matureMicros: 0,
    };
    const { files } = await tables.files(REF);
    const from = { files, columns, signal: new AbortController().signal };
    const read = await rowsOf({ analytics, tables: { recentFile: () => null } }, label, from);
    expect(read).toHaveLength(TIMES.length * ids.length);
    expect(await rowsOf({ analytics, tables }, label, from)).toEqual(read);
    // Files of some time ago are read, and those after them told.
    const older = new Set(files.slice(0, 4).map(({ path }) => path));
    const recentFile = (path: string) => (older.has(path) ? null : tables.recentFile(path));
    expect(await rowsOf({ analytics, tables: { recentFile } }, label, from)).toEqual(read);
  },
);
