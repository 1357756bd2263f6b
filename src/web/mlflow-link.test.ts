import { expect, test } from 'vitest';
import { pageOfMlflowLink } from './mlflow-link.ts';

const ID = '01a22edc5055735db39768a459b2c16b';

test('links that MLflow prints lead to the page of the same thing', () => {
  expect(pageOfMlflowLink(`#/experiments/1/runs/${ID}`)).toBe(`/runs/run_${ID}`);
  expect(pageOfMlflowLink(`/experiments/1/runs/${ID}/artifacts`)).toBe(`/runs/run_${ID}`);
  expect(pageOfMlflowLink('#/experiments/12')).toBe('/runs?experiment=12');
  expect(pageOfMlflowLink('#/experiments/12?searchFilter=a')).toBe('/runs?experiment=12');
  expect(pageOfMlflowLink('#/models/late%20one/versions/3')).toBe('/models/late%20one/versions/3');
  expect(pageOfMlflowLink('#/models/late')).toBe('/models/late');
});

test('other fragments are none of its', () => {
  for (const hash of ['', '#', '#traffic', '#/experiments/one', '#//evil.example/models/late']) {
    expect(pageOfMlflowLink(hash)).toBeNull();
  }
});
