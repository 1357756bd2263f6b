import { expect, it } from 'vitest';
import { agreement, entityText, featureRows, watermarkTexts } from './feature-rows.ts';

const TRACED = {
  service: 'late_v1',
  definition: '9c1f',
  rows: [
    {
      entity: { origin: 'ORD', distance: 733, holiday: false },
      values: [
        { name: 'late_7d', served: 0.412, recomputed: 0.412, isSame: true },
        { name: 'n_7d', served: 3, recomputed: 4, isSame: false },
      ],
    },
    {
      entity: { origin: 'LGA' },
      values: [{ name: 'late_7d', served: null, isSame: null }],
    },
  ],
  notRecomputed: null,
};

it('puts what differs first, and counts what agrees', () => {
  const rows = featureRows(TRACED);
  expect(rows.map(({ row, name }) => `${row} ${name}`)).toEqual([
    '1 n_7d',
    '1 late_7d',
    '2 late_7d',
  ]);
  expect(agreement(rows)).toEqual({ same: 1, different: 1, unknown: 1 });
});

it('says in a line what the values are of', () => {
  expect(entityText(TRACED.rows[0]!.entity)).toBe('origin=ORD, distance=733, holiday=false');
});

it('names the table versions that were seen, and nothing where the log has another form', () => {
  expect(watermarkTexts({ 'flights.landings': 117 })).toEqual(['flights.landings version 117']);
  expect(watermarkTexts(null)).toEqual([]);
  expect(watermarkTexts({ a: 'x' })).toEqual([]);
});
