import { expect, it } from 'vitest';
import { agoText, instantText, secondsBetween } from './instant-text.ts';

it('shows every instant in UTC, whatever zone it came in', () => {
  expect(instantText('2001-03-01T08:00:00.25+02:00')).toBe('2001-03-01 06:00:00.250Z');
});

it('passes on what is no instant', () => {
  expect(instantText('yesterday')).toBe('yesterday');
  expect(secondsBetween('yesterday', '2001-03-01T00:00:00Z')).toBeNull();
});

it('never says that something will happen, when clocks differ a little', () => {
  expect(agoText('2001-03-01T00:00:02Z', '2001-03-01T00:00:00Z')).toBe('just now');
});
