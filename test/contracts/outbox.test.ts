import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { AppError } from '../../src/base/errors.ts';
import { micros, type Clock, type Micros } from '../../src/base/time.ts';
import type { Db } from '../../src/platform/db/port.ts';
import { createEvents } from '../../src/platform/events/events.ts';
import type { Events } from '../../src/platform/events/port.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { createOutbox } from '../../src/platform/outbox/outbox.ts';
import type { Outbox, OutboxInput, OutboxMessage } from '../../src/platform/outbox/port.ts';
import { sleep, systemClock } from '../../src/platform/system.ts';
import { eachDatabase } from '../dialects.ts';

const SECOND = 1_000_000;

class HandClock implements Clock {
  at = 1000 * SECOND;
  now(): Micros {
    return micros(this.at);
  }
  wall(): Micros {
    return micros(this.at);
  }
  elapsed(): number {
    return this.at / 1000;
  }
}

interface Tables {
  outbox: { id: string; state: string; attempts: number; last_error: string | null };
}

eachDatabase((_dialect, open) => {
  let db: Db;
  let clock: HandClock;
  let events: Events;
  let outbox: Outbox;
  let received: OutboxMessage[];

  const create = (onClock: Clock): Outbox => {
    const created = createOutbox({ db, clock: onClock, events, log: silentLog });
    onTestFinished(() => created.stop());
    return created;
  };
  const message = (key: string, rest: Partial<OutboxInput> = {}): OutboxInput => ({
    kind: 'note',
    target: 'somewhere',
    key,
    payload: { key },
    ...rest,
  });
  const send = (...keys: string[]) => db.write(keys.map((key) => outbox.step(message(key))));
  const receive = (delivered: OutboxMessage) => {
    received.push(delivered);
    return Promise.resolve();
  };
  const keys = () => received.map((delivered) => String(delivered.payload['key']));
  const rows = () =>
    db.read(
      db
        .queries<Tables>()
        .selectFrom('outbox')
        .select(['state', 'attempts', 'last_error'])
        .orderBy('id'),
    );

  beforeEach(async () => {
    db = await open();
    clock = new HandClock();
    events = createEvents({ db, clock, log: silentLog });
    onTestFinished(() => events.close());
    outbox = create(clock);
    received = [];
  });

  describe('a message', () => {
    it('is delivered once its cause has committed, and once only', async () => {
      outbox.handle('note', receive);
      await send('a', 'b');
      expect(await outbox.deliverDue()).toBe(2);
      expect(await outbox.deliverDue()).toBe(0);
      expect(keys().sort()).toEqual(['a', 'b']);
      expect(received[0]).toMatchObject({ kind: 'note', target: 'somewhere', failures: 0 });
      expect((await rows()).map((row) => row.state)).toEqual(['delivered', 'delivered']);
    });

    it('does not wait for hours that the clock was wrong by', async () => {
      let fails = true;
      outbox.handle('note', async (delivered) => {
        if (fails) throw new Error('away');
        await receive(delivered);
      });
      clock.at += 10 * 3600 * SECOND;
      await send('tried');
      await outbox.deliverDue();
      await send('new');
      clock.at -= 10 * 3600 * SECOND;
      fails = false;
      expect(await outbox.deliverDue()).toBe(2);
      expect(keys().sort()).toEqual(['new', 'tried']);
    });

    it('is not sent when its cause failed', async () => {
      outbox.handle('note', receive);
      const nowhere = db.queries<{ nowhere: { n: number } }>().insertInto('nowhere');
      const failing = db.write([outbox.step(message('a')), { query: nowhere.values({ n: 1 }) }]);
      await expect(failing).rejects.toThrow(/nowhere/);
      expect(await outbox.deliverDue()).toBe(0);
    });

    it('is one message however often its cause is repeated, under an id of its own', async () => {
      outbox.handle('note', receive);
      await send('a');
      await outbox.deliverDue();
      await send('a', 'a');
      await db.write([outbox.step(message('a', { target: 'elsewhere' }))]);
      expect(await outbox.deliverDue()).toBe(1);
      const ids = received.map((delivered) => delivered.id);
      expect(ids.every((id) => /^out_[0-9a-f]{32}$/.test(id))).toBe(true);
      expect(new Set(ids).size).toBe(2);
    });

    it('waits for its handler, over a restart too', async () => {
      await send('a');
      expect(await outbox.deliverDue()).toBe(0);
      await outbox.stop();
      const restarted = create(clock);
      restarted.handle('note', receive);
      expect(await restarted.deliverDue()).toBe(1);
    });
  });

  describe('a failing receiver', () => {
    it('is tried again with the same id, later and later', async () => {
      let isBroken = true;
      const seen: OutboxMessage[] = [];
      outbox.handle('note', (delivered) => {
        seen.push(delivered);
        return isBroken ? Promise.reject(new Error('closed')) : Promise.resolve();
      });
      await send('a');
      const tries: number[] = [];
      for (const second of [0, 0.9, 1, 2.9, 3, 6.9]) {
        clock.at = (1000 + second) * SECOND;
        if ((await outbox.deliverDue()) > 0) tries.push(second);
      }
      expect(tries).toEqual([0, 1, 3]);
      expect(await rows()).toEqual([
        { state: 'pending', attempts: 3, last_error: 'Error: closed' },
      ]);
      isBroken = false;
      clock.at = 1007 * SECOND;
      await outbox.deliverDue();
      expect(seen.map((delivered) => delivered.failures)).toEqual([0, 1, 2, 3]);
      expect(new Set(seen.map((delivered) => delivered.id)).size).toBe(1);
      expect(await rows()).toMatchObject([{ state: 'delivered', attempts: 4 }]);
    });

    it('is given up in the end, with an event', async () => {
      outbox.handle('note', () => Promise.reject(new Error('closed')));
      await send('a');
      for (let hour = 0; hour < 60; hour += 1) {
        await outbox.deliverDue();
        clock.at += 3600 * SECOND;
      }
      expect(await rows()).toMatchObject([{ state: 'dead', attempts: 20 }]);
      expect(await events.after(0, 10)).toMatchObject([
        {
          kind: 'outbox.dead',
          subject: expect.stringMatching(/^outbox\/out_/) as string,
          data: { kind: 'note', attempts: 20, error: 'Error: closed' },
        },
      ]);
    });

    it('is not bothered again with a message that can never be right', async () => {
      const wrong = new AppError('OUTGOING_URL_REFUSED', 'No.');
      outbox.handle('note', () => Promise.reject(wrong));
      await send('a');
      await outbox.deliverDue();
      expect(await rows()).toMatchObject([{ state: 'dead', attempts: 1 }]);
    });
  });

  describe('delivering', () => {
    it('never has one message under way twice, and a few messages at once', async () => {
      const underWay = new Set<string>();
      let most = 0;
      outbox.handle('note', async ({ id }) => {
        expect(underWay.has(id)).toBe(false);
        underWay.add(id);
        most = Math.max(most, underWay.size);
        await sleep(5);
        underWay.delete(id);
        received.push({ id } as OutboxMessage);
      });
      const many = Array.from({ length: 20 }, (_, n) => `m${n}`);
      await send(...many);
      await Promise.all([outbox.deliverDue(), outbox.deliverDue(), outbox.deliverDue()]);
      expect(received).toHaveLength(20);
      expect(most).toBe(4);
    });

    it('starts when a message is recorded, and stops for the next process to go on', async () => {
      const live = create(systemClock);
      live.handle('note', async (delivered, { signal }) => {
        await receive(delivered);
        if (delivered.payload['key'] === 'slow') await sleep(60_000, signal);
      });
      live.start();
      await sleep(20);
      await db.write(['quick', 'slow'].map((key) => live.step(message(key))));
      for (let waited = 0; received.length < 2 && waited < 4000; waited += 10) await sleep(10);
      expect(keys().sort()).toEqual(['quick', 'slow']);
      await live.stop();
      const next = create(systemClock);
      next.handle('note', receive);
      expect(await next.deliverDue()).toBe(1);
      expect(keys().at(-1)).toBe('slow');
    });
  });
});
