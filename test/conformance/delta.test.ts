import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Column } from '../../src/formats/delta/schema.ts';
import { ndjson, openLake, type Lake } from '../contracts/lake.ts';
import { python } from './python.ts';

/**
 * Our Delta tables and delta-rs (the `deltalake` package): each reads what the other wrote, and
 * both write to one table.
 */
const REF = { namespace: 'lab', name: 'rows' };
const ALL_TYPES: readonly Column[] = [
  { name: 's', type: 'string', nullable: true },
  { name: 'l', type: 'long', nullable: true },
  { name: 'i', type: 'integer', nullable: true },
  { name: 'd', type: 'double', nullable: true },
  { name: 'f', type: 'float', nullable: true },
  { name: 'b', type: 'boolean', nullable: true },
  { name: 'ts', type: 'timestamp', nullable: true },
  { name: 'dt', type: 'date', nullable: true },
  { name: 'bin', type: 'binary', nullable: true },
];
const VALUES: readonly (readonly unknown[])[] = [
  [
    'grüße 😀\n"\\',
    9007199254740991,
    2147483647,
    0.1,
    0.5,
    true,
    '2001-02-03T04:05:06.123456Z',
    '2001-02-03',
    'AP8=',
  ],
  ['', -1, -2147483648, -1e-300, -3.5, false, '1969-12-31T23:59:59.999999Z', '1969-12-31', ''],
  [null, null, null, null, null, null, null, null, null],
  ['x'.repeat(60), 0, 0, 1e300, 0.25, true, '1883-11-18T12:03:58Z', '1600-02-29', 'YQ=='],
  ['\u{10ffff}', 1, 1, 'NaN', '-Infinity', true, '2262-01-01T00:00:00Z', '9999-12-31', 'YWI='],
];

/** Python that prints a table as we print it: our forms of JSON, one list a row. */
const SHOW = `
import base64, datetime as dt, json, math, sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake, CommitProperties, Transaction

def cell(value, kind):
    if value is None: return None
    if pa.types.is_timestamp(kind):
        text = value.astimezone(dt.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S')
        text = text.rjust(20 - 1, '0')
        fraction = f'.{value.microsecond:06d}'.rstrip('0').rstrip('.')
        return text + fraction + 'Z'
    if isinstance(value, dt.date): return value.isoformat()
    if isinstance(value, bytes): return base64.b64encode(value).decode()
    if isinstance(value, float) and math.isnan(value): return 'NaN'
    if isinstance(value, float) and math.isinf(value): return 'Infinity' if value > 0 else '-Infinity'
    return value

def show(table):
    table = pa.table(table) if not isinstance(table, pa.Table) else table
    columns = [[cell(v, column.type) for v in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns)]

folder = sys.argv[1]
`;

/** Arrow's threads now and then abort the interpreter while it ends, when everything is done. */
const LEAVE = 'sys.stdout.flush(); import os; os._exit(0)';

async function py(folder: string, source: string, ...args: string[]): Promise<unknown> {
  const printed = await python(`${SHOW}${source}\n${LEAVE}`, { args: [folder, ...args] });
  return printed.trim() === '' ? null : JSON.parse(printed);
}

function asObjects(rows: readonly (readonly unknown[])[]): Uint8Array {
  return ndjson(
    ...rows.map((row) => Object.fromEntries(ALL_TYPES.map(({ name }, at) => [name, row[at]]))),
  );
}

async function lakeWith(columns: readonly Column[]): Promise<{ lake: Lake; location: string }> {
  const lake = await openLake();
  const { location } = await lake.tables.create(REF, columns);
  return { lake, location };
}

const LONG: readonly Column[] = [{ name: 'id', type: 'long', nullable: true }];

/** All rows, sorted as text: engines may order files differently. */
async function ours(lake: Lake, version?: number): Promise<unknown[][]> {
  const page = { offset: 0, limit: 10_000, ...(version === undefined ? {} : { version }) };
  return sorted((await lake.another().rows(REF, page)).rows);
}

function sorted(rows: unknown): unknown[][] {
  const text = (row: unknown[]): string => JSON.stringify(row);
  return (rows as unknown[][]).toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}

const READ = `print(json.dumps(show(DeltaTable(folder).to_pyarrow_table())))`;

