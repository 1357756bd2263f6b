import { expect, test } from 'vitest';
import { countedRounds } from './rounds.ts';

function rounds(...othersCores: readonly number[]) {
  return othersCores.map((others, round) => ({ round, othersCores: others }));
}

test('drops the first round and the disturbed ones', () => {
  const counted = countedRounds(rounds(0, 0, 1, 0, 0, 0));
  expect(counted.rounds.map((one) => one.round)).toEqual([1, 3, 4, 5]);
  expect(counted.about).toEqual({ roundsCounted: 4, areUndisturbed: true });
});

test('drops a round whole when one of its measurements was disturbed', () => {
  const both = [...rounds(0, 0, 0, 0, 0, 0), ...rounds(0, 1, 0, 0, 0, 0)];
  expect(countedRounds(both).rounds.map((one) => one.round)).toEqual([2, 3, 4, 5, 2, 3, 4, 5]);
});

test('counts all but the first, and says so, when hardly any was undisturbed', () => {
  expect(countedRounds(rounds(0, 1, 1, 0, 1, 1)).about).toEqual({
    roundsCounted: 5,
    areUndisturbed: false,
  });
});
