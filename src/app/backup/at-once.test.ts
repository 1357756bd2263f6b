import { expect, test } from 'vitest';
import { sleep } from '../../platform/system.ts';
import { atOnce } from './at-once.ts';

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number += 1) yield await Promise.resolve(number);
}

test('takes every item once, several at a time', async () => {
  const seen: number[] = [];
  let underWay = 0;
  let most = 0;
  await atOnce(numbers(100), async (number) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await sleep(1);
    seen.push(number);
    underWay -= 1;
  });
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at));
  expect(most).toBe(8);
});

test('ends with the first failure, when nothing is under way any more', async () => {
  let underWay = 0;
  let begun = 0;
  const failing = atOnce(
    Array.from({ length: 100 }, (_, at) => at),
    async (number) => {
      begun += 1;
      underWay += 1;
      await sleep(number === 3 ? 1 : 5);
      underWay -= 1;
      if (number === 3) throw new Error('no room');
    },
  );
  await expect(failing).rejects.toThrow('no room');
  expect(underWay).toBe(0);
  expect(begun).toBeLessThan(20);
});
