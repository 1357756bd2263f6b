import { expect, it } from 'vitest';
import type { FeatureDescription, Service, View } from '../contract.ts';
import { aggregatesOf, callText, expressionOf } from './expressions.ts';

const VIEW = {
  name: 'origin_delays',
  hash: 'aa',
  features: [
    { name: 'n', function: 'count' },
    { name: 'delay', function: 'avg' },
  ],
  declared: { features: { n: { agg: 'count' }, delay: { agg: 'avg', of: 'clamp(delay, 0, 9)' } } },
} as unknown as View;

const SERVICE = {
  views: [{ name: 'origin_delays', hash: 'aa' }],
  declared: { request: { hour: 'hour(local(T, origin))' } },
} as unknown as Service;

function windowed(aggregate: string): FeatureDescription {
  return {
    name: `x__${aggregate}`,
    kind: 'window',
    view: 'origin_delays',
    aggregate,
    window: '7d',
  };
}

it('says how each aggregate is computed', () => {
  expect(aggregatesOf(VIEW).map(callText)).toEqual(['count of events', 'avg(clamp(delay, 0, 9))']);
});

it('says how a feature is computed, from its view or from the request', () => {
  const text = expressionOf(windowed('delay'), SERVICE, [VIEW]);
  expect(text).toBe('avg(clamp(delay, 0, 9)) over the last 7d');
  const hour = {
    name: 'hour',
    kind: 'request',
    view: null,
    aggregate: null,
    window: null,
  } as const;
  expect(expressionOf(hour, SERVICE, [VIEW])).toBe('hour(local(T, origin))');
});

it('says nothing by the words of another definition of the view', () => {
  expect(expressionOf(windowed('delay'), SERVICE, [{ ...VIEW, hash: 'bb' }])).toBeNull();
  expect(expressionOf(windowed('gone'), SERVICE, [VIEW])).toBeNull();
});
