import * as fc from 'fast-check';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { micros, type Clock, type Micros } from '../../src/base/time.ts';
import type { Db } from '../../src/platform/db/port.ts';
import { createEvents } from '../../src/platform/events/events.ts';
import type { Events } from '../../src/platform/events/port.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { createIds, sleep, systemClock } from '../../src/platform/system.ts';
import type { TimerInput, Timers } from '../../src/platform/timers/port.ts';
import { createTimers } from '../../src/platform/timers/timers.ts';
import { eachDatabase } from '../dialects.ts';

/** Both clocks are set by hand, in microseconds. */
class HandClock implements Clock {
  domain = 0;
  machine = 0;
  now(): Micros {
    return micros(this.domain);
  }
  wall(): Micros {
    return micros(this.machine);
  }
  elapsed(): number {
    return this.machine / 1000;
  }
}

eachDatabase((_dialect, open) => {
  let db: Db;
  let clock: HandClock;
  let events: Events;
  let timers: Timers;
  let fired: string[];

  const create = (onClock: Clock): Timers => {
    const ids = createIds(systemClock);
    const settle = () => events.settled();
    const created = createTimers({ db, clock: onClock, ids, events, settle, log: silentLog });
    onTestFinished(() => created.stop());
    return created;
  };
  const timer = (subject: string, due: number, rest: Partial<TimerInput> = {}): TimerInput => {
    const defaults = { handler: 'ring', clock: 'now', payload: {} } as const;
    return { ...defaults, subject, due: micros(due), ...rest };
  };
  const set = (...inputs: TimerInput[]) => db.write(inputs.map((input) => timers.schedule(input)));
  const advance = (at: Micros) => {
    clock.domain = at;
    return Promise.resolve();
  };
  const note = (subject: string) => {
    fired.push(`${subject}@${clock.domain}`);
    return Promise.resolve();
  };

  beforeEach(async () => {
    db = await open();
    clock = new HandClock();
    events = createEvents({ db, clock, log: silentLog });
    onTestFinished(() => events.close());
    timers = create(clock);
    fired = [];
  });

  describe('due timers', () => {
    it('fire in order of due time, each clock by itself, and once', async () => {
      timers.handle('ring', ({ subject }) => note(subject));
      await set(timer('b', 20), timer('a', 10), timer('later', 99), timer('c', 30));
      await set(timer('w', 5, { clock: 'wall' }), timer('w-later', 50, { clock: 'wall' }));
      clock.domain = 30;
      clock.machine = 5;
      expect(await timers.fireDue()).toBe(4);
      expect(fired.filter((entry) => !entry.startsWith('w'))).toEqual(['a@30', 'b@30', 'c@30']);
      expect(fired).toContain('w@30');
      expect(await timers.fireDue()).toBe(0);
    });

    it('tell their handler what they were set for', async () => {
      const heard: unknown[] = [];
      timers.handle('ring', (heardTimer) => {
        heard.push(heardTimer);
        return Promise.resolve();
      });
      await set(timer('a', 7, { payload: { attempt: 3, of: ['x'] } }));
      clock.domain = 8;
      await timers.fireDue();
      const id = expect.stringMatching(/^tmr_[0-9a-f]{32}$/) as string;
      const payload = { attempt: 3, of: ['x'] };
      expect(heard).toEqual([{ ...timer('a', 7), id, payload, failures: 0 }]);
    });

    it('replace the one that waits for the same handler and subject', async () => {
      timers.handle('ring', ({ subject, payload }) => note(`${subject}${String(payload['n'])}`));
      await set(timer('a', 10, { payload: { n: 1 } }), timer('b', 10, { payload: { n: 1 } }));
      await set(timer('a', 40, { payload: { n: 2 } }));
      clock.domain = 10;
      await timers.fireDue();
      clock.domain = 40;
      await timers.fireDue();
      expect(fired).toEqual(['b1@10', 'a2@40']);
    });

    it('are gone when cancelled, and never there when their cause failed', async () => {
      timers.handle('ring', ({ subject }) => note(subject));
      await set(timer('a', 10));
      await db.write([timers.cancel({ handler: 'ring', subject: 'a' })]);
      const nowhere = db.queries<{ nowhere: { n: number } }>().insertInto('nowhere');
      const failing = [timers.schedule(timer('b', 10)), { query: nowhere.values({ n: 1 }) }];
      await expect(db.write(failing)).rejects.toThrow(/nowhere/);
      clock.domain = 99;
      expect(await timers.fireDue()).toBe(0);
    });

    it('wait for their handler, over a restart too', async () => {
      await set(timer('a', 10));
      clock.domain = 10;
      expect(await timers.fireDue()).toBe(0);
      await timers.stop();
      const restarted = create(clock);
      restarted.handle('ring', ({ subject }) => note(subject));
      expect(await restarted.fireDue()).toBe(1);
      expect(fired).toEqual(['a@10']);
    });
  });

  describe('what a handler causes', () => {
    it('commits with the end of the timer', async () => {
      timers.handle('ring', () =>
        Promise.resolve([
          timers.schedule(timer('a', clock.domain + 10)),
          events.step({ actor: 't', kind: 'bell.rung', subject: 'bell', data: {} }),
        ]),
      );
      await set(timer('a', 10));
      clock.domain = 10;
      await timers.fireDue();
      clock.domain = 20;
      expect(await timers.fireDue()).toBe(1);
      expect(await events.after(0, 10)).toHaveLength(2);
    });

    it('is dropped when the timer was cancelled or set anew while it ran', async () => {
      timers.handle('ring', async ({ subject }) => {
        await note(subject);
        if (clock.domain === 500) return [];
        if (subject === 'cancelled') await db.write([timers.cancel({ handler: 'ring', subject })]);
        else await set(timer(subject, 500));
        return [timers.schedule(timer(subject, 20))];
      });
      await set(timer('anew', 10), timer('cancelled', 10));
      clock.domain = 499;
      expect(await timers.fireDue()).toBe(2);
      clock.domain = 500;
      expect(await timers.fireDue()).toBe(1);
      expect(fired.at(-1)).toBe('anew@500');
    });
  });

  describe('a failing handler', () => {
    it('is tried again later and later, and does not hold up other timers', async () => {
      let failures = 0;
      timers.handle('ring', (due) => {
        if (due.subject === 'good') return note('good');
        expect(due.failures).toBe(failures);
        failures += 1;
        return failures <= 3 ? Promise.reject(new Error('broken')) : note('recovered');
      });
      await set(timer('bad', 1), timer('good', 2));
      for (const second of [1, 1.9, 2, 3.9, 4, 7.9, 8]) {
        clock.domain = second * 1_000_000;
        await timers.fireDue();
      }
      expect(fired).toEqual(['good@1000000', 'recovered@8000000']);
    });

    it('is given up in the end, with an event, and starts afresh when set again', async () => {
      let isBroken = true;
      timers.handle('ring', () => (isBroken ? Promise.reject(new Error('broken')) : note('well')));
      await set(timer('a', 1));
      for (let hour = 1; hour <= 30; hour += 1) {
        clock.domain = hour * 3_600_000_000;
        await timers.fireDue();
      }
      expect(await events.after(0, 100)).toMatchObject([
        { kind: 'timer.dead', subject: 'a', data: { handler: 'ring', attempts: 10 } },
      ]);
      isBroken = false;
      await set(timer('a', 1));
      expect(await timers.fireDue()).toBe(1);
      expect(fired).toEqual([`well@${30 * 3_600_000_000}`]);
    });
  });

  it('stops a handler that sets itself for the past without end', async () => {
    timers.handle('ring', () => Promise.resolve([timers.schedule(timer('a', 0))]));
    await set(timer('a', 0));
    await expect(timers.fireDue()).rejects.toThrow('without end');
    await expect(timers.fireUntil(micros(10), advance)).rejects.toThrow('without end');
  });

  describe('a replay', () => {
    it('fires each timer at its own time, settling what it causes before the next', async () => {
      const handler = ({ subject }: { subject: string }) => {
        fired.push(`${subject}@${clock.domain}`);
        const event = { actor: 't', kind: 'bell.rung', subject, data: {} };
        return Promise.resolve([events.step(event)]);
      };
      timers.handle('ring', handler);
      await events.consume(
        'echo',
        (event) => {
          fired.push(`heard ${event.subject}@${clock.domain}`);
          if (event.subject !== 'a') return Promise.resolve([]);
          return Promise.resolve([timers.schedule(timer('echo', 15))]);
        },
        { from: 'first' },
      );
      await set(timer('b', 20), timer('a', 10), timer('beyond', 31));
      expect(await timers.fireUntil(micros(30), advance)).toBe(3);
      expect(fired).toEqual([
        'a@10',
        'heard a@10',
        'echo@15',
        'heard echo@15',
        'b@20',
        'heard b@20',
      ]);
    });

    it('has the same story whatever the size of its steps', async () => {
      let failNext = new Set<string>();
      timers.handle('ring', async ({ subject, payload, due }) => {
        await note(subject);
        if (failNext.delete(subject)) throw new Error('once');
        const period = Number(payload['period']);
        return [timers.schedule(timer(subject, due + period, { payload }))];
      });
      const END = 10_000_000;
      const play = async (periods: readonly number[], stops: readonly number[]) => {
        clock.domain = 0;
        fired = [];
        failNext = new Set(['t0']);
        await set(...periods.map((period, n) => timer(`t${n}`, period, { payload: { period } })));
        for (const stop of [...stops].sort((a, b) => a - b).concat(END)) {
          await timers.fireUntil(micros(stop), advance);
          await advance(micros(stop));
        }
        return fired;
      };
      const period = fc.integer({ min: 900_000, max: 4_000_000 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(period, { minLength: 1, maxLength: 3 }),
          fc.array(fc.integer({ min: 1, max: END }), { maxLength: 6 }),
          async (periods, stops) => {
            const whole = await play(periods, []);
            await db.write([{ query: db.queries<{ timers: object }>().deleteFrom('timers') }]);
            expect(await play(periods, stops)).toEqual(whole);
            await db.write([{ query: db.queries<{ timers: object }>().deleteFrom('timers') }]);
          },
        ),
        { numRuns: 8 },
      );
    });
  });

  describe('in a live workspace', () => {
    it('timers fire when they are due, also ones set later for sooner', async () => {
      const live = create(systemClock);
      const order: string[] = [];
      live.handle('ring', ({ subject }) => {
        order.push(subject);
        return Promise.resolve();
      });
      live.start();
      const inMs = (ms: number) => micros(systemClock.wall() + ms * 1000);
      await db.write([live.schedule(timer('second', inMs(300)))]);
      await sleep(20);
      await db.write([live.schedule(timer('first', inMs(50), { clock: 'wall' }))]);
      for (let waited = 0; order.length < 2 && waited < 4000; waited += 20) await sleep(20);
      expect(order).toEqual(['first', 'second']);
    });
  });
});