describe('delta-rs reads our table', () => {
  test('of every type, with nulls, unicode and times before 1970', async () => {
    const { lake, location } = await lakeWith(ALL_TYPES);
    await lake.tables.append({ ...REF, ndjson: asObjects(VALUES) });
    expect(sorted(await py(location, READ))).toEqual(sorted(VALUES));
    const facts = await py(
      location,
      `t = DeltaTable(folder)
print(json.dumps({'version': t.version(), 'reader': t.protocol().min_reader_version,
  'writer': t.protocol().min_writer_version, 'types': [str(f.type.type) for f in t.schema().fields],
  'nullable': [f.nullable for f in t.schema().fields]}))`,
    );
    expect(facts).toEqual({
      version: 1,
      reader: 1,
      writer: 2,
      types: ALL_TYPES.map(({ type }) => type),
      nullable: ALL_TYPES.map(() => true),
    });
  });

  test('at every version of 25 commits, and by its checkpoint alone', async () => {
    const { lake, location } = await lakeWith(LONG);
    for (let id = 1; id <= 25; id += 1) {
      const txn = { appId: 'stream', version: id };
      await lake.tables.append({ ...REF, ndjson: ndjson({ id }), txn });
    }
    const versions = `
def ids(v): return sorted(r[0] for r in show(DeltaTable(folder, version=v).to_pyarrow_table()))
print(json.dumps([[v, ids(v)] for v in json.loads(sys.argv[2])]))`;
    const upTo = (version: number) => Array.from({ length: version }, (_, at) => at + 1);
    const asked = [0, 1, 9, 10, 11, 19, 20, 21, 25];
    expect(await py(location, versions, JSON.stringify(asked))).toEqual(
      asked.map((version) => [version, upTo(version)]),
    );
    const log = path.join(location, '_delta_log');
    for (const name of readdirSync(log)) {
      if (name.endsWith('.json') && Number(name.slice(0, 20)) < 20) rmSync(path.join(log, name));
    }
    expect(await py(location, versions, '[20,25]')).toEqual([
      [20, upTo(20)],
      [25, upTo(25)],
    ]);
    const stream = `print(json.dumps(DeltaTable(folder).transaction_version('stream')))`;
    expect(await py(location, stream)).toBe(25);
  });

  test('and finds rows by our statistics', async () => {
    const { lake, location } = await lakeWith(ALL_TYPES);
    for (const row of VALUES) await lake.tables.append({ ...REF, ndjson: asObjects([row]) });
    const filtered = (await py(
      location,
      `
import pyarrow.compute as pc
def equal(name, value): return show(DeltaTable(folder).to_pyarrow_table(filters=[(name, '=', value)]))
utc = dt.timezone.utc
print(json.dumps({
  's': equal('s', '${'x'.repeat(60)}'), 'top': equal('s', chr(0x10ffff)),
  'l': equal('l', 9007199254740991), 'f': equal('f', 0.5),
  'ts': equal('ts', dt.datetime(2001, 2, 3, 4, 5, 6, 123456, utc)),
  'old': equal('ts', dt.datetime(1969, 12, 31, 23, 59, 59, 999999, utc)),
  'dt': equal('dt', dt.date(1600, 2, 29)), 'b': equal('b', False)}))`,
    )) as Record<string, unknown>;
    const [first, second, , fourth, fifth] = VALUES;
    expect(filtered).toEqual({
      s: [fourth],
      top: [fifth],
      l: [first],
      f: [first],
      ts: [first],
      old: [second],
      dt: [fourth],
      b: [second],
    });
    const bounds = (await py(
      location,
      `
actions = pa.table(DeltaTable(folder).get_add_actions(flatten=True)).to_pylist()
row = [a for a in actions if a['min.s'] == ''][0]
print(json.dumps({k: str(v) for k, v in row.items() if k.split('.')[0] in ('min', 'max', 'null_count', 'num_records')}))`,
    )) as Record<string, string>;
    expect(bounds).toMatchObject({
      num_records: '1',
      'min.l': '-1',
      'max.l': '-1',
      'min.ts': '1969-12-31 23:59:59.999000+00:00',
      'max.dt': '1969-12-31',
      'null_count.s': '0',
    });
  });
});

