import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { RouteRevision } from './contract.ts';
import { followChain, GENESIS, revisionHash } from './revision-hash.ts';

const PLAIN: Omit<RouteRevision, 'hash'> = {
  id: 'rt_1',
  endpoint: 'late',
  revision: 1,
  arms: [{ name: 'blue', model: 'late', version: 1, digest: 'd', weight: 10_000 }],
  salt: 'rt_s',
  actor: 'ada',
  reason: 'why',
  restores: null,
  isDrill: false,
  features: null,
  evidence: [],
  now: '2001-01-01T00:00:00Z',
  wall: '2001-01-01T00:00:00Z',
};

test('a revision without features has the hash that former versions gave it', () => {
  const former = [
    'rt_1',
    'late',
    1,
    [['blue', 'late', 1, 'd', 10_000]],
    'rt_s',
    'ada',
    'why',
    null,
    '2001-01-01T00:00:00Z',
    '2001-01-01T00:00:00Z',
    GENESIS.hash,
  ];
  const hash = createHash('sha256').update(JSON.stringify(former)).digest('hex');
  expect(revisionHash(PLAIN, GENESIS.hash)).toBe(hash);
  expect(followChain(GENESIS, [{ ...PLAIN, hash }])).toEqual({ revision: 1, hash });
});

test('the hash covers definition, evidence and whether it is a drill', () => {
  const check = {
    name: 'golden' as const,
    version: 1,
    result: 'passed' as const,
    summary: 'same',
    numbers: { maxDelta: 0 },
  };
  const features = { service: 'late_v1', definition: 'd1' };
  const variants = [
    PLAIN,
    { ...PLAIN, isDrill: true },
    { ...PLAIN, features },
    { ...PLAIN, features: { ...features, definition: 'd2' } },
    { ...PLAIN, features, evidence: [check] },
    { ...PLAIN, features, evidence: [{ ...check, numbers: { maxDelta: 1 } }] },
    { ...PLAIN, features, evidence: [{ ...check, result: 'not_done' as const }] },
  ];
  const hashes = variants.map((revision) => revisionHash(revision, GENESIS.hash));
  expect(new Set(hashes).size).toBe(variants.length);
});
