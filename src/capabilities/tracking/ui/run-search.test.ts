import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../contract.ts';
import { fieldOf, orderText, parseOrder, toFilter, usualColumns, valueOf } from './run-search.ts';

function run(metrics: Record<string, number | null>, params: Record<string, string>): RunSummary {
  return {
    id: `run_${'0'.repeat(32)}`,
    experiment: '1',
    name: 'gentle-otter',
    user: 'ana',
    status: 'FINISHED',
    startedAt: '2026-03-02T10:00:00Z',
    endedAt: null,
    metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, step: 0, at: '' })),
    params: Object.entries(params).map(([key, value]) => ({ key, value })),
    tags: [],
  };
}

describe('what is typed into the search', () => {
  it.each([
    ['', undefined],
    ['  ', undefined],
    ['otter', "attributes.run_name ILIKE '%otter%'"],
    ["ana's", "attributes.run_name ILIKE '%ana''s%'"],
    ['what is in it', "attributes.run_name ILIKE '%what is in it%'"],
    ['params.lr is not null', 'params.lr is not null'],
    ["tags.team ilike '%a'", "tags.team ilike '%a'"],
    ['metrics.auc > 0.8', 'metrics.auc > 0.8'],
    ["tags.team in ('a')", "tags.team in ('a')"],
  ])('takes %j for %j', (text, filter) => {
    expect(toFilter(text)).toBe(filter);
  });
});

it('quotes keys that the grammar would not take as they are', () => {
  expect(fieldOf('metrics', 'val/auc')).toBe('metrics.val/auc');
  expect(fieldOf('params', 'learning rate')).toBe('params.`learning rate`');
});

it('reads back every order that it writes', () => {
  for (const by of [
    { id: 'metrics.auc', desc: true },
    { id: 'params.`learning rate`', desc: false },
  ]) {
    expect(parseOrder(orderText(by))).toEqual(by);
  }
  expect(parseOrder('start_time')).toEqual({ id: 'start_time', desc: false });
});

it('shows what most runs measured, and the parameters in which they differ', () => {
  const runs = [
    run({ auc: 0.7, rare: 1 }, { lr: '0.1', seed: '7' }),
    run({ auc: 0.8, loss: 0.4 }, { lr: '0.05', seed: '7' }),
    run({ auc: null, loss: 0.5 }, { seed: '7' }),
  ];
  expect(usualColumns(runs)).toEqual([
    { kind: 'metrics', key: 'auc' },
    { kind: 'metrics', key: 'loss' },
    { kind: 'metrics', key: 'rare' },
    { kind: 'params', key: 'lr' },
  ]);
  expect(runs.map((one) => valueOf(one, { kind: 'params', key: 'lr' }))).toEqual([
    '0.1',
    '0.05',
    null,
  ]);
  expect(valueOf(runs[2]!, { kind: 'metrics', key: 'auc' })).toBeNaN();
});
