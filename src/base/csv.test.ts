import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toCsv, type CsvValue } from './csv.ts';

/** Reads RFC 4180 text back into fields, the way a spreadsheet does. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const match of text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/g)) {
    const [, field = '', separator] = match;
    row.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (separator === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

it('keeps every field whole, whatever it holds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', '7', 'é') });
  const harmless = text.filter((value) => !/^[=+\-@\t\r]/.test(value));
  fc.assert(
    fc.property(fc.array(fc.tuple(harmless, harmless), { minLength: 1 }), (rows) => {
      expect(parse(toCsv(['a', 'b'], rows))).toEqual([['a', 'b'], ...rows]);
    }),
  );
});

it('writes numbers and truth values bare, and nothing for null', () => {
  const row: CsvValue[] = [-1.5, true, null];
  expect(toCsv(['x', 'y', 'z'], [row])).toBe('x,y,z\r\n-1.5,true,\r\n');
});

it('disarms text that a spreadsheet would run as a formula', () => {
  expect(toCsv(['key'], [['=HYPERLINK("http://x")'], ['@sum'], ['-2+3']])).toBe(
    'key\r\n"\'=HYPERLINK(""http://x"")"\r\n\'@sum\r\n\'-2+3\r\n',
  );
});
