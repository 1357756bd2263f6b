import { describe, expect, it } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import { MonitorSpec, type Check, type QualityReference } from './contract.ts';
import { MonitoringStore, type StoredEvaluation } from './store.ts';

const WALL = micros(5);

function check(kind: Check['kind'], state: Check['state']): Check {
  const numbers = { value: 0.7, lower: null, upper: null, reference: 0.8, threshold: 0.02 };
  const times = { since: null, until: null };
  const rest = { subject: '*', version: 1, isBreach: false, rows: 10, days: 1 };
  return { kind, state, ...rest, ...numbers, ...times, explanation: 'as it is' };
}

function evaluation(id: string, at: number): StoredEvaluation {
  const checks = [check('quality', 'ok'), check('drift', 'warn')];
  const versions = [{ model: 'm', version: 1, requests: 9, errors: 0, p50Us: 1, p99Us: null }];
  return { id, monitor: 'late', at: micros(at), versions, checks, state: 'warn', seconds: 0.5 };
}

eachDatabase((_, open) => {
  describe('what monitors found', () => {
    it('keeps monitors as declared, by name', async () => {
      const store = new MonitoringStore(await open());
      const of = (name: string, drop: number) => ({
        name,
        spec: MonitorSpec.parse({ quality: { drop } }),
        appliedAt: micros(1),
        appliedBy: 'ada',
      });
      await store.write([store.put(of('late', 0.02)), store.put(of('fraud', 0.1))]);
      await store.write([store.put(of('late', 0.03))]);
      expect((await store.require('late')).spec.quality.drop).toBe(0.03);
      const page = await store.monitors({ after: 'fraud', limit: 10 });
      expect(page.map(({ name }) => name)).toEqual(['late']);
      await store.write([store.remove('late')]);
      await expect(store.require('late')).rejects.toMatchObject({ code: 'MONITOR_NOT_FOUND' });
    });

    it('lists evaluations newest first with what is asked of their checks', async () => {
      const store = new MonitoringStore(await open());
      for (const at of [10, 30, 20]) {
        await store.write([store.insertEvaluation(evaluation(`eval_${at}`, at), WALL)]);
      }
      const all = { from: null, until: null, kind: null, limit: 10 };
      const found = await store.evaluations('late', all);
      expect(found.map(({ id }) => id)).toEqual(['eval_30', 'eval_20', 'eval_10']);
      expect(found[0]!.checks.map(({ kind }) => kind)).toEqual(['drift']);
      const [one] = await store.evaluations('late', {
        ...all,
        from: micros(20),
        until: micros(30),
        kind: 'quality',
      });
      expect([one!.id, one!.checks.map(({ kind }) => kind)]).toEqual(['eval_20', ['quality']]);
      expect((await store.evaluation('late', 'eval_20'))!.checks).toHaveLength(2);
      expect(await store.evaluation('other', 'eval_20')).toBeNull();
    });

    it('refuses a second evaluation at one time', async () => {
      const store = new MonitoringStore(await open());
      await store.write([store.insertEvaluation(evaluation('eval_1', 10), WALL)]);
      const again = store.write([store.insertEvaluation(evaluation('eval_2', 10), WALL)]);
      await expect(again).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await store.evaluationAt('late', micros(10)))!.id).toBe('eval_1');
    });

    it('keeps the newest reference of a version and measure', async () => {
      const store = new MonitoringStore(await open());
      const reference = (value: number) => ({ version: 1, value }) as QualityReference;
      const measure = 'auc over 7d';
      for (const value of [0.75, 0.6]) {
        const step = store.putReference('late', { measure, reference: reference(value) });
        await store.write([step]);
      }
      expect(await store.references('late')).toEqual([{ measure, reference: reference(0.6) }]);
    });
  });
});
