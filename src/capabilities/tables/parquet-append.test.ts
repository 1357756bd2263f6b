import * as fc from 'fast-check';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parquetBytes } from '../../../test/contracts/parquet-bytes.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { appendRows, createTable, getTable, PARQUET_TYPE, readRows } from './contract.ts';

const REF = { namespace: 'default', name: 'landings' };
const COLUMNS = [
  { name: 'flight_id', type: 'long', nullable: false },
  { name: 'landed_at', type: 'timestamp' },
  { name: 'origin', type: 'string' },
  { name: 'delay', type: 'integer' },
] as const;
const GOOD = {
  flight_id: '1::BIGINT',
  landed_at: "TIMESTAMPTZ '2001-01-01 00:11:30.5Z'",
  origin: "'ORD'",
  delay: '14::INTEGER',
};

function row(changed: Partial<Record<keyof typeof GOOD, string>> = {}): string {
  const columns = Object.entries({ ...GOOD, ...changed });
  return `SELECT ${columns.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}`;
}

interface Bench extends TestApp {
  readonly append: (
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    query?: { batch?: string; stream?: string; sequence?: number },
  ) => Promise<{ version: number; rows: number; duplicate: boolean }>;
  readonly state: () => Promise<{ version: number; rows: number }>;
}

async function bench(): Promise<Bench> {
  const app = await createTestApp();
  onTestFinished(() => app[Symbol.asyncDispose]());
  await app.api.call(createTable, { body: { ...REF, columns: [...COLUMNS] } });
  return {
    ...app,
    append: (bytes, query = {}) =>
      app.api.call(appendRows, { params: REF, query }, { bytes, contentType: PARQUET_TYPE }),
    state: () => app.api.call(getTable, { params: REF, query: {} }),
  };
}

/** Nothing of a refused append is left: no version, no data file, no spooled body. */
async function expectUntouched({ state, folder }: Bench): Promise<void> {
  expect(await state()).toMatchObject({ version: 0, rows: 0 });
  expect(readdirSync(path.join(folder, 'lake', REF.namespace, REF.name))).toEqual(['_delta_log']);
  expect(readdirSync(path.join(folder, 'tmp', 'appends'))).toEqual([]);
}

