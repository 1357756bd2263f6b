import { expect, it } from 'vitest';
import type { RouteRevision } from '../contract.ts';
import { armsText, revisionBefore } from './revisions.ts';

function revision(number: number, restores: number | null = null): RouteRevision {
  return {
    id: `rt_${number}`,
    endpoint: 'late',
    revision: number,
    arms: [{ name: 'blue', model: 'late', version: number, digest: '', weight: 10_000 }],
    salt: '',
    actor: 'ana',
    reason: '',
    restores,
    isDrill: false,
    features: null,
    evidence: [],
    now: '',
    wall: '',
    hash: '',
  };
}

it('goes back from what is served, however often that was restored', () => {
  const all = [revision(1), revision(2), revision(3), revision(4, 2), revision(5, 4)];
  expect(revisionBefore(all[2]!, all)?.revision).toBe(2);
  expect(revisionBefore(all[4]!, all)?.revision).toBe(1);
  expect(revisionBefore(all[0]!, all)).toBeNull();
});

it('says nothing where the revisions in between were not read', () => {
  expect(revisionBefore(revision(9, 3), [revision(9, 3), revision(8)])).toBeNull();
});

it('names each arm with its version and share', () => {
  expect(armsText(revision(3))).toBe('blue v3 100 %');
});
