import { expect, test } from 'vitest';
import { resolveDataPath } from './data-path.ts';

test.each([
  ['part-0.parquet', '/lake/t/part-0.parquet'],
  ['day=2001-01-01/part%200.parquet', '/lake/t/day=2001-01-01/part 0.parquet'],
  ['a%253Ab/x', '/lake/t/a%3Ab/x'],
  ['/other/t/x.parquet', '/other/t/x.parquet'],
  ['file:///other/%C3%A9.parquet', '/other/é.parquet'],
  ['file:/other/x', '/other/x'],
])('the path %s means the file %s', (path, file) => {
  expect(resolveDataPath('/lake/t', path)).toBe(file);
});

test('files elsewhere and bad URIs are refused', () => {
  expect(() => resolveDataPath('/lake/t', 's3://bucket/x')).toThrow('a file at s3:');
  expect(() => resolveDataPath('/lake/t', 'a%zz')).toThrow('the bad URI a%zz');
});