describe('we read the table of delta-rs', () => {
  const WRITE = `
def at(text): return dt.datetime.fromisoformat(text)
rows = pa.table({
  's': pa.array(['grüße 😀', '', None]), 'l': pa.array([9007199254740991, -1, None], pa.int64()),
  'i': pa.array([2147483647, -2147483648, None], pa.int32()),
  'd': pa.array([0.1, float('nan'), None], pa.float64()), 'f': pa.array([0.1, float('-inf'), None], pa.float32()),
  'b': pa.array([True, False, None]),
  'ts': pa.array([at('2001-02-03T04:05:06.123456+00:00'), at('1969-12-31T23:59:59.999999+00:00'), None], pa.timestamp('us', 'UTC')),
  'dt': pa.array([dt.date(2001, 2, 3), dt.date(1600, 2, 29), None]), 'bin': pa.array([b'\\x00\\xff', b'', None])})
`;
  const WRITTEN = [
    [
      'grüße 😀',
      9007199254740991,
      2147483647,
      0.1,
      0.1,
      true,
      '2001-02-03T04:05:06.123456Z',
      '2001-02-03',
      'AP8=',
    ],
    [
      '',
      -1,
      -2147483648,
      'NaN',
      '-Infinity',
      false,
      '1969-12-31T23:59:59.999999Z',
      '1600-02-29',
      '',
    ],
    [null, null, null, null, null, null, null, null, null],
  ];

  async function foreign(source: string): Promise<{ lake: Lake; location: string }> {
    const lake = await openLake();
    const location = path.join(lake.folder, REF.namespace, REF.name);
    mkdirSync(path.dirname(location), { recursive: true });
    await py(location, source);
    return { lake, location };
  }

  test('of every type, from its commits and from its checkpoint', async () => {
    const { lake, location } = await foreign(`${WRITE}
for _ in range(3): write_deltalake(folder, rows, mode='append')
DeltaTable(folder).create_checkpoint()
write_deltalake(folder, rows, mode='append')`);
    expect((await lake.tables.describe(REF)).columns).toEqual(ALL_TYPES);
    expect(await ours(lake, 0)).toEqual(sorted(WRITTEN));
    for (const name of readdirSync(path.join(location, '_delta_log'))) {
      if (/^0+[01]\.json$/.test(name)) rmSync(path.join(location, '_delta_log', name));
    }
    expect(await ours(lake)).toEqual(sorted([1, 2, 3, 4].flatMap(() => WRITTEN)));
    expect(await lake.another().describe(REF)).toMatchObject({ version: 3, rows: 12, files: 4 });
  });

  test('after deletes, compaction and added columns', async () => {
    const { lake } = await foreign(`
for i in range(4): write_deltalake(folder, pa.table({'id': pa.array([i * 2, i * 2 + 1], pa.int64())}), mode='append')
DeltaTable(folder).delete('id in (1, 4, 5)')
DeltaTable(folder).optimize.compact()
write_deltalake(folder, pa.table({'id': pa.array([100], pa.int64()), 'note': ['new']}), mode='append', schema_mode='merge')
DeltaTable(folder).create_checkpoint()`);
    expect(await ours(lake, 3)).toEqual(sorted([0, 1, 2, 3, 4, 5, 6, 7].map((id) => [id])));
    expect(await ours(lake, 5)).toEqual(sorted([0, 2, 3, 6, 7].map((id) => [id])));
    expect(await ours(lake)).toEqual(
      sorted([...[0, 2, 3, 6, 7].map((id) => [id, null]), [100, 'new']]),
    );
    const find = { where: [{ column: 'note', comparison: '=', value: 'new' }] as const, limit: 9 };
    expect((await lake.tables.find(REF, find)).rows).toEqual([[100, 'new']]);
  });

  test('in partitions, which we read and do not write', async () => {
    const { lake, location } = await foreign(`
write_deltalake(folder, pa.table({'id': pa.array([1, 2, 3, 4], pa.int64()), 'day': [dt.date(2001, 1, 1)] * 2 + [dt.date(2001, 1, 2), None],
  'name': ['a b', "it's", 'é/x=y%', None]}), partition_by=['day', 'name'])`);
    const rows = sorted([
      [1, '2001-01-01', 'a b'],
      [2, '2001-01-01', "it's"],
      [3, '2001-01-02', 'é/x=y%'],
      [4, null, null],
    ]);
    expect(await ours(lake)).toEqual(rows);
    await py(location, 'DeltaTable(folder).create_checkpoint()');
    rmSync(path.join(location, '_delta_log', '00000000000000000000.json'));
    expect(await ours(lake)).toEqual(rows);
    await expect(lake.tables.append({ ...REF, ndjson: ndjson({ id: 5 }) })).rejects.toMatchObject({
      code: 'TABLE_FEATURE_UNSUPPORTED',
      message: 'This table is read-only here: it is partitioned by day, name.',
    });
  });

  test.each([
    [
      'deletion vectors',
      `configuration={'delta.enableDeletionVectors': 'true'}`,
      'deletionVectors',
    ],
    [
      'column mapping',
      `configuration={'delta.columnMapping.mode': 'name'}`,
      'maps columns by name',
    ],
  ])('unless it uses %s', async (_, option, says) => {
    const { lake } = await foreign(`
from deltalake import Schema, Field
from deltalake.schema import PrimitiveType
schema = Schema([Field('id', PrimitiveType('long'))])
DeltaTable.create(folder, schema, ${option})`);
    await expect(lake.tables.describe(REF)).rejects.toMatchObject({
      code: 'TABLE_FEATURE_UNSUPPORTED',
      message: expect.stringContaining(says),
    });
  });

  test('unless a column has a type we do not read', async () => {
    const { lake } = await foreign(`
write_deltalake(folder, pa.table({'at': pa.array([dt.datetime(2001, 1, 1)], pa.timestamp('us'))}))`);
    await expect(lake.tables.describe(REF)).rejects.toMatchObject({
      code: 'TABLE_FEATURE_UNSUPPORTED',
      message: 'Column at has the type timestamp_ntz, which Millwright does not read.',
    });
  });

  test('and append to one with change data feed, which the other still reads', async () => {
    const { lake, location } = await foreign(`
write_deltalake(folder, pa.table({'id': pa.array([1], pa.int64())}), configuration={'delta.enableChangeDataFeed': 'true'})`);
    await lake.tables.append({ ...REF, ndjson: ndjson({ id: 2 }) });
    expect(await py(location, READ)).toEqual([[2], [1]]);
    const changes = `
feed = pa.table(DeltaTable(folder).load_cdf(starting_version=0)).select(['id', '_change_type'])
print(json.dumps(show(feed)))`;
    expect(sorted(await py(location, changes))).toEqual([
      [1, 'insert'],
      [2, 'insert'],
    ]);
  });
});

