import { expect, test } from 'vitest';
import { connectionsMax, openFilesMax } from './connections.ts';

test('leaves files for everything else, and takes no more than memory allows', () => {
  expect([200, 1024, 20_000].map(connectionsMax)).toEqual([72, 896, 2000]);
  expect(connectionsMax(null)).toBe(2000);
  expect(connectionsMax(64)).toBe(16);
});

test('knows how many files it may open', () => {
  expect(openFilesMax()).toBeGreaterThan(100);
});
