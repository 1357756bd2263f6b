import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonDeeperThan } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('agrees with the depth of the parsed value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 9 }), (value, limit) => {
      expect(isJsonDeeperThan(JSON.stringify(value), limit)).toBe(depthOf(value) > limit);
    }),
  );
});

test('does not count brackets inside strings', () => {
  expect(isJsonDeeperThan(JSON.stringify(['[[[[\\"[[[{{{', 'x\\']), 1)).toBe(false);
});

test('sees nesting that would overflow the stack', () => {
  const text = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  expect(isJsonDeeperThan(text, 100)).toBe(true);
});
