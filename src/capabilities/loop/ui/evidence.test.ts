import { expect, it } from 'vitest';
import { evidenceOf, inputsText } from './evidence.ts';
import { intervalOption } from './interval.ts';

const FIGURES = { auc: 0.73, logLoss: 0.29, meanScore: 0.11, missing: 0 };
const TRAINED = { trainingSet: null, until: 988_243_200_000_000, definition: null };
const GATE = {
  champion: 1,
  challenger: 2,
  evaluation: { from: 988_243_200_000_000, until: 988_502_400_000_000 },
  trained: { champion: TRAINED, challenger: TRAINED },
  comparison: {
    rows: 50_692,
    positives: 5010,
    blocks: 3,
    champion: FIGURES,
    challenger: FIGURES,
    improvement: { value: 0.002, lower: -0.001, upper: 0.005, level: 0.95 },
  },
  guardrails: [{ name: 'latency', result: 'passed', summary: 'a run takes 0.13 ms' }],
  why: null,
  metric: 'log_loss',
  evaluationVersion: 3,
};

it('knows a gate by its inputs and says its instants in RFC 3339', () => {
  const found = evidenceOf(GATE);
  expect(found).toMatchObject({
    kind: 'gate',
    of: { evaluation: { from: '2001-04-26T00:00:00Z', until: '2001-04-29T00:00:00Z' } },
  });
  expect(evidenceOf({ ...GATE, comparison: null, why: 'no rows' })).toMatchObject({ kind: 'gate' });
  expect(evidenceOf({ until: null })).toEqual({ kind: 'other' });
  expect(inputsText(GATE)).toContain('"from": "2001-04-26T00:00:00Z"');
});

it('draws an interval beside zero, which is as good as the champion', () => {
  const option = intervalOption({ value: 0.002, lower: -0.001, upper: 0.005, level: 0.95 });
  const [range, value] = option.series as { data: number[][] }[];
  expect(range!.data.map(([x]) => x)).toEqual([-0.001, 0.005]);
  expect(value!.data[0]![0]).toBe(0.002);
});
