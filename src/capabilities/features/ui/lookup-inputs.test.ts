import { expect, it } from 'vitest';
import type { Service } from '../contract.ts';
import { inputValue, inputValues, lookupCommand } from './lookup-inputs.ts';

const SERVICE = {
  name: 'late_v1',
  inputs: [
    { name: 'origin', type: 'string', role: 'key' },
    { name: 'flight', type: 'long', role: 'key' },
    { name: 'distance', type: 'double', role: 'request' },
  ],
} as unknown as Service;

it.each([
  ['ORD', 'string', 'ORD'],
  ['', 'string', null],
  [' 12 ', 'long', 12],
  ['1.5', 'double', 1.5],
  ['far', 'double', 'far'],
  ['true', 'boolean', true],
  ['false', 'boolean', false],
  ['maybe', 'boolean', 'maybe'],
] as const)('reads %j as a %s', (text, type, value) => {
  expect(inputValue(text, type)).toBe(value);
});

it('asks with every input, those left empty as missing', () => {
  expect(inputValues(SERVICE.inputs, { origin: 'ORD' })).toEqual({
    origin: 'ORD',
    flight: null,
    distance: null,
  });
});

it('writes the command that asks the same', () => {
  const texts = { origin: "O'Hare", flight: '7', distance: '733' };
  expect(lookupCommand(SERVICE, texts, '2001-01-15T08:00:00Z')).toBe(
    String.raw`millwright features get late_v1 --key 'origin=O'\''Hare,flight=7' ` +
      '--set distance=733 --at 2001-01-15T08:00:00Z',
  );
});
