import { expect, test } from 'vitest';
import { WrittenValues } from './written-values.ts';

const MEBIBYTE = 1024 * 1024;

test('holds what was written last, and no more than it may', () => {
  const values = new WrittenValues();
  for (let index = 0; index < 40; index += 1) {
    values.set('often', new Uint8Array(300).fill(index));
    values.set(`${index}`, new Uint8Array(MEBIBYTE));
  }
  expect(values.get('often')?.[0]).toBe(39);
  expect(values.get('0')).toBeUndefined();
  const held = Array.from({ length: 40 }, (_, index) => values.get(`${index}`));
  expect(held.filter((value) => value !== undefined)).toHaveLength(31);
});

test('forgets what was removed, or became short', () => {
  const values = new WrittenValues();
  for (const key of ['a', 'b']) values.set(key, new Uint8Array(1000));
  values.set('a', null);
  values.set('b', new Uint8Array(8));
  expect([values.get('a'), values.get('b')]).toEqual([undefined, undefined]);
});