describe('both write one table', () => {
  test('by turns, with checkpoints of both', async () => {
    const { lake, location } = await lakeWith(ALL_TYPES);
    await lake.tables.append({ ...REF, ndjson: asObjects(VALUES) });
    await py(
      location,
      `
mine = DeltaTable(folder).to_pyarrow_table()
for i in range(3):
    props = CommitProperties(app_transactions=[Transaction('theirs', i)])
    write_deltalake(folder, mine, mode='append', commit_properties=props)
DeltaTable(folder).create_checkpoint()`,
    );
    expect(await ours(lake)).toEqual(sorted([1, 2, 3, 4].flatMap(() => VALUES)));
    expect(await lake.another().txnVersion(REF, 'theirs')).toBe(2);
    for (let version = 5; version <= 10; version += 1) {
      await lake.tables.append({ ...REF, ndjson: asObjects(VALUES.slice(0, 1)) });
    }
    expect(readdirSync(path.join(location, '_delta_log'))).toContain(
      '00000000000000000010.checkpoint.parquet',
    );
    const all = [
      ...[1, 2, 3, 4].flatMap(() => VALUES),
      ...[1, 2, 3, 4, 5, 6].map(() => VALUES[0]!),
    ];
    expect(sorted(await py(location, READ))).toEqual(sorted(all));
    await py(
      location,
      `DeltaTable(folder).delete("s = ''"); DeltaTable(folder).vacuum(0, dry_run=False, enforce_retention_duration=False)`,
    );
    const left = all.filter(([s]) => s !== '');
    expect(await ours(lake)).toEqual(sorted(left));
    expect(await lake.another().describe(REF)).toMatchObject({ rows: left.length });
  });

  test('at the same time, and no row is lost or doubled', async () => {
    const { lake, location } = await lakeWith(LONG);
    const theirs = py(
      location,
      `
for i in range(15): write_deltalake(folder, pa.table({'id': pa.array([1000 + i], pa.int64())}), mode='append')`,
    );
    const mine = [0, 1].map(async (writer) => {
      const tables = lake.another();
      for (let at = 0; at < 25; at += 1) {
        await tables.append({ ...REF, ndjson: ndjson({ id: writer * 100 + at }) });
      }
    });
    await Promise.all([theirs, ...mine]);
    const expected = [
      ...Array.from({ length: 25 }, (_, at) => [at]),
      ...Array.from({ length: 25 }, (_, at) => [100 + at]),
      ...Array.from({ length: 15 }, (_, at) => [1000 + at]),
    ];
    expect(await ours(lake)).toEqual(sorted(expected));
    expect(sorted(await py(location, READ))).toEqual(sorted(expected));
  });
});

test('a copy of a table is the table', async () => {
  const { lake, location } = await lakeWith(LONG);
  for (let id = 1; id <= 12; id += 1) await lake.tables.append({ ...REF, ndjson: ndjson({ id }) });
  const copy = path.join(lake.folder, 'lab', 'copy');
  mkdirSync(path.join(copy, '_delta_log'), { recursive: true });
  for (const folder of ['', '_delta_log']) {
    for (const name of readdirSync(path.join(location, folder))) {
      if (name !== '_delta_log')
        copyFileSync(path.join(location, folder, name), path.join(copy, folder, name));
    }
  }
  const { rows } = await lake.tables.rows(
    { namespace: 'lab', name: 'copy' },
    { offset: 0, limit: 99 },
  );
  expect(rows).toEqual((await lake.tables.rows(REF, { offset: 0, limit: 99 })).rows);
  expect(sorted(await py(copy, READ))).toEqual(sorted(rows));
});
