import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare } from './prune.ts';
import type { Column, ColumnType } from './schema.ts';
import {
  formatStats,
  nullViolation,
  parseStats,
  recordCount,
  type WrittenColumn,
} from './stats.ts';

function column(type: ColumnType, name = 'c', nullable = true): Column {
  return { name, type, nullable };
}

function statsOf(type: ColumnType, written: Partial<WrittenColumn>): string {
  const columns = new Map([['c', { nullCount: 0, hasNan: false, ...written }]]);
  return formatStats([column(type)], { rows: 3, columns });
}

function bounds(type: ColumnType, min: string, max: string): unknown {
  const stats = parseStats(statsOf(type, { min, max }))!;
  return [stats.minValues?.['c'], stats.maxValues?.['c']];
}

describe('per-file statistics', () => {
  test('are spelled as Spark spells them', () => {
    const columns = [column('long', 'id'), column('boolean', 'ok')];
    const written = new Map([
      ['id', { min: '1', max: '9007199254740993', nullCount: 0, hasNan: false }],
      ['ok', { min: '0', max: '1', nullCount: 2, hasNan: false }],
    ]);
    expect(formatStats(columns, { rows: 5, columns: written })).toBe(
      '{"numRecords":5,"minValues":{"id":1,"ok":false},' +
        '"maxValues":{"id":9007199254740993,"ok":true},' +
        '"nullCount":{"id":0,"ok":2}}',
    );
  });

  test('have no bounds where a NaN was ignored: other engines order it highest', () => {
    expect(statsOf('double', { min: '1.0', max: '2.0', hasNan: true })).toContain(
      '"minValues":{},"maxValues":{}',
    );
  });

  test('have no infinite bounds: JSON has no word for them', () => {
    expect(bounds('double', '-inf', '1e+20')).toEqual([undefined, 1e20]);
    expect(bounds('double', '1e-07', 'inf')).toEqual([1e-7, undefined]);
  });

  test('cover both zeros', () => {
    expect(statsOf('double', { min: '0.0', max: '-0.0' })).toContain(
      '"minValues":{"c":-0.0},"maxValues":{"c":0.0}',
    );
  });

  test('give floats their exact value, which a short decimal is below or above', () => {
    expect(bounds('float', '0.1', '0.3')).toEqual([Math.fround(0.1), Math.fround(0.3)]);
  });

  test('have bounds for booleans, and none for binary', () => {
    expect(bounds('boolean', '0', '1')).toEqual([false, true]);
    expect(bounds('binary', '00', 'FF')).toEqual([undefined, undefined]);
  });

  test('cut timestamps to milliseconds and write UTC as Z', () => {
    expect(bounds('timestamp', '1969-12-31 23:59:59.999999+00', '2001-01-01 00:00:00+00')).toEqual([
      '1969-12-31T23:59:59.999Z',
      '2001-01-01T00:00:00.000Z',
    ]);
  });

  test.each(['10000-01-01 00:00:00+00', 'infinity', '0044-03-15 (BC) 00:00:00+00'])(
    'leave out the instant %s, which readers spell differently',
    (text) => expect(bounds('timestamp', text, text)).toEqual([undefined, undefined]),
  );

  test('leave out dates that are no civil day of four digits', () => {
    expect(bounds('date', '0044-03-15 (BC)', '2001-02-03')).toEqual([undefined, '2001-02-03']);
  });

  test('cut strings to 32 characters, the upper bound with a tie-breaker', () => {
    const ascii = `${'x'.repeat(32)}y`;
    const accented = `${'x'.repeat(32)}é`;
    expect(bounds('string', ascii, ascii)).toEqual(['x'.repeat(32), `${'x'.repeat(32)}\u007f`]);
    expect(bounds('string', accented, accented)).toEqual([
      'x'.repeat(32),
      `${'x'.repeat(32)}\u{10ffff}`,
    ]);
  });

  test('never split a surrogate pair', () => {
    const text = `${'x'.repeat(31)}😀y`;
    expect(bounds('string', text, text)).toEqual(['x'.repeat(31), `${'x'.repeat(31)}\u{10ffff}`]);
  });

  test('have no upper bound when nothing is above the cut character', () => {
    const text = 'x'.repeat(32) + '\u{10ffff}';
    expect(bounds('string', text, text)).toEqual(['x'.repeat(32), undefined]);
  });

  test('bound every string from both sides', () => {
    const strings = fc.string({ unit: 'grapheme', maxLength: 80 });
    fc.assert(
      fc.property(strings, (text) => {
        const [min, max] = bounds('string', text, text) as [string, string | undefined];
        expect(compare(min, text)).toBeLessThanOrEqual(0);
        if (max !== undefined) expect(compare(max, text)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('cover only as many columns as the table indexes', () => {
    const columns = Array.from({ length: 40 }, (_, index) => column('long', `c${index}`));
    const fact = { min: '1', max: '2', nullCount: 0, hasNan: false };
    const written = { rows: 1, columns: new Map(columns.map(({ name }) => [name, fact])) };
    expect(Object.keys(parseStats(formatStats(columns, written))!.minValues!)).toHaveLength(32);
    expect(Object.keys(parseStats(formatStats(columns, written, 2))!.minValues!)).toHaveLength(2);
    expect(Object.keys(parseStats(formatStats(columns, written, -1))!.minValues!)).toHaveLength(40);
  });
});

describe('the row count of a file', () => {
  test('is read from stats of any key order', () => {
    expect(recordCount('{"numRecords":12,"minValues":{}}')).toBe(12);
    expect(recordCount('{"minValues":{"numRecords":99},"numRecords":7}')).toBe(7);
  });

  test('is unknown without stats, or with stats that are none', () => {
    for (const stats of [null, undefined, '', 'not json', '[]', '{"minValues":{}}']) {
      expect(recordCount(stats)).toBeNull();
    }
  });
});

test('a null in a column that allows none is found', () => {
  const columns = [column('long', 'a'), column('long', 'b', false)];
  const facts = (nulls: number) => ({ nullCount: nulls, hasNan: false });
  const written = (b: number) => ({
    rows: 2,
    columns: new Map([
      ['a', facts(1)],
      ['b', facts(b)],
    ]),
  });
  expect(nullViolation(columns, written(0))).toBeNull();
  expect(nullViolation(columns, written(1))).toBe('b');
});
