import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTestApp } from '../../src/app/testing.ts';
import {
  appendRows,
  createTable,
  PARQUET_TYPE,
  readRows,
} from '../../src/capabilities/tables/contract.ts';
import { temporaryFolder } from '../contracts/lake.ts';
import { python } from './python.ts';

/** Parquet as pandas and Arrow write it, whatever their version's habits. */
const WRITE = `
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

at = pd.to_datetime(['2001-01-01T00:00:00.123456789Z', None], utc=True)
frame = pd.DataFrame({'at': at, 'place': pd.Categorical(['ORD', None]), 'n': [1, 2]})
frame.to_parquet('pandas.parquet')
frame.assign(at=at.tz_localize(None)).to_parquet('naive.parquet')
table = pa.table({'at': pa.array(at.tz_localize(None)), 'place': ['a', 'b'], 'n': [1, 2]})
pq.write_table(table, 'int96.parquet', use_deprecated_int96_timestamps=True)
pq.write_table(table.set_column(0, 'at', table['at'].cast(pa.timestamp('us', 'UTC'), safe=False)),
               'secret.parquet')
# A footer without data, whose columns lie in another file.
elsewhere = pq.read_metadata('secret.parquet')
elsewhere.set_file_path('secret.parquet')
elsewhere.write_metadata_file('elsewhere.parquet')
`;

test('takes the Parquet of pandas, but no naive times or files that point elsewhere', async () => {
  const folder = temporaryFolder();
  await python(WRITE, { cwd: folder });
  const { api, ...app } = await createTestApp();
  onTestFinished(() => app[Symbol.asyncDispose]());
  const params = { namespace: 'lab', name: 'rows' };
  const columns = [
    { name: 'at', type: 'timestamp' as const },
    { name: 'place', type: 'string' as const },
    { name: 'n', type: 'long' as const },
  ];
  await api.call(createTable, { body: { ...params, columns } });
  const append = (name: string) =>
    api.call(
      appendRows,
      { params, query: {} },
      { bytes: readFileSync(path.join(folder, name)), contentType: PARQUET_TYPE },
    );

  for (const name of ['naive.parquet', 'int96.parquet']) {
    await expect(append(name)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'Column at holds times without a zone.',
    });
  }
  await expect(append('elsewhere.parquet')).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('Only inlined data files are supported') as string,
  });
  expect(await append('pandas.parquet')).toMatchObject({ version: 1, rows: 2 });
  const { rows } = await api.call(readRows, { params, query: {} });
  expect(rows).toEqual([
    ['2001-01-01T00:00:00.123456Z', 'ORD', 1],
    [null, null, 2],
  ]);
});
