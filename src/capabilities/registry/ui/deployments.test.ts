import { expect, it } from 'vitest';
import type { Endpoint } from '../../serving/contract.ts';
import { deploymentsOf, deploymentText } from './deployments.ts';

function endpoint(name: string, weights: Readonly<Record<number, number>>): Endpoint {
  const arms = Object.entries(weights).map(([version, weight], index) => ({
    name: `arm-${index}`,
    model: 'late',
    version: Number(version),
    digest: '',
    weight,
  }));
  return {
    name,
    model: 'late',
    route: { revision: 4, arms },
    warm: [1, 2, 3].map((version) => ({ version, placement: 'main', runP99Us: 1, loadMs: 1 })),
  } as unknown as Endpoint;
}

const ENDPOINTS = [
  endpoint('canary', { 2: 9000, 3: 1000 }),
  endpoint('late', { 2: 10_000 }),
  { ...endpoint('other', { 2: 10_000 }), model: 'other' },
  { ...endpoint('idle', {}), route: null },
];

function textsOf(version: number): readonly string[] {
  return deploymentsOf(ENDPOINTS, { model: 'late', version }).map(deploymentText);
}

it('tells what serves a version, what holds it warm, and nothing of other models', () => {
  expect(textsOf(2)).toEqual(['serving late', 'serving 90 % of canary']);
  expect(textsOf(3)).toEqual(['serving 10 % of canary', 'warm at late']);
  expect(textsOf(9)).toEqual([]);
});
