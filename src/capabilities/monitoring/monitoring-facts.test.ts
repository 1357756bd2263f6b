import { expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import { MonitorSpec, type Check } from './contract.ts';
import { MonitoringFacts } from './monitoring-facts.ts';
import { MonitoringStore } from './store.ts';

const question = { endpoint: 'late', model: 'late', since: micros(15), now: micros(100) };

function check(kind: Check['kind'], state: Check['state']): Check {
  const numbers = { value: 0.7, lower: null, upper: null, reference: 0.8, threshold: 0.02 };
  const times = { since: null, until: null };
  const rest = { subject: '*', version: 1, isBreach: false, rows: 10, days: 1 };
  return { kind, state, ...rest, ...numbers, ...times, explanation: 'as it is' };
}

eachDatabase((_, open) => {
  test('tells of the monitor and what its evaluations found since', async () => {
    const db = await open();
    const store = new MonitoringStore(db);
    const facts = new MonitoringFacts({ db, store });
    expect(await facts.factsOf(question)).toEqual([]);
    const spec = MonitorSpec.parse({ every: '12h' });
    const checks = [check('quality', 'ok'), check('drift', 'warn'), check('drift', 'warn')];
    const versions = [{ model: 'm', version: 1, requests: 9, errors: 0, p50Us: 1, p99Us: null }];
    const rest = { monitor: 'late', versions, checks, state: 'warn', seconds: 0.5 } as const;
    await store.write([
      store.put({ name: 'late', spec, appliedAt: micros(1), appliedBy: 'ada' }),
      ...[10, 20, 30].map((at) =>
        store.insertEvaluation({ ...rest, id: `eval_${at}`, at: micros(at) }, micros(at + 1)),
      ),
    ]);
    const loud = [{ kind: 'drift', state: 'warn' }];
    const answered = [{ model: 'm', version: 1, requests: 9 }];
    expect(await facts.factsOf(question)).toEqual([
      {
        kind: 'monitor',
        subject: 'late',
        at: 100,
        wall: 1,
        data: { isAuto: true, everyMicros: 43_200_000_000 },
      },
      {
        kind: 'evaluation',
        subject: 'eval_30',
        at: 30,
        wall: 31,
        data: { versions: answered, loud, kinds: [...loud, { kind: 'quality', state: 'ok' }] },
      },
      {
        kind: 'evaluation',
        subject: 'eval_20',
        at: 20,
        wall: 21,
        data: { versions: answered, loud, kinds: null },
      },
    ]);
  });

  test('tells of more evaluations than are read at once, the newest first', async () => {
    const db = await open();
    const store = new MonitoringStore(db);
    const rest = { monitor: 'late', state: 'ok', seconds: 0 } as const;
    const steps = Array.from({ length: 205 }, (_, index) => {
      const at = micros(1000 + index);
      return store.insertEvaluation(
        { ...rest, versions: [], checks: [], id: `eval_${index}`, at },
        at,
      );
    });
    await store.write(steps);
    const now = micros(9000);
    const facts = await new MonitoringFacts({ db, store }).factsOf({ ...question, now });
    expect(facts.map(({ subject }) => subject)).toEqual(
      Array.from({ length: 205 }, (_, index) => `eval_${204 - index}`),
    );
  });
});
