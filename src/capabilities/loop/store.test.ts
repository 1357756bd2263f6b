import { describe, expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import type { Db } from '../../platform/db/port.ts';
import { LoopSpec } from './contract.ts';
import { LoopStore } from './store.ts';
import { NO_MEMORY, type StoredInstance } from './stored.ts';

const spec = LoopSpec.parse({ pipeline: 'train', triggers: ['quality'] });

function instance(id: string, over: Partial<StoredInstance> = {}): StoredInstance {
  return {
    id,
    loop: 'late',
    state: 'training',
    isManual: false,
    causes: [{ kind: 'quality', says: 'AUC fell', at: '2001-04-29T00:00:00Z' }],
    actor: 'loop',
    startedAt: micros(1),
    endedAt: null,
    model: 'late',
    champion: 1,
    challenger: null,
    course: {
      stage: 'train',
      pipelineRun: null,
      evaluation: { from: micros(1), until: micros(2) },
      routeRevision: 1,
      override: null,
      deployed: null,
      nextLook: micros(3),
      waitsFor: null,
    },
    revision: 1,
    ...over,
  };
}

eachDatabase((_, open) => {
  async function opened(): Promise<{ db: Db; store: LoopStore }> {
    const db = await open();
    const store = new LoopStore(db);
    await store.write([store.putLoop('late', spec)]);
    return { db, store };
  }

  describe('a loop', () => {
    test('keeps its memory when it is declared anew', async () => {
      const { store } = await opened();
      const loop = await store.requireLoop('late');
      expect(loop).toMatchObject({ spec, stopped: null, memory: NO_MEMORY, revision: 1 });
      const wanted = { value: 0.75, margin: 0.02, isHigherBetter: true };
      const quality = { wanted, isBroken: true, isConfirmed: true };
      await store.write([store.changeLoop(loop, { memory: { ...NO_MEMORY, quality } })]);
      await store.write([store.putLoop('late', { ...spec, cooldown: '9d' })]);
      const changed = await store.requireLoop('late');
      expect(changed.memory.quality).toEqual(quality);
      expect([changed.spec.cooldown, changed.revision]).toEqual(['9d', 3]);
    });

    test('is changed by whoever has seen it as it is', async () => {
      const { store } = await opened();
      const seen = await store.requireLoop('late');
      const stopped = { by: 'ann', reason: 'audit', since: micros(5), until: null };
      await store.write([store.changeLoop(seen, { stopped })]);
      await expect(store.write([store.changeLoop(seen, { stopped: null })])).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect((await store.requireLoop('late')).stopped).toEqual(stopped);
    });

    test('that is removed is not found, and leaves its decisions', async () => {
      const { store } = await opened();
      await store.write([store.insertDecision(decision('admitted')), store.removeLoop('late')]);
      await expect(store.requireLoop('late')).rejects.toMatchObject({ code: 'LOOP_NOT_FOUND' });
      const page = { before: null, instance: null, limit: 10 };
      expect(await store.listDecisions('late', page)).toHaveLength(1);
    });

    test('is listed by name', async () => {
      const { store } = await opened();
      await store.write([store.putLoop('early', spec), store.putLoop('mid', spec)]);
      const names = await store.listLoops({ after: 'early', limit: 10 });
      expect(names.map(({ name }) => name)).toEqual(['late', 'mid']);
    });
  });

  describe('an instance', () => {
    test('is alone under way', async () => {
      const { store } = await opened();
      await store.write([store.insertInstance(instance('li_1'))]);
      await expect(store.write([store.insertInstance(instance('li_2'))])).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { kind: 'unique' },
      });
      const other = instance('li_3', { loop: 'early' });
      await store.write([store.insertInstance(other)]);
      expect(await store.openInstance('early')).toEqual(other);
    });

    test('moves once from each state, and makes room when it is over', async () => {
      const { store } = await opened();
      const first = instance('li_1');
      await store.write([store.insertInstance(first)]);
      await store.write([store.changeInstance(first, { state: 'evaluating', challenger: 2 })]);
      await expect(
        store.write([store.changeInstance(first, { state: 'failed' })]),
      ).rejects.toMatchObject({ code: 'CONFLICT' });
      const moved = (await store.openInstance('late'))!;
      expect([moved.state, moved.challenger, moved.revision]).toEqual(['evaluating', 2, 2]);
      await store.write([
        store.changeInstance(moved, { state: 'rejected', endedAt: micros(9) }),
        store.insertInstance(instance('li_2')),
      ]);
      expect((await store.openInstance('late'))?.id).toBe('li_2');
      expect(await store.ended('late')).toEqual([
        {
          id: 'li_1',
          outcome: 'rejected',
          startedAt: 1,
          endedAt: 9,
          isManual: false,
          isTraining: true,
        },
      ]);
    });

    test('is listed newest first', async () => {
      const { store } = await opened();
      const over = { state: 'rejected' as const, endedAt: micros(9) };
      for (const id of ['li_1', 'li_2', 'li_3']) {
        await store.write([store.insertInstance(instance(id, over))]);
      }
      const found = await store.listInstances('late', { before: 'li_3', limit: 10 });
      expect(found.map(({ id }) => id)).toEqual(['li_2', 'li_1']);
    });
  });

  test('decisions are listed newest first, of one instance or of all', async () => {
    const { store } = await opened();
    for (const kind of ['suppressed', 'admitted', 'trained'] as const) {
      const of = kind === 'suppressed' ? null : 'li_1';
      await store.write([store.insertDecision(decision(kind, of))]);
    }
    const all = await store.listDecisions('late', { before: null, instance: null, limit: 2 });
    expect(all.map(({ kind }) => kind)).toEqual(['trained', 'admitted']);
    const rest = { before: all[1]!.id, instance: null, limit: 2 };
    expect((await store.listDecisions('late', rest)).map(({ kind }) => kind)).toEqual([
      'suppressed',
    ]);
    const one = { before: null, instance: 'li_1', limit: 9 };
    expect(await store.listDecisions('late', one)).toHaveLength(2);
  });
});

function decision(kind: 'suppressed' | 'admitted' | 'trained', instanceId: string | null = null) {
  return {
    loop: 'late',
    instance: instanceId,
    at: micros(1),
    wall: micros(2),
    kind,
    actor: 'loop',
    reason: 'Because.',
    inputs: '{}',
    policy: 'abc',
  };
}
