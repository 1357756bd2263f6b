import { expect, it } from 'vitest';
import { parseThing } from './thing.ts';

it.each([
  ['late@1', 'model/late@1'],
  [' default.landings@117 ', 'table/default.landings@117'],
  ['default.landings', 'table/default.landings'],
  ['req_0199', 'request/req_0199'],
  ['run_0199', 'run/run_0199'],
  ['training_set/late_train@3', 'training_set/late_train@3'],
  ['late', null],
  ['two words', null],
  ['', null],
])('takes %j for %j', (text, thing) => {
  expect(parseThing(text)).toBe(thing);
});
