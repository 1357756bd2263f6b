import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSums, sumLine } from './checksums.ts';

const SHA256 = 'ab'.repeat(32);

test('any name comes back from its line', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 5 }), (names) => {
      const text = names.map((name) => sumLine(name, SHA256)).join('');
      expect(parseSums(text)).toEqual(names.map((file) => ({ file, sha256: SHA256 })));
    }),
  );
});

test('the lines are those of sha256sum', () => {
  expect(sumLine('lake/a b', SHA256)).toBe(`${SHA256}  lake/a b\n`);
  expect(sumLine('a\nb\\c', SHA256)).toBe(`\\${SHA256}  a\\nb\\\\c\n`);
});

test('a text of another form is not guessed at', () => {
  expect(parseSums('hello\n')).toBeNull();
});
