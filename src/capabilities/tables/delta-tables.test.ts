import * as fc from 'fast-check';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import type { Column } from '../../formats/delta/schema.ts';

const REF = { namespace: 'lab', name: 'rows' };
const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'long', nullable: false },
  { name: 'name', type: 'string', nullable: true },
];
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

async function newTable(columns: readonly Column[] = COLUMNS): Promise<Lake> {
  const lake = await openLake();
  await lake.tables.create(REF, columns);
  return lake;
}

function append(lake: Lake, from: number, count = 1): Promise<{ version: number }> {
  const rows = Array.from({ length: count }, (_, index) => ({
    id: from + index,
    name: `n${from + index}`,
  }));
  return lake.tables.append({ ...REF, ndjson: ndjson(...rows) });
}

async function ids(
  lake: Lake,
  page: { version?: number; offset?: number; limit?: number; newestFirst?: boolean } = {},
): Promise<unknown[]> {
  const { rows } = await lake
    .another()
    .rows(REF, { offset: 0, limit: 10_000, columns: ['id'], ...page });
  return rows.flat();
}

describe('a table', () => {
  test('is created empty', async () => {
    const lake = await openLake();
    const state = await lake.tables.create(REF, COLUMNS);
    expect(state).toMatchObject({ version: 0, columns: COLUMNS, rows: 0, files: 0, sizeBytes: 0 });
    expect(state.location).toBe(path.join(lake.folder, 'lab', 'rows'));
    expect(await ids(lake)).toEqual([]);
  });

  test('tells what was added as its log does, also of another writer', async () => {
    const lake = await newTable();
    const other = lake.another();
    for (const id of [1, 2, 3]) await append(lake, id);
    await other.append({ ...REF, ndjson: ndjson({ id: 4, name: 'n4' }) });
    await append(lake, 5);
    for (const version of [0, 2, 4, 5]) {
      const after = { version, limit: 100, seen: 5 };
      const told = await lake.tables.additionsAfter(REF, after);
      expect(told).toEqual(await lake.another().additionsAfter(REF, after));
      expect(told?.map((one) => one.rows)).toEqual(Array.from({ length: 5 - version }, () => 1));
    }
  });

  test('gives back every type, nulls and unicode as they came', async () => {
    const lake = await newTable(ALL_TYPES);
    const rows = [
      [
        'grüße 😀\n"\\',
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
        -9007199254740991,
        -2147483648,
        -1e-300,
        -3.5,
        false,
        '1969-12-31T23:59:59.999999Z',
        '1969-12-31',
        '',
      ],
      [null, null, null, null, null, null, null, null, null],
      ['a\0b', 0, 0, 'NaN', 'Infinity', true, '0001-01-01T00:00:00Z', '0001-01-01', 'YQ=='],
      [
        '\u{10ffff}',
        1,
        1,
        '-Infinity',
        'NaN',
        true,
        '9999-12-31T23:59:59.999999Z',
        '9999-12-31',
        'YWI=',
      ],
    ];
    const objects = rows.map((row) =>
      Object.fromEntries(ALL_TYPES.map(({ name }, at) => [name, row[at]])),
    );
    await lake.tables.append({ ...REF, ndjson: ndjson(...objects) });
    const page = await lake.another().rows(REF, { offset: 0, limit: 10 });
    expect(page.rows).toEqual(rows);
    expect(page.columns).toEqual(ALL_TYPES);
  });

  test('holds longs past 2^53 exactly, and shows them as text', async () => {
    const lake = await newTable();
    const text = '{"id":9223372036854775807}\n{"id":-9223372036854775808}\n{"id":9007199254740993}';
    await lake.tables.append({ ...REF, ndjson: new TextEncoder().encode(text) });
    expect(await ids(lake)).toEqual([
      '9223372036854775807',
      '-9223372036854775808',
      '9007199254740993',
    ]);
  });

  test('is read at any of its versions, also across checkpoints', async () => {
    const lake = await newTable();
    for (let version = 1; version <= 25; version += 1) await append(lake, version);
    const log = readdirSync(path.join(lake.folder, 'lab/rows/_delta_log'));
    expect(log.filter((name) => name.endsWith('.checkpoint.parquet'))).toHaveLength(2);
    expect(log.filter((name) => name.startsWith('.'))).toEqual([]);
    for (const version of [0, 1, 9, 10, 11, 20, 25]) {
      expect(await ids(lake, { version })).toEqual(
        Array.from({ length: version }, (_, at) => at + 1),
      );
    }
    await expect(ids(lake, { version: 26 })).rejects.toMatchObject({
      code: 'TABLE_VERSION_NOT_FOUND',
    });
    expect(await lake.another().describe(REF, 12)).toMatchObject({
      version: 12,
      rows: 12,
      files: 12,
    });
  });

  test('keeps its stream numbers across checkpoints', async () => {
    const lake = await newTable();
    for (let version = 1; version <= 12; version += 1) {
      const txn = { appId: `s${version % 3}`, version };
      await lake.tables.append({ ...REF, ndjson: ndjson({ id: version }), txn });
    }
    expect(await lake.another().txnVersion(REF, 's1')).toBe(10);
    expect(await lake.another().txnVersion(REF, 's0')).toBe(12);
    expect(await lake.another().txnVersion(REF, 'other')).toBeNull();
  });

  test('is paged without overlap or gap, from either end', async () => {
    const lake = await newTable();
    const sizes = [3, 1, 4, 2];
    let next = 1;
    for (const size of sizes) {
      await append(lake, next, size);
      next += size;
    }
    const all = Array.from({ length: 10 }, (_, at) => at + 1);
    for (const limit of [1, 2, 3, 7, 10]) {
      const forward: unknown[] = [];
      const backward: unknown[] = [];
      for (let offset = 0; offset < 12; offset += limit) {
        forward.push(...(await ids(lake, { offset, limit })));
        backward.push(...(await ids(lake, { offset, limit, newestFirst: true })));
      }
      expect(forward).toEqual(all);
      expect(backward).toEqual(all.toReversed());
    }
  });

  test('that does not exist is not found', async () => {
    const lake = await openLake();
    const missing = { code: 'TABLE_NOT_FOUND' };
    await expect(lake.tables.describe(REF)).rejects.toMatchObject(missing);
    await expect(lake.tables.append({ ...REF, ndjson: ndjson({ id: 1 }) })).rejects.toMatchObject(
      missing,
    );
    await expect(lake.tables.rows(REF, { offset: 0, limit: 1 })).rejects.toMatchObject(missing);
    await expect(lake.tables.history(REF, { limit: 1 })).rejects.toMatchObject(missing);
    expect(readdirSync(lake.folder)).toEqual([]);
  });

  test('lies in a folder of any name', async () => {
    const lake = await openLake({ name: "it's [a] *strange* folder?" });
    await lake.tables.create(REF, COLUMNS);
    for (let version = 1; version <= 11; version += 1) await append(lake, version);
    expect(await ids(lake)).toHaveLength(11);
  });

  test('may have columns of any name', async () => {
    const names = [
      'select',
      'constructor',
      '__proto__',
      'toString',
      'a.b',
      '"quoted"',
      "it's",
      'é',
      'rows',
      '$1',
      'c1',
      'filename',
      'file_row_number',
    ];
    const columns = names.map((name) => ({ name, type: 'long' as const, nullable: true }));
    const lake = await newTable(columns);
    const line = `{${names.map((name, at) => `${JSON.stringify(name)}:${at}`).join(',')}}\n{}`;
    await lake.tables.append({ ...REF, ndjson: new TextEncoder().encode(line) });
    const { rows } = await lake.another().rows(REF, { offset: 0, limit: 2 });
    expect(rows).toEqual([names.map((_, at) => at), names.map(() => null)]);
  });
});

