import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilter } from './filter.ts';
import { parseOrderBy } from './order-by.ts';
import { EXPERIMENTS, RUNS, RUNS_ORDER } from './search-specs.ts';

describe('a filter', () => {
  test('gives back any text and any key that it quotes', () => {
    const key = fc.string({ minLength: 1, maxLength: 30 }).filter((text) => !/[`"]/.test(text));
    fc.assert(
      fc.property(key, fc.string({ maxLength: 50 }), (name, value) => {
        const text = `params.\`${name}\` = '${value.replaceAll("'", "''")}' and metrics."${name}" < -1.5e3`;
        expect(parseFilter(text, RUNS)).toEqual([
          { entity: 'param', key: name, op: '=', value },
          { entity: 'metric', key: name, op: '<', value: -1500 },
        ]);
      }),
    );
  });

  test.each([
    [
      "attributes.`run name` LIKE 'a%'",
      { entity: 'attribute', key: 'run_name', op: 'LIKE', value: 'a%' },
    ],
    ['created >= 5', { entity: 'attribute', key: 'start_time', op: '>=', value: 5 }],
    ['tags.a IS  NOT NULL', { entity: 'tag', key: 'a', op: 'IS NOT NULL', value: null }],
    ["run_id in ('a', 'b')", { entity: 'attribute', key: 'run_id', op: 'IN', value: ['a', 'b'] }],
    ["run_id NOT IN ('a',)", { entity: 'attribute', key: 'run_id', op: 'NOT IN', value: ['a'] }],
    ["dataset.context = 'eval'", { entity: 'dataset', key: 'context', op: '=', value: 'eval' }],
    ['metric.val/loss-1 != .5', { entity: 'metric', key: 'val/loss-1', op: '!=', value: 0.5 }],
  ])('reads %s', (text, clause) => {
    expect(parseFilter(text, RUNS)).toEqual([clause]);
  });

  test.each([
    'metrics.a > 1 or metrics.b > 1',
    "metrics.a > '1'",
    'params.p = 3',
    "params.p > 'a'",
    'metrics.a IS NULL',
    'attributes.nothing = 1',
    "status IN ('RUNNING')",
    'run_id IN ()',
    "run_id IN ('a' 'b')",
    'metrics.a',
    'metrics.a > 1 and',
    'metrics.a > 1; drop table runs',
    "secrets.a = 'x'",
    "constructor.a = 'x'",
    '(metrics.a > 1)',
    'metrics.a > 1.2.3',
  ])('refuses %s', (text) => {
    expect(() => parseFilter(text, RUNS)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });

  test('knows what it searches', () => {
    expect(() => parseFilter('metrics.a > 1', EXPERIMENTS)).toThrow('Invalid entity type');
    expect(parseFilter('', EXPERIMENTS)).toEqual([]);
  });
});

test('an order names a field and a direction, each field once', () => {
  expect(parseOrderBy(['metrics.`a b` DESC', 'start_time'], RUNS_ORDER)).toEqual([
    { entity: 'metric', key: 'a b', isAscending: false },
    { entity: 'attribute', key: 'start_time', isAscending: true },
  ]);
  expect(() => parseOrderBy(['metrics.a', 'metrics.a DESC'], RUNS_ORDER)).toThrow('duplicate');
  expect(() => parseOrderBy(['metrics.a sideways'], RUNS_ORDER)).toThrow('Invalid');
});
