import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCounted,
  formatDigest,
  formatMicroseconds,
  formatRate,
  formatSeconds,
  formatShare,
  formatShort,
  formatValue,
} from './format.ts';

describe('formatMicroseconds', () => {
  it.each([
    [0, '0 µs'],
    [412, '412 µs'],
    [999.4, '999 µs'],
    [999.6, '1 ms'],
    [4123, '4.12 ms'],
    [41_230, '41.2 ms'],
    [1_234_000, '1.23 s'],
    [90_000_000, '90 s'],
  ])('writes %d µs as %s', (us, text) => {
    expect(formatMicroseconds(us)).toBe(text);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [78_234, '76.4 KiB'],
    [1_243_118, '1.19 MiB'],
    [5e15, '4,547 TiB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatShare', () => {
  it.each([
    [0, 0, '0 %'],
    [0, 7, '0 %'],
    [7, 7, '100 %'],
    [1, 8, '12.5 %'],
    [1, 1_000_000, '< 0.01 %'],
    [999_999, 1_000_000, '> 99.99 %'],
  ])('writes %d of %d as %s', (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });
});

it('never calls a rate zero that is not', () => {
  expect([0, 1 / 60, 0.2, 9.74, 1234.4].map(formatRate)).toEqual([
    '0',
    '< 0.1',
    '0.2',
    '9.7',
    '1,234',
  ]);
});

it('says how long ago in the largest unit that fits', () => {
  expect([0, 12, 60, 3599, 7200, 90_000].map(formatAgo)).toEqual([
    'just now',
    '12 s ago',
    '1 min ago',
    '59 min ago',
    '2 h ago',
    '1 d ago',
  ]);
});

it('counts one thing in the singular', () => {
  expect([formatCounted(1, 'row'), formatCounted(1200, 'row')]).toEqual(['1 row', '1,200 rows']);
});

it('shortens what is longer than the room, and names no algorithm of a digest', () => {
  expect(formatShort('abc', 3)).toBe('abc');
  expect(formatDigest(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('0123456789ab…');
});

describe('formatValue', () => {
  it.each([
    [null, 'NaN'],
    [0, '0'],
    [1234, '1,234'],
    [0.7741234567, '0.774123'],
    [-12.5, '-12.5'],
    [0.000012345678, '0.0000123457'],
    [1.5e-9, '1.5e-9'],
    [1.7976931348623157e308, '1.79769e+308'],
  ])('%s as %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });
});

describe('formatSeconds', () => {
  it.each([
    [0.42, '420 ms'],
    [48.9, '48 s'],
    [60, '1 min'],
    [192, '3 min 12 s'],
    [7500, '2 h 5 min'],
    [100_000, '1 d 3 h'],
  ])('%d as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