describe('creating a table', () => {
  test('that is there with the same columns takes it over', async () => {
    const lake = await newTable();
    await append(lake, 1);
    expect(await lake.another().create(REF, COLUMNS)).toMatchObject({ version: 1, rows: 1 });
    expect(await lake.another().ensure(REF, COLUMNS)).toMatchObject({ version: 1, rows: 1 });
  });

  test('over one that never held a row gives it the new columns', async () => {
    const lake = await newTable();
    const state = await lake.another().create(REF, ALL_TYPES);
    expect(state.columns).toEqual(ALL_TYPES);
    expect((await lake.another().describe(REF)).columns).toEqual(ALL_TYPES);
  });

  test('over one with rows and other columns is refused', async () => {
    const lake = await newTable();
    await append(lake, 1);
    await expect(lake.tables.create(REF, ALL_TYPES)).rejects.toMatchObject({
      code: 'TABLE_EXISTS',
    });
    await expect(lake.tables.ensure(REF, ALL_TYPES)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
    });
  });

  test('with nullable columns at the end adds them to a table that lacks them', async () => {
    const lake = await newTable();
    await append(lake, 1);
    const wider = [...COLUMNS, { name: 'note', type: 'string' as const, nullable: true }];
    const state = await lake.another().ensure(REF, wider);
    expect(state).toMatchObject({ version: 2, columns: wider, rows: 1 });
    await lake.another().append({ ...REF, ndjson: ndjson({ id: 2, name: 'b', note: 'new' }) });
    const { rows } = await lake.another().rows(REF, { offset: 0, limit: 10 });
    expect(rows).toEqual([
      [1, 'n1', null],
      [2, 'b', 'new'],
    ]);
    const found = await lake.tables.find(REF, {
      where: [{ column: 'note', comparison: '=', value: 'new' }],
      columns: ['id'],
      limit: 10,
    });
    expect(found.rows).toEqual([[2]]);
    const { rows: former } = await lake.tables.rows(REF, { version: 1, offset: 0, limit: 10 });
    expect(former).toEqual([[1, 'n1']]);
  });

  test('never with columns that may not be null, or in another place', async () => {
    const lake = await newTable();
    const strict = { name: 'note', type: 'string' as const, nullable: false };
    for (const columns of [[...COLUMNS, strict], COLUMNS.toReversed(), COLUMNS.slice(0, 1)]) {
      await expect(lake.tables.ensure(REF, columns)).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
      });
    }
  });

  test('at the same time by several makes one', async () => {
    const lake = await openLake();
    const states = await Promise.all([1, 2, 3].map(() => lake.another().ensure(REF, COLUMNS)));
    expect(states.map((state) => state.version)).toEqual([0, 0, 0]);
  });

  test('with a name twice is refused', async () => {
    const lake = await openLake();
    const twice = [COLUMNS[0]!, { ...COLUMNS[0]!, name: 'ID' }];
    await expect(lake.tables.create(REF, twice)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('an append', () => {
  const refused = async (lake: Lake, text: string): Promise<unknown> => {
    const bytes = new TextEncoder().encode(text);
    const error: unknown = await lake.tables
      .append({ ...REF, ndjson: bytes })
      .catch((e: unknown) => e);
    expect((await lake.another().describe(REF)).version).toBe(0);
    expect(readdirSync(path.join(lake.folder, 'lab/rows'))).toEqual(['_delta_log']);
    return error;
  };

  test('that does not fit leaves nothing behind, and says where it failed', async () => {
    const lake = await newTable();
    expect(await refused(lake, '{"id":1}\n{"id":"2"}')).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'Line 2, column id: expected an integer of 64 bits, got "2".',
      details: { line: 2, column: 'id' },
    });
    expect(await refused(lake, '{"id":1}\n{"name":"x"}')).toMatchObject({
      message: 'Line 2, column id: this column may not be null.',
    });
  });

  test('of a query is cast to the columns, and may not be null where it must not', async () => {
    const lake = await newTable();
    await lake.tables.append({ ...REF, select: "SELECT 'x' AS name, 7::INTEGER AS id" });
    expect(await ids(lake)).toEqual([7]);
    const nulls = lake.tables.append({ ...REF, select: 'SELECT NULL AS id, NULL AS name' });
    await expect(nulls).rejects.toMatchObject({ code: 'INVALID_INPUT', details: { column: 'id' } });
    expect(await ids(lake)).toEqual([7]);
  });

  test('of a file reads it', async () => {
    const lake = await newTable();
    const file = path.join(lake.folder, 'rows.ndjson');
    writeFileSync(file, '{"id":1}\r\n\n  {"id":2}\n');
    const done = await lake.tables.append({ ...REF, ndjsonPath: file });
    expect(done).toEqual({ version: 1, rows: 2, isDuplicate: false });
    expect(await ids(lake)).toEqual([1, 2]);
  });

  test('of nothing commits nothing, unless it has a number to note', async () => {
    const lake = await newTable();
    const nothing = { ...REF, ndjson: new Uint8Array() };
    expect(await lake.tables.append(nothing)).toEqual({ version: 0, rows: 0, isDuplicate: false });
    const txn = { appId: 's', version: 1 };
    expect(await lake.tables.append({ ...nothing, txn })).toMatchObject({ version: 1, rows: 0 });
    expect(await lake.tables.append({ ...nothing, txn })).toMatchObject({ isDuplicate: true });
  });

  test('for other columns than the table has is refused', async () => {
    const lake = await newTable();
    const other = lake.tables.append({ ...REF, ndjson: ndjson({ id: 1 }), columns: ALL_TYPES });
    await expect(other).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
  });

  test('whose batch is in adds nothing, and tells which version has it', async () => {
    const lake = await newTable();
    const send = (version: number) =>
      lake
        .another()
        .append({ ...REF, ndjson: ndjson({ id: version }), txn: { appId: 's', version } });
    await send(1);
    await send(5);
    await append(lake, 99);
    expect(await send(5)).toEqual({ version: 2, rows: 0, isDuplicate: true });
    expect(await send(3)).toEqual({ version: 3, rows: 0, isDuplicate: true });
    expect(await ids(lake)).toEqual([1, 5, 99]);
    const find = (version: number) => lake.tables.findBatch(REF, { appId: 's', version });
    expect(await find(5)).toEqual({ version: 2, rows: 1 });
    expect(await find(3)).toBeNull();
    expect(await find(6)).toBeNull();
  });

  test('cut off between data file and commit has no effect', async () => {
    const lake = await newTable();
    const crash = new Error('crashed');
    const cut = lake.tables.append({
      ...REF,
      ndjson: ndjson({ id: 1 }),
      beforeCommit: () => {
        expect(readdirSync(path.join(lake.folder, 'lab/rows'))).toHaveLength(2);
        throw crash;
      },
    });
    await expect(cut).rejects.toBe(crash);
    expect(await lake.another().describe(REF)).toMatchObject({ version: 0, rows: 0, files: 0 });
    await append(lake, 2);
    expect(await ids(lake)).toEqual([2]);
  });

  test('stands even when its checkpoint cannot be written', async () => {
    const lake = await newTable();
    for (let version = 1; version <= 9; version += 1) await append(lake, version);
    const table = lake.analytics.table.bind(lake.analytics);
    lake.analytics.table = (location) => {
      const io = table(location);
      io.parquet.writeCheckpoint = () => Promise.reject(new Error('no checkpoint today'));
      return io;
    };
    expect((await append(lake, 10)).version).toBe(10);
    expect(await ids(lake)).toHaveLength(10);
  });

  test('writes the checkpoint that another writer left out', async () => {
    const lake = await newTable();
    for (let version = 1; version <= 9; version += 1) await append(lake, version);
    const other = lake.another();
    const io = lake.analytics.table(path.join(lake.folder, 'lab/rows'));
    await io.log.putIfAbsent(`${'10'.padStart(20, '0')}.json`, '{"commitInfo":{}}\n');
    const send = (id: number) => other.append({ ...REF, ndjson: ndjson({ id }) });
    for (let id = 11; id <= 22; id += 1) await send(id);
    const log = readdirSync(path.join(lake.folder, 'lab/rows/_delta_log'));
    const checkpoints = log.filter((name) => name.includes('.checkpoint.'));
    expect(checkpoints.map((name) => Number(name.slice(0, 20)))).toEqual([11, 21]);
  });

  test('by any number of writers at once neither loses nor doubles rows', async () => {
    const plans = fc.array(
      fc.record({
        writer: fc.nat(2),
        count: fc.integer({ min: 0, max: 3 }),
        sends: fc.integer({ min: 1, max: 2 }),
      }),
      { minLength: 1, maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const lake = await newTable();
        const writers = [lake.another(), lake.another(), lake.another()];
        const expected: number[] = [];
        const work = writers.map(async (writer, number) => {
          let version = 0;
          for (const [index, { writer: by, count, sends }] of plan.entries()) {
            if (by !== number) continue;
            const rows = Array.from({ length: count }, (_, row) => ({ id: index * 100 + row }));
            expected.push(...rows.map(({ id }) => id));
            version += 1;
            const txn = { appId: `w${number}`, version };
            const input = { ...REF, ndjson: ndjson(...rows), txn };
            // The second send may come from another process: a task that is sent again.
            const both = [writer, writers[(number + 1) % 3]!].slice(0, sends);
            await Promise.all(both.map((sender) => sender.append(input)));
          }
        });
        await Promise.all(work);
        const found = (await ids(lake)) as number[];
        expect(found.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
      }),
      { numRuns: 15 },
    );
  });
});

describe('finding rows', () => {
  async function numbered(): Promise<Lake> {
    const lake = await newTable();
    for (let file = 0; file < 30; file += 1) await append(lake, file * 3, 3);
    return lake;
  }

  test.each([
    ['=', [44]],
    ['<', [0, 1, 2]],
    ['>=', [44, 45, 46]],
  ] as const)('by %s', async (comparison, expected) => {
    const lake = await numbered();
    const where = [{ column: 'id', comparison, value: 44 }];
    const { rows } = await lake.tables.find(REF, { where, columns: ['id'], limit: 3 });
    expect(rows.flat()).toEqual(expected);
  });

  test('by text, and by several conditions at once', async () => {
    const lake = await numbered();
    const byName = { column: 'name', comparison: '=', value: 'n17' } as const;
    const found = await lake.tables.find(REF, { where: [byName], limit: 5 });
    expect(found.rows).toEqual([[17, 'n17']]);
    const no = { column: 'id', comparison: '>', value: 17 } as const;
    expect((await lake.tables.find(REF, { where: [byName, no], limit: 5 })).rows).toEqual([]);
  });

  test('opens only files that can hold one', async () => {
    const lake = await numbered();
    const opened: number[] = [];
    const scan = lake.analytics.scan.bind(lake.analytics);
    lake.analytics.scan = (request) => {
      opened.push(request.files.length);
      return scan(request);
    };
    const where = [{ column: 'id', comparison: '=', value: 44 }] as const;
    await lake.tables.find(REF, { where, limit: 5 });
    await lake.tables.find(REF, {
      where: [],
      orderBy: { column: 'id', descending: true },
      limit: 5,
    });
    expect(opened).toEqual([1, 8]);
  });

  test('in an order gives the same rows as sorting all of them', async () => {
    const lake = await newTable();
    const values = fc.array(
      fc.array(fc.option(fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 4 }),
      { minLength: 1, maxLength: 14 },
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        values,
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (files, limit, descending) => {
          round += 1;
          const ref = { namespace: 'lab', name: `t${round}` };
          await lake.tables.create(ref, [{ name: 'v', type: 'integer', nullable: true }]);
          for (const file of files)
            await lake.tables.append({ ...ref, ndjson: ndjson(...file.map((v) => ({ v }))) });
          const { rows } = await lake.tables.find(ref, {
            where: [],
            orderBy: { column: 'v', descending },
            limit,
          });
          const known = files
            .flat()
            .filter((v) => v !== null)
            .toSorted((a, b) => (descending ? b - a : a - b));
          const nulls = files.flat().filter((v) => v === null);
          expect(rows.flat()).toEqual([...known, ...nulls].slice(0, limit));
        },
      ),
      { numRuns: 12 },
    );
  });

  test('of one commit', async () => {
    const lake = await numbered();
    const found = await lake.tables.find(REF, { where: [], addedIn: 5, columns: ['id'], limit: 9 });
    expect(found.rows.flat()).toEqual([12, 13, 14]);
  });

  test('by a column that is not there is refused', async () => {
    const lake = await newTable();
    const where = [{ column: 'nope', comparison: '=', value: 1 }] as const;
    await expect(lake.tables.find(REF, { where, limit: 1 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'The table has no column nope.',
    });
  });
});

test('the lake lists its tables in order, page by page', async () => {
  const lake = await openLake();
  for (const name of ['b', 'a', 'c']) await lake.tables.create({ namespace: 'lab', name }, COLUMNS);
  await lake.tables.create({ namespace: 'alpha', name: 'z' }, COLUMNS);
  const names = async (page: { after?: string; limit: number }) =>
    (await lake.tables.list(page)).map(({ namespace, name }) => `${namespace}.${name}`);
  expect(await names({ limit: 10 })).toEqual(['alpha.z', 'lab.a', 'lab.b', 'lab.c']);
  expect(await names({ after: 'lab.a', limit: 1 })).toEqual(['lab.b']);
});

test('a lake that is not there yet is empty', async () => {
  const lake = await openLake();
  rmSync(lake.folder, { recursive: true });
  expect(await lake.tables.list({ limit: 10 })).toEqual([]);
});
