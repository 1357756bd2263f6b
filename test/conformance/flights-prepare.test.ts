import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTestApp } from '../../src/app/testing.ts';
import {
  appendRows,
  createTable,
  PARQUET_TYPE,
  readRows,
  type Column,
} from '../../src/capabilities/tables/contract.ts';
import { temporaryFolder } from '../contracts/lake.ts';
import { python } from './python.ts';

const RAW = path.resolve('node_modules/vega-datasets/data');
const RUN = `
import runpy, sys
script, out = sys.argv[1:]
sys.argv = [script, '--flights', 'flights-3m.parquet', '--airports', 'airports.csv', '--out', out]
runpy.run_path(script, run_name='__main__')
`;
const FACTS = `
import json
import pandas as pd

departures = pd.read_parquet('departures.parquet')
landings = pd.read_parquet('landings.parquet')
zones = pd.read_parquet('airports.parquet').set_index('iata')['zone']
both = departures.merge(landings, on='flight_id', suffixes=('', '_landed'))
minutes = (both['landed_at'] - both['departed_at']).dt.total_seconds() / 60
changed = departures.set_index('flight_id').loc[[0, 4]]
print(json.dumps({
    'departures': {name: str(kind) for name, kind in departures.dtypes.items()},
    'landings': {name: str(kind) for name, kind in landings.dtypes.items()},
    'sorted': [bool(departures['departed_at'].is_monotonic_increasing),
               bool(landings['landed_at'].is_monotonic_increasing)],
    'matched': len(both),
    'unexplained': int((abs(minutes - 30 - both['distance'] / 450 * 60) > 1e-6).sum()),
    'misjudged': int((both['late'] != (both['delay'] > 15)).sum()),
    'longest': int(both['delay'].abs().max()),
    'zones': [zones[name] for name in ('ORD', 'IND', 'PHX', 'HNL', 'DTW')],
    'first': [str(at) for at in changed['departed_at']],
}))
`;
const COUNTS = {
  raw_rows: 3_000_000,
  dropped_delay_over_24h: 8,
  departures: 2_999_992,
  landings: 2_999_992,
  late: 599_047,
  equal_to_an_earlier_row: 191,
  wall_times_skipped_by_summer_time: 1,
  airports: 229,
  zones: 17,
  first_departure: '2001-01-01T05:01:00+00:00',
  last_departure: '2001-07-01T08:54:00+00:00',
  last_landing: '2001-07-01T16:33:36+00:00',
};
const TABLES = {
  departures: {
    flight_id: 'int64',
    departed_at: 'datetime64[us, UTC]',
    origin: 'str',
    destination: 'str',
    distance: 'int32',
  },
  landings: {
    flight_id: 'int64',
    landed_at: 'datetime64[us, UTC]',
    origin: 'str',
    destination: 'str',
    delay: 'int32',
    late: 'bool',
  },
  sorted: [true, true],
  matched: 2_999_992,
  unexplained: 0,
  misjudged: 0,
  longest: 1438,
  zones: [
    'America/Chicago',
    'America/Indiana/Indianapolis',
    'America/Phoenix',
    'Pacific/Honolulu',
    'America/Detroit',
  ],
  // Both at 00:01 on the wall: in Las Vegas, and in Richmond.
  first: ['2001-01-01 08:01:00+00:00', '2001-01-01 05:01:00+00:00'],
};
const column = (name: string, type: Column['type']) => ({ name, type, nullable: false });

test('three million raw flights become tables, and the tables become rows', async () => {
  const out = path.join(temporaryFolder(), 'data');
  mkdirSync(out);
  const options = { timeoutMs: 280_000 };
  const script = path.resolve('examples/flights/prepare.py');
  await python(RUN, { args: [script, out], cwd: RAW, ...options });
  expect(JSON.parse(readFileSync(path.join(out, 'prepare.json'), 'utf8'))).toEqual(COUNTS);
  expect(JSON.parse(await python(FACTS, { cwd: out, ...options }))).toEqual(TABLES);

  const { api, ...app } = await createTestApp();
  onTestFinished(() => app[Symbol.asyncDispose]());
  const params = { namespace: 'default', name: 'departures' };
  const columns = [
    column('flight_id', 'long'),
    column('departed_at', 'timestamp'),
    column('origin', 'string'),
    column('destination', 'string'),
    column('distance', 'integer'),
  ];
  await api.call(createTable, { body: { ...params, columns } });
  const bytes = readFileSync(path.join(out, 'departures.parquet'));
  const done = await api.call(
    appendRows,
    { params, query: { batch: 'all' } },
    { bytes, contentType: PARQUET_TYPE },
  );
  expect(done).toEqual({ version: 1, rows: 2_999_992, duplicate: false });
  const { rows } = await api.call(readRows, { params, query: { limit: 2 } });
  expect(rows).toEqual([
    [1, '2001-01-01T05:01:00Z', 'ATL', 'SAV', 215],
    [4, '2001-01-01T05:01:00Z', 'RIC', 'ORF', 75],
  ]);
}, 400_000);
