import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column, ColumnType } from '../../formats/delta/schema.ts';
import { parseDate, parseTimestamp } from './json-value.ts';
import { BATCH_ROWS, LINE_LENGTH_MAX, readNdjson } from './ndjson.ts';

function column(type: ColumnType, name = 'v', nullable = true): Column {
  return { name, type, nullable };
}

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

async function read(
  text: string | Uint8Array,
  columns: readonly Column[] = [column('long')],
  chunkSize = 7,
): Promise<unknown[][]> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const rows: unknown[][] = [];
  for await (const batch of readNdjson(chunks(bytes, chunkSize), columns)) {
    for (let row = 0; row < batch.rowCount; row += 1) {
      rows.push(batch.columns.map((values) => values[row]));
    }
  }
  return rows;
}

/** The value as staged, or the complaint. */
async function one(type: ColumnType, json: string): Promise<unknown> {
  try {
    return (await read(`{"v":${json}}`, [column(type)]))[0]![0];
  } catch (error) {
    return (error as Error).message;
  }
}

describe('rows of newline-delimited JSON', () => {
  test('come in the order of the columns, whatever the order of the fields', async () => {
    const columns = [column('long', 'a'), column('string', 'b')];
    expect(await read('{"b":"x","a":1}\n{"a":2}\n\r\n  \n{}\n', columns)).toEqual([
      [1n, 'x'],
      [2n, null],
      [null, null],
    ]);
  });

  test('are the same however their bytes are cut', async () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 40 }), async (strings, size) => {
        const lines = strings.map((v) => JSON.stringify({ v })).join('\n');
        expect(await read(lines, [column('string')], size)).toEqual(strings.map((v) => [v]));
      }),
    );
  });

  test('come in batches', async () => {
    const text = Array.from({ length: BATCH_ROWS + 1 }, (_, v) => `{"v":${v}}`).join('\n');
    const sizes: number[] = [];
    const bytes = new TextEncoder().encode(text);
    for await (const { rowCount } of readNdjson(chunks(bytes, 1000), [column('long')])) {
      sizes.push(rowCount);
    }
    expect(sizes).toEqual([BATCH_ROWS, 1]);
  });

  test.each([
    ['{"v":1}\n{"v":2', 'Line 2: this is not JSON.'],
    ['{"v":1}\n\n[1]', 'Line 3: a row must be a JSON object.'],
    ['null', 'Line 1: a row must be a JSON object.'],
    ['{"v":1,"w":2}', 'Line 1, column w: the table has no such column.'],
    ['{"v":1}{"v":2}', 'Line 1: this is not JSON.'],
    ['{"v":true}', 'Line 1, column v: expected an integer of 64 bits, got true.'],
  ])('%j is refused', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'INVALID_INPUT', message });
  });

  test('that are no UTF-8 are refused', async () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('{"v":1}\n{"v":'), 0xff]);
    await expect(read(bytes)).rejects.toMatchObject({ details: { line: 2 } });
  });

  test('in an endless line are refused before they fill the memory', async () => {
    const bytes = new Uint8Array(LINE_LENGTH_MAX + 2).fill(0x20);
    await expect(read(bytes, undefined, 1024 * 1024)).rejects.toMatchObject({
      message: 'Line 1: the line is too long.',
    });
  });

  test('do not take what every object inherits for a field', async () => {
    const columns = [column('string', 'toString'), column('string', '__proto__')];
    expect(await read('{}', columns)).toEqual([[null, null]]);
    expect(await read('{"__proto__":"x"}', columns)).toEqual([[null, 'x']]);
  });
});

describe('values', () => {
  test.each<[ColumnType, string, unknown]>([
    ['long', '9007199254740993', 9007199254740993n],
    ['long', '-9223372036854775808', -9223372036854775808n],
    ['long', '1.0', 1n],
    ['long', '1e3', 1000n],
    ['integer', '-2147483648', -2147483648],
    ['double', '0.1', 0.1],
    ['double', '"NaN"', Number.NaN],
    ['float', '"-Infinity"', Number.NEGATIVE_INFINITY],
    ['float', '3.4028235e38', 3.4028235e38],
    ['string', '"\\u0000\\ud83d\\ude00"', '\0😀'],
    ['timestamp', '"1970-01-01T01:00:00.0000019+01:00"', 1n],
    ['timestamp', '"9999-12-31T23:59:59.999999Z"', 253402300799999999n],
    ['date', '"1969-12-31"', -1],
    ['binary', '"AP8="', 'AP8='],
    ['boolean', 'false', false],
  ])('of type %s: %s is taken', async (type, json, expected) => {
    expect(await one(type, json)).toEqual(expected);
  });

  test.each<[ColumnType, string]>([
    ['long', '9223372036854775808'],
    ['long', '1.5'],
    ['long', '1e300'],
    ['long', '"1"'],
    ['integer', '2147483648'],
    ['integer', '0.5'],
    ['double', '1e999'],
    ['double', '"nan"'],
    ['double', '"1"'],
    ['float', '1e39'],
    ['string', '1'],
    ['string', '{}'],
    ['string', '"\\ud800"'],
    ['boolean', '0'],
    ['timestamp', '"2001-01-01T00:00:00"'],
    ['timestamp', '"2001-02-29T00:00:00Z"'],
    ['timestamp', '"2001-01-01T24:00:00Z"'],
    ['timestamp', '"2001-01-01T00:00:60Z"'],
    ['timestamp', '"0000-01-01T00:00:00Z"'],
    ['timestamp', '1000000'],
    ['date', '"2001-1-1"'],
    ['date', '"2001-13-01"'],
    ['date', '"1900-02-29"'],
    ['date', '"2001-01-01T00:00:00Z"'],
    ['binary', '"AP8"'],
    ['binary', '"AP9="'],
    ['binary', '"A-8="'],
  ])('of type %s: %s is refused', async (type, json) => {
    expect(await one(type, json)).toMatch(/^Line 1, column v: expected /);
  });

  test('instants and days agree with the calendar of the machine', () => {
    const instant = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instant, fc.integer({ min: 0, max: 999 }), (date, below) => {
        const text = date.toISOString();
        const micros = `${text.slice(0, -1)}${String(below).padStart(3, '0')}Z`;
        expect(parseTimestamp(micros)).toBe(BigInt(date.getTime()) * 1000n + BigInt(below));
        expect(parseDate(text.slice(0, 10))).toBe(Math.floor(date.getTime() / 86_400_000));
      }),
    );
  });
});
