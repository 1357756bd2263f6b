import { expect, test } from 'vitest';
import { scoreOf } from './score-of.ts';

const label = { datatype: 'INT64', shape: [2], data: [0, 1] };

test('the score of a binary classifier is the probability of its second class', () => {
  const probabilities = { datatype: 'FP32', shape: [2, 2], data: [0.75, 0.25, 0.5, 0.5] };
  expect(scoreOf([label, probabilities])).toEqual(new Float64Array([0.25, 0.5]));
});

test.each([[[2]], [[2, 1]]])('one float a row of shape %j is the score itself', (shape) => {
  const tensor = { datatype: 'FP64', shape, data: [1.5, null] };
  expect(scoreOf([label, tensor])).toEqual(new Float64Array([1.5, NaN]));
});

test('several classes, and outputs without a float, have no score', () => {
  const classes = { datatype: 'FP32', shape: [1, 3], data: [0.1, 0.2, 0.7] };
  const margin = { datatype: 'FP32', shape: [1], data: [0.7] };
  expect(scoreOf([classes, margin])).toBeNull();
  expect(scoreOf([label])).toBeNull();
  expect(scoreOf([])).toBeNull();
});
