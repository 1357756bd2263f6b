import { describe, expect, test } from 'vitest';
import { eachDatabase } from '../../../test/dialects.ts';
import { present } from '../../base/assert.ts';
import { micros } from '../../base/time.ts';
import type { Db } from '../../platform/db/port.ts';
import { PipelinesStore } from './store.ts';
import type { StoredAttempt, StoredRun } from './stored.ts';

function run(id: string, folder = '/p'): StoredRun {
  return {
    id,
    folder,
    targets: ['train'],
    isForced: false,
    state: 'queued',
    isCancelling: false,
    actor: 'test',
    environment: { requirements: '/p/l', interpreter: 'python3', sha256: 'e1' },
    error: null,
    createdAt: micros(1),
    startedAt: null,
    finishedAt: null,
    trainUntil: null,
    key: null,
  };
}

function attempt(id: string, of: string, number = 1): StoredAttempt {
  return {
    id,
    run: of,
    position: 0,
    folder: '/p',
    stage: 'train',
    number,
    state: 'starting',
    pid: null,
    start_time: null,
    boot_id: null,
    started_at: micros(2),
    ended_at: null,
    exit_code: null,
    reason: null,
    environment: 'e1',
    lock_hash: null,
    outputs: [],
  };
}

const STAGES = ['train', 'report'].map((name) => ({
  name,
  action: 'run' as const,
  reasons: ['no lock entry'],
  timeoutMs: 1000,
  retries: 1,
}));

eachDatabase((_, open) => {
  async function stored(db: Db): Promise<PipelinesStore> {
    const store = new PipelinesStore(db);
    await store.insertRun(run('prun_1'), STAGES);
    return store;
  }

  describe('a run', () => {
    test('is kept with its steps', async () => {
      const store = await stored(await open());
      expect(await store.findRun('prun_1')).toEqual(run('prun_1'));
      const steps = await store.steps('prun_1');
      expect(steps.map(({ stage, state, reasons }) => [stage, state, reasons])).toEqual([
        ['train', 'waiting', ['no lock entry']],
        ['report', 'waiting', ['no lock entry']],
      ]);
      expect(await store.findRun('prun_2')).toBeNull();
      const keyed = { ...run('prun_3'), key: 'k', trainUntil: '2001-04-01T00:00:00Z' };
      await store.insertRun(keyed, []);
      expect(await store.findRunByKey('k')).toEqual(keyed);
      await expect(store.insertRun({ ...keyed, id: 'prun_4' }, [])).rejects.toThrow();
    });

    test('is open until it ends', async () => {
      const store = await stored(await open());
      await store.insertRun(run('prun_2', '/other'), []);
      expect((await store.openRuns()).map(({ id }) => id)).toEqual(['prun_1', 'prun_2']);
      expect((await store.openRuns('/p')).map(({ id }) => id)).toEqual(['prun_1']);
      const error = { code: 'STAGE_FAILED', message: 'why' } as const;
      const change = { from: 'queued', to: 'failed', at: micros(9), error } as const;
      await store.move('prun_1', { run: change, skipRest: true }, []);
      expect(await store.openRuns('/p')).toEqual([]);
      expect(await store.findRun('prun_1')).toMatchObject({
        state: 'failed',
        error,
        finishedAt: 9,
      });
      expect((await store.steps('prun_1')).map(({ state }) => state)).toEqual([
        'skipped',
        'skipped',
      ]);
    });

    test('moves from one state once', async () => {
      const store = await stored(await open());
      const change = { from: 'queued', to: 'running', at: micros(5) } as const;
      await store.move('prun_1', { run: change }, []);
      const again = store.move('prun_1', { run: change }, []);
      await expect(again).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await store.findRun('prun_1'))?.startedAt).toBe(5);
    });
  });

  test('of the runs of a folder one runs at a time, whichever came first', async () => {
    const store = await stored(await open());
    await store.insertRun(run('prun_2'), []);
    await store.insertRun(run('prun_3', '/other'), []);
    const change = { from: 'queued', to: 'running', at: micros(5) } as const;
    await store.move('prun_2', { run: change }, []);
    const beside = store.move('prun_1', { run: change }, []);
    await expect(beside).rejects.toMatchObject({ code: 'CONFLICT' });
    await store.move('prun_3', { run: change }, []);
    const end = { from: 'running', to: 'succeeded', at: micros(6) } as const;
    await store.move('prun_2', { run: end }, []);
    await store.move('prun_1', { run: change }, []);
    expect((await store.findRun('prun_1'))?.state).toBe('running');
  });

  describe('an attempt', () => {
    test('begins with its step, runs as a process, and ends with what it made', async () => {
      const store = await stored(await open());
      const step = present((await store.steps('prun_1'))[0], 'a step');
      const begin = attempt('att_1', 'prun_1');
      await store.move('prun_1', { step: { of: step, to: 'running' }, begin }, []);
      await store.attemptRuns(begin, { pid: 7, startTime: '99', bootId: 'b' });
      const [running] = await store.attempts('prun_1');
      expect(running).toMatchObject({ state: 'running', pid: 7, start_time: '99', boot_id: 'b' });
      const outputs = [{ path: 'o', md5: 'm', sha256: 's', sizeBytes: 3, files: null }];
      const of = present(running, 'the attempt');
      const end = {
        of,
        to: 'succeeded',
        at: micros(8),
        exitCode: 0,
        lockHash: 'h',
        outputs,
      } as const;
      await store.move('prun_1', { end }, []);
      expect(await store.attempts('prun_1')).toMatchObject([
        { state: 'succeeded', exit_code: 0, outputs, ended_at: 8 },
      ]);
      expect(await store.formerRuns('/p')).toEqual({ train: { lockHash: 'h', environment: 'e1' } });
      expect(await store.formerRuns('/other')).toEqual({});
    });

    test('changes nothing when its step has moved on', async () => {
      const store = await stored(await open());
      const step = present((await store.steps('prun_1'))[0], 'a step');
      await store.move('prun_1', { step: { of: step, to: 'cached' } }, []);
      const late = {
        step: { of: step, to: 'running' },
        begin: attempt('att_1', 'prun_1'),
      } as const;
      await expect(store.move('prun_1', late, [])).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await store.attempts('prun_1')).toEqual([]);
    });
  });
});
