import { expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import { LoopSpec, type DecisionKind } from './contract.ts';
import { LoopFacts } from './loop-facts.ts';
import { LoopStore } from './store.ts';
import type { StoredInstance } from './stored.ts';

const spec = LoopSpec.parse({ pipeline: 'train', triggers: ['quality'], endpoint: 'late' });
const question = { endpoint: 'late', model: 'late', since: micros(0), now: micros(100) };

const instance: StoredInstance = {
  id: 'li_1',
  loop: 'nightly',
  state: 'promoted',
  isManual: false,
  causes: [{ kind: 'quality', says: 'AUC fell', at: '2001-04-29T00:00:00Z' }],
  actor: 'loop',
  startedAt: micros(10),
  endedAt: micros(30),
  model: 'late',
  champion: 1,
  challenger: 2,
  course: {
    stage: 'train',
    pipelineRun: 'prun_1',
    evaluation: { from: micros(1), until: micros(5) },
    routeRevision: 1,
    override: null,
    deployed: { at: micros(20), revision: 2 },
    nextLook: micros(30),
    waitsFor: null,
  },
  revision: 1,
};

function decision(kind: DecisionKind, inputs: Readonly<Record<string, unknown>>) {
  const of = { loop: 'nightly', instance: null, at: micros(12), wall: micros(13), actor: 'loop' };
  return { ...of, kind, reason: 'Because.', inputs: JSON.stringify(inputs), policy: 'abc' };
}

/** As an admission keeps its situation. */
function situation(over: Readonly<Record<string, unknown>>) {
  const past = { cooldownUntil: null, failures: 0, retrains: 0 };
  const release = { version: 1 };
  return { past, release, causes: [{ doubt: null }], maturedRows: 5000, ...over };
}

eachDatabase((_, open) => {
  async function told(inputs: readonly (readonly [DecisionKind, object])[]) {
    const store = new LoopStore(await open());
    await store.write([
      store.putLoop('nightly', spec),
      store.insertInstance(instance),
      ...inputs.map(([kind, one]) => store.insertDecision(decision(kind, { ...one }))),
    ]);
    return new LoopFacts(store).factsOf(question);
  }

  test('tells of the loop that keeps the endpoint, and of nothing else', async () => {
    const facts = await told([]);
    expect(facts).toMatchObject([
      { kind: 'loop', subject: 'nightly', at: 100, data: { retrains: 8, minRows: 1000 } },
      {
        kind: 'instance',
        subject: 'li_1',
        at: 30,
        data: { causes: ['quality'], startedAt: 10, deployedAt: 20, pipelineRun: 'prun_1' },
      },
    ]);
  });

  test('tells which limits held a trigger back, and not those behind another reason', async () => {
    const cooling = { cooldownUntil: 50, failures: 1, retrains: 8 };
    const facts = await told([
      ['suppressed', situation({ past: cooling })],
      ['suppressed', situation({ maturedRows: 10 })],
      ['suppressed', situation({ maturedRows: 10, incidents: [{ kind: 'unit_change' }] })],
      ['suppressed', situation({ maturedRows: 10, causes: [{ doubt: 'scores stayed' }] })],
      ['suppressed', situation({ maturedRows: 10, exclusions: [{}] })],
      ['admitted', situation({ maturedRows: 10 })],
    ]);
    const blocked = facts
      .filter(({ kind }) => kind === 'decision')
      .map(({ data }) => data['blockedBy'])
      .toReversed();
    expect(blocked).toEqual([['cooldown', 'budget'], ['rows'], [], [], [], []]);
  });

  test('tells what a gate compared, on which days', async () => {
    const gate = { champion: 1, challenger: 2, evaluation: { from: 1, until: 5 } };
    const facts = await told([
      ['gate_passed', { ...gate, comparison: { rows: 900 } }],
      ['rejected', { ...gate, comparison: null }],
    ]);
    const compared = facts
      .filter(({ kind }) => kind === 'decision')
      .map(({ data }) => data['compared']);
    expect(compared).toEqual([null, { champion: 1, challenger: 2, rows: 900, from: 1, until: 5 }]);
  });
});