describe('a Parquet append', () => {
  test('adds its rows as they are, in their order', async () => {
    const { append, api, folder } = await bench();
    const narrow = row({ flight_id: '2::INTEGER', origin: 'NULL::VARCHAR', delay: '-3::TINYINT' });
    const bytes = await parquetBytes(`${row()} UNION ALL ${narrow}`);
    expect(await append(bytes)).toEqual({ version: 1, rows: 2, duplicate: false });
    const { rows } = await api.call(readRows, { params: REF, query: {} });
    expect(rows).toEqual([
      [1, '2001-01-01T00:11:30.5Z', 'ORD', 14],
      [2, '2001-01-01T00:11:30.5Z', null, -3],
    ]);
    expect(readdirSync(path.join(folder, 'tmp', 'appends'))).toEqual([]);
  });

  test('takes columns in any order, by name', async () => {
    const { append, api } = await bench();
    const { flight_id, landed_at, origin, delay } = GOOD;
    const sql = `SELECT ${delay} AS delay, ${origin} AS origin, ${landed_at} AS landed_at`;
    await append(await parquetBytes(`${sql}, ${flight_id} AS flight_id`));
    const { rows } = await api.call(readRows, { params: REF, query: {} });
    expect(rows).toEqual([[1, '2001-01-01T00:11:30.5Z', 'ORD', 14]]);
  });

  test('with a batch id, or of a stream, adds its rows once', async () => {
    const { append, state } = await bench();
    const bytes = await parquetBytes(row());
    expect(await append(bytes, { batch: 'a' })).toMatchObject({ rows: 1, duplicate: false });
    expect(await append(bytes, { batch: 'a' })).toMatchObject({ rows: 0, duplicate: true });
    const next = { stream: 's', sequence: 1 };
    expect(await append(bytes, next)).toMatchObject({ rows: 1, duplicate: false });
    expect(await append(bytes, next)).toMatchObject({ rows: 0, duplicate: true });
    expect(await state()).toMatchObject({ rows: 2 });
  });

  test('of no rows adds none', async () => {
    const { append } = await bench();
    const bytes = await parquetBytes(`SELECT * FROM (${row()}) WHERE false`);
    expect(await append(bytes)).toMatchObject({ rows: 0, duplicate: false });
  });

  test.each([
    [{ landed_at: "TIMESTAMP '2001-01-01 00:00'" }, 'Column landed_at holds times without a zone.'],
    [
      { landed_at: "TIMESTAMP_NS '2001-01-01 00:00'" },
      'Column landed_at holds times without a zone.',
    ],
    [{ delay: '14::BIGINT' }, 'Column delay: expected integer, the file has long.'],
    [{ delay: '14::DOUBLE' }, 'Column delay: expected integer, the file has double.'],
    [{ origin: "'ORD'::BLOB" }, 'Column origin: expected string, the file has binary.'],
    [{ origin: "{'a': 1}" }, 'Column origin: expected string, the file has STRUCT(a INTEGER).'],
    [{ flight_id: 'NULL::BIGINT' }, 'Column flight_id may not be null.'],
    [
      { landed_at: "TIMESTAMPTZ 'infinity'" },
      'Column landed_at holds times before the year 1 or after 9999.',
    ],
  ])('with %j is refused: %s', async (changed, message) => {
    const made = await bench();
    const append = made.append(await parquetBytes(row(changed)), { batch: 'a' });
    const [column] = Object.keys(changed);
    await expect(append).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message,
      details: { column },
    });
    await expectUntouched(made);
    expect(await made.append(await parquetBytes(row()), { batch: 'a' })).toMatchObject({ rows: 1 });
  });

  test('that lacks a column or has one more is refused', async () => {
    const made = await bench();
    const lacking = made.append(await parquetBytes('SELECT 1::BIGINT AS flight_id'));
    await expect(lacking).rejects.toMatchObject({
      message: 'The file lacks the column landed_at.',
    });
    const extra = made.append(await parquetBytes(`SELECT *, 1 AS late FROM (${row()})`));
    await expect(extra).rejects.toMatchObject({ message: 'The table has no column late.' });
    await expectUntouched(made);
  });

  test.each([
    ['is empty', ''],
    ['is text', '{"flight_id": 1}\n'],
    ['has only the magic bytes', 'PAR1PAR1PAR1'],
  ])('whose body %s is refused', async (_, text) => {
    const made = await bench();
    const append = made.append(new TextEncoder().encode(text));
    await expect(append).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(append).rejects.not.toMatchObject({
      message: expect.stringContaining(made.folder) as string,
    });
    await expectUntouched(made);
  });

  test('that was cut short or damaged is refused or read, and harms nothing', async () => {
    const made = await bench();
    const rows = `SELECT i::BIGINT AS flight_id, ${GOOD.landed_at} AS landed_at,
      'N' || i % 50 AS origin, i::INTEGER AS delay FROM range(3000) AS r(i)`;
    const whole = await parquetBytes(rows);
    const damage = fc.record({
      cut: fc.option(fc.nat(whole.length - 1), { freq: 4 }),
      flips: fc.array(fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) }), {
        maxLength: 3,
      }),
      inFooter: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, flips, inFooter }) => {
        const bytes = Uint8Array.from(whole);
        for (const { at, to } of flips) {
          bytes[inFooter ? bytes.length - 1 - (at % 600) : at] = to;
        }
        const body = bytes.subarray(0, cut ?? bytes.length);
        await made.append(body).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'INVALID_INPUT' });
        });
      }),
      { numRuns: 60 },
    );
    const before = (await made.state()).rows;
    expect(await made.append(whole)).toMatchObject({ rows: 3000 });
    expect(await made.state()).toMatchObject({ rows: before + 3000 });
  });
});
