import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

/** Lets everything go on that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test('so many run at once, in their order, whether they fail or not', async () => {
  const turns = new Turns(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const all = Array.from({ length: 5 }, (_, index) =>
    turns.run(async () => {
      begun.push(index);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (index === 0) throw new Error('the first fails');
      return index;
    }),
  );
  const settled = Promise.allSettled(all);
  for (const running of [2, 3, 4, 5, 5]) {
    expect(begun).toHaveLength(running);
    ends.shift()!();
    await settle();
  }
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect((await settled).map(({ status }) => status)).toEqual([
    'rejected',
    ...Array.from({ length: 4 }, () => 'fulfilled'),
  ]);
  expect(await turns.run(() => Promise.resolve('free again'))).toBe('free again');
});
