import { describe, expect, it } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { micros } from '../../base/time.ts';
import { MaturityStore, type NewChange } from './store.ts';

function change(subject: string, former: string | null, state: string): NewChange {
  const of = { endpoint: 'late', model: 'late', version: 3, at: micros(10), wall: micros(20) };
  const evidence = [{ kind: 'run', id: 'run_1' }];
  return { ...of, subject, former, state, why: 'So it is.', evidence };
}

eachDatabase((_, open) => {
  describe('what reviews found', () => {
    it('keeps the newest states of an endpoint and all changes', async () => {
      const store = new MaturityStore(await open());
      expect(await store.find('late')).toBeNull();
      const first = { endpoint: 'late', level: 0, states: { A1: 'fail' }, at: micros(10) } as const;
      await store.put(first, [change('A1', null, 'fail'), change('level', null, '0')]);
      const next = { ...first, level: 1, states: { A1: 'pass' }, at: micros(11) } as const;
      await store.put(next, [change('A1', 'fail', 'pass')]);
      expect(await store.find('late')).toEqual(next);
      const all = { before: null, subject: null, limit: 10 };
      const found = await store.changes('late', all);
      expect(found.map(({ subject, from, to }) => [subject, from, to])).toEqual([
        ['A1', 'fail', 'pass'],
        ['level', null, '0'],
        ['A1', null, 'fail'],
      ]);
      expect(found[0]).toMatchObject({
        at: '1970-01-01T00:00:00.000010Z',
        wall: '1970-01-01T00:00:00.000020Z',
        model: 'late',
        version: 3,
        evidence: [{ kind: 'run', id: 'run_1' }],
      });
      const [newest] = found;
      const older = await store.changes('late', { ...all, before: newest!.id, subject: 'A1' });
      expect(older.map(({ to }) => to)).toEqual(['fail']);
      expect(await store.changes('other', all)).toEqual([]);
    });
  });
});
