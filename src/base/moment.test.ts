import { expect, test } from 'vitest';
import { parseMoment } from './moment.ts';

test.each([
  ['2001-04-27T11:02Z', '2001-04-27T11:02:00Z'],
  [' 2001-04-27 11:02:30.5Z ', '2001-04-27T11:02:30.500Z'],
  ['2001-04-27T11:02-05:00', '2001-04-27T16:02:00Z'],
])('%s is %s', (typed, meant) => {
  expect(parseMoment(typed)).toBe(meant);
});

test.each(['', 'noon', '2001-04-27', '2001-04-27T11:02', '2001-04-31T11:02Z'])(
  '%j is no moment',
  (typed) => {
    expect(parseMoment(typed)).toBeNull();
  },
);
