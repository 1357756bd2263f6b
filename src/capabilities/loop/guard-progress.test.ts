import { expect, it } from 'vitest';
import { micros } from '../../base/time.ts';
import { LoopSpec } from './contract.ts';
import type { GuardLook } from './guard.ts';
import { guardProgress } from './guard-progress.ts';
import { NO_MEMORY, type StoredInstance, type StoredLoop } from './stored.ts';

const HOUR = 3_600_000_000;
const DEPLOYED = micros(Date.UTC(2001, 5, 6) * 1000);
const NOW = micros(DEPLOYED + 14 * HOUR);
const ANSWERED = { requests: 1204, errors: 3 };

const LOOP: StoredLoop = {
  name: 'late',
  spec: LoopSpec.parse({ pipeline: 'train', triggers: ['quality'] }),
  stopped: null,
  resumedAt: null,
  memory: NO_MEMORY,
  revision: 1,
};

function guarding(change: Partial<StoredInstance['course']> = {}): StoredInstance {
  return {
    id: 'li_1',
    loop: 'late',
    state: 'guarding',
    isManual: false,
    causes: [],
    actor: 'loop',
    startedAt: DEPLOYED,
    endedAt: null,
    model: 'late',
    champion: 1,
    challenger: 5,
    course: {
      stage: 'train',
      pipelineRun: null,
      evaluation: { from: DEPLOYED, until: DEPLOYED },
      routeRevision: 1,
      override: null,
      deployed: { at: DEPLOYED, revision: 2 },
      nextLook: micros(DEPLOYED + 18 * HOUR),
      waitsFor: null,
      ...change,
    },
    revision: 1,
  };
}

async function progressOf(instance: StoredInstance | null, guard: { requests: number } | null) {
  const asked: unknown[] = [];
  const limits = guard === null ? null : { ...guard, forMicros: 48 * HOUR };
  const found = await guardProgress(
    {
      store: {
        requireLoop: () => Promise.resolve(LOOP),
        openInstance: () => Promise.resolve(instance),
      },
      ports: {
        releases: { guardOf: () => Promise.resolve(limits) },
        requests: {
          answered: (request) => {
            asked.push(request);
            return Promise.resolve(ANSWERED);
          },
        },
      },
      clock: { now: () => NOW },
    },
    'late',
  );
  return { found, asked };
}

it('counts what the challenger answered since it took the traffic', async () => {
  const { found, asked } = await progressOf(guarding(), { requests: 4000 });
  expect(asked).toEqual([{ endpoint: 'late', version: 5, span: { from: DEPLOYED, until: NOW } }]);
  expect(found).toMatchObject({
    champion: 1,
    challenger: 5,
    answered: ANSWERED,
    seconds: 14 * 3600,
    wants: { requests: 4000, seconds: 48 * 3600 },
    givesUpAt: '2001-06-14T00:00:00Z',
    nextLook: '2001-06-06T18:00:00Z',
    look: null,
  });
});

it('tells of the difference as the newest look found it', async () => {
  const figures = { auc: 0.7, logLoss: 0.5, meanScore: 0.2, missing: 0 };
  const versions = { champion: figures, challenger: figures };
  const improvement = { value: 0.01, lower: -0.02, upper: 0.04, level: 0.95 };
  const rows = { rows: 900, positives: 200, blocks: 2, ...versions };
  const look: GuardLook = {
    at: micros(DEPLOYED + 12 * HOUR),
    deployedAt: DEPLOYED,
    champion: 1,
    challenger: 5,
    limits: { requests: 4000, forMicros: 48 * HOUR },
    isOverridden: false,
    ...ANSWERED,
    former: { requests: 1300, errors: 1 },
    comparison: { ...rows, improvement },
    early: { ...rows, improvement: { ...improvement, upper: 0.09, level: 0.999 } },
    why: null,
  };
  const { found } = await progressOf(guarding({ look, waitsFor: 'more requests' }), null);
  expect(found!.wants).toEqual({ requests: 1000, seconds: 86_400 });
  expect(found!.look).toEqual({
    at: '2001-06-06T12:00:00Z',
    says: 'more requests',
    former: { requests: 1300, errors: 1 },
    improvement: { ...improvement, rows: 900, days: 2 },
    early: { upper: 0.09, level: 0.999 },
  });
});

it('is nothing while no version is under guard', async () => {
  expect((await progressOf(null, null)).found).toBeNull();
  const { found } = await progressOf({ ...guarding(), state: 'evaluating' }, null);
  expect(found).toBeNull();
});
