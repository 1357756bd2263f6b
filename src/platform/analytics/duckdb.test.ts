import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ids, ndjson, openLake, temporaryFolder } from '../../../test/contracts/lake.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { linkIfAbsent } from './durable-files.ts';
import { LocalLogStore } from './local-log-store.ts';
import type { Analytics, ScanFile } from './port.ts';

const ID: Column = { name: 'id', type: 'long', nullable: true };
const NAME: Column = { name: 'name', type: 'string', nullable: true };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function file(place: string, partitionValues: ScanFile['partitionValues'] = {}): ScanFile {
  return { path: place, partitionValues };
}

describe('DuckDB', () => {
  test('sees nothing but its folders', async () => {
    const { analytics, folder } = await openLake();
    const outside = path.join(temporaryFolder(), 'secret.csv');
    writeFileSync(outside, 'id\n1\n');
    for (const sql of [
      `SELECT * FROM read_csv('${outside}')`,
      "SELECT content AS id FROM read_text('/etc/hostname')",
      "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    ]) {
      const target = path.join(folder, 'x.parquet');
      const writing = analytics.writeParquet(target, { kind: 'select', sql }, [ID]);
      await expect(writing).rejects.toThrow(/disabled by configuration|not exist|Permission/);
    }
    const source = { kind: 'select', sql: 'SELECT 1 AS id' } as const;
    const elsewhere = path.join(temporaryFolder(), 'x.parquet');
    await expect(analytics.writeParquet(elsewhere, source, [ID])).rejects.toThrow('Permission');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves no file of a write that failed or was given up', async () => {
    const { analytics, folder } = await openLake();
    const target = path.join(folder, 'x.parquet');
    const source = { kind: 'ndjson', bytes: once(ndjson({ id: 'x' })) } as const;
    await expect(analytics.writeParquet(target, source, [ID])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    const reason = new Error('given up');
    const slow = {
      kind: 'select',
      sql: 'SELECT sum(i) AS id FROM range(100000000000) t(i)',
    } as const;
    const controller = new AbortController();
    const writing = analytics.writeParquet(target, slow, [ID], controller.signal);
    controller.abort(reason);
    await expect(writing).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('spills what its memory does not hold', async () => {
    const { analytics, folder } = await openLake({ memoryLimitBytes: 64 * 1024 ** 2 });
    const sql = 'SELECT hash(i)::VARCHAR AS name FROM range(3000000) t(i) ORDER BY name';
    const target = path.join(folder, 'x.parquet');
    const { stats } = await analytics.writeParquet(target, { kind: 'select', sql }, [NAME]);
    expect(stats.rows).toBe(3_000_000);
  });

  test('reports what it wrote', async () => {
    const { analytics, folder } = await openLake();
    const weird: Column = { name: 'we"ird.name', type: 'double', nullable: true };
    const bytes = ndjson(
      { id: 1, 'we"ird.name': 'NaN' },
      { id: null },
      { id: 3, 'we"ird.name': 1 },
    );
    const target = path.join(folder, 'x.parquet');
    const { stats } = await analytics.writeParquet(target, { kind: 'ndjson', bytes: once(bytes) }, [
      ID,
      weird,
    ]);
    expect(stats.rows).toBe(3);
    expect(stats.columns.get('id')).toEqual({ min: '1', max: '3', nullCount: 1, hasNan: false });
    expect(stats.columns.get('we"ird.name')).toMatchObject({ nullCount: 1, hasNan: true });
  });
});

describe('a scan', () => {
  async function twoFiles(): Promise<{ analytics: Analytics; old: string; young: string }> {
    const { analytics, folder } = await openLake();
    const old = path.join(folder, 'old.parquet');
    const young = path.join(folder, 'young.parquet');
    await analytics.writeParquet(
      old,
      { kind: 'select', sql: 'SELECT i AS id FROM range(3) t(i)' },
      [ID],
    );
    const sql = "SELECT 7 AS id, 'seven' AS name, 1 AS extra";
    await analytics.writeParquet(young, { kind: 'select', sql }, [
      ID,
      NAME,
      { ...ID, name: 'extra' },
    ]);
    return { analytics, old, young };
  }

  test('gives nulls for a column that a file lacks, also when all lack it', async () => {
    const { analytics, old, young } = await twoFiles();
    const page = { offset: 0, limit: 10, columns: [NAME, ID] };
    expect(await analytics.scan({ ...page, files: [file(old), file(young)] })).toEqual([
      [null, 0],
      [null, 1],
      [null, 2],
      ['seven', 7],
    ]);
    expect(await analytics.scan({ ...page, limit: 1, files: [file(old)] })).toEqual([[null, 0]]);
    const where = [{ column: NAME, comparison: '=', value: 'seven' }] as const;
    expect(await analytics.scan({ ...page, files: [file(old), file(young)], where })).toEqual([
      ['seven', 7],
    ]);
  });

  test('takes partition values from the log, not from folder names', async () => {
    const { analytics, folder } = await openLake();
    const nested = path.join(folder, 'name=wrong');
    mkdirSync(nested);
    const place = path.join(nested, 'x.parquet');
    await analytics.writeParquet(place, { kind: 'select', sql: 'SELECT 1 AS id' }, [ID]);
    const day: Column = { name: 'day', type: 'date', nullable: true };
    const files = [
      file(place, { name: "o'right", day: '2001-02-03' }),
      file(place, { name: null, day: '' }),
    ];
    const rows = await analytics.scan({ files, columns: [ID, NAME, day], offset: 0, limit: 9 });
    expect(rows).toEqual([
      [1, "o'right", '2001-02-03'],
      [1, null, null],
    ]);
  });

  test('binds its values', async () => {
    const { analytics, old } = await twoFiles();
    const where = [{ column: NAME, comparison: '=', value: "x' OR 1=1 --" }] as const;
    const scan = { files: [file(old)], columns: [ID], where, offset: 0, limit: 9 };
    expect(await analytics.scan(scan)).toEqual([]);
  });

  test('over more files than one statement names pages through all of them', async () => {
    const { analytics, old } = await twoFiles();
    const files = Array.from({ length: 600 }, () => file(old));
    const page = async (offset: number, limit: number) =>
      (await analytics.scan({ files, columns: [ID], offset, limit })).flat();
    expect(await page(0, 2000)).toEqual(files.flatMap(() => [0, 1, 2]));
    expect(await page(767, 4)).toEqual([2, 0, 1, 2]);
    expect(await page(1799, 10)).toEqual([2]);
  });

  test('counts rows from footers', async () => {
    const { analytics, old, young } = await twoFiles();
    expect(await analytics.countRows([young, old])).toEqual([1, 3]);
    expect(await analytics.countRows([])).toEqual([]);
  });
});

describe('a log in a local folder', () => {
  function store(): { log: LocalLogStore; folder: string } {
    const folder = path.join(temporaryFolder(), 'deep/_delta_log');
    return { log: new LocalLogStore(folder, ids), folder };
  }

  test('that is absent lists nothing and reads as null', async () => {
    const { log } = store();
    expect(await log.list('')).toEqual([]);
    expect(await log.read('x')).toBeNull();
    expect(await log.modifiedMs('x')).toBeNull();
  });

  test('gives a name to one writer only, and never half of the content', async () => {
    const { log, folder } = store();
    const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(100_000));
    const won = await Promise.all(contents.map((content) => log.putIfAbsent('a', content)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await log.read('a')).toBe(contents[won.indexOf(true)]);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('replaces a hint', async () => {
    const { log, folder } = store();
    await log.replace('hint', 'one');
    await log.replace('hint', 'two');
    expect(await log.read('hint')).toBe('two');
    expect(readdirSync(folder)).toEqual(['hint']);
  });

  test('lists from a name on, in order', async () => {
    const { log } = store();
    for (const name of ['b', 'a', 'c']) await log.putIfAbsent(name, '');
    expect(await log.list('b')).toEqual(['b', 'c']);
  });

  test('on a file system without hard links says what is needed', async () => {
    // A folder is refused with the same code as a file where there are no links.
    const folder = temporaryFolder();
    await expect(linkIfAbsent(folder, path.join(folder, 'x'))).rejects.toMatchObject({
      code: 'STATE_UNWRITABLE',
      message: expect.stringContaining('has no hard links'),
    });
  });
});
