import { sql, type Generated } from 'kysely';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { micros, type Clock } from '../../src/base/time.ts';
import { columnTypes, createTable } from '../../src/platform/db/dialect.ts';
import type { Db, Step } from '../../src/platform/db/port.ts';
import { createEvents } from '../../src/platform/events/events.ts';
import type { Events, StoredEvent } from '../../src/platform/events/port.ts';
import { silentLog } from '../../src/platform/log/log.ts';
import { sleep, systemClock } from '../../src/platform/system.ts';
import { eachDatabase, type OpenDatabase } from '../dialects.ts';

const clock: Clock = { now: () => micros(1000), wall: () => micros(2000), elapsed: () => 0 };
const log = silentLog;

interface Tables {
  done: { id: Generated<number>; what: string };
}

eachDatabase((dialect, open) => {
  let db: Db;
  let events: Events;

  beforeEach(async () => {
    db = await openWithTable(open);
    events = createEvents({ db, clock, log });
    onTestFinished(() => events.close());
  });

  const happened = (kind: string, subject = 'thing/1'): Step =>
    events.step({ actor: 'test', kind, subject, data: { kind } });
  const record = (...kinds: string[]) => db.write(kinds.map((kind) => happened(kind)));
  const does = (what: string): Step => ({
    query: db.queries<Tables>().insertInto('done').values({ what }),
  });
  const done = async () => {
    const rows = db.queries<Tables>().selectFrom('done').select('what').orderBy('id');
    return (await db.read(rows)).map((row) => row.what);
  };
  const kinds = (stored: readonly StoredEvent[]) => stored.map((event) => event.kind);

  describe('recording', () => {
    it('keeps an event with its change, or neither', async () => {
      await db.write([does('a'), happened('thing.made')]);
      const failing = db.write([happened('thing.lost'), { query: failingQuery(db) }]);
      await expect(failing).rejects.toThrow(/nowhere/);
      expect(await events.after(0, 10)).toEqual([
        {
          seq: expect.any(Number) as number,
          wall: 2000,
          now: 1000,
          actor: 'test',
          kind: 'thing.made',
          subject: 'thing/1',
          data: { kind: 'thing.made' },
        },
      ]);
    });

    it('lists the newest first, by subject and page', async () => {
      for (const n of [1, 2, 3, 4]) await db.write([happened(`n.${n}`, `thing/${n % 2}`)]);
      expect(kinds(await events.list({ limit: 3 }))).toEqual(['n.4', 'n.3', 'n.2']);
      const [newest] = await events.list({ subject: 'thing/1', limit: 1 });
      expect(newest?.kind).toBe('n.3');
      const before = newest?.seq ?? 0;
      expect(kinds(await events.list({ subject: 'thing/1', before, limit: 5 }))).toEqual(['n.1']);
      expect(await events.latest()).toBe((await events.list({ limit: 1 }))[0]?.seq);
    });

    it('shows no event before an earlier one, whatever transactions run at once', async () => {
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; n < 12; n += 1) {
          const steps = [happened(`${writer}.${n}`), does(`${writer}.${n}`)];
          await db.write(n % 2 === 0 ? steps : steps.toReversed());
        }
      });
      const seen: number[] = [];
      const writing = Promise.all(writers).then(() => 'written' as const);
      for (let last = 0; (await Promise.race([writing, sleep(1)])) !== 'written';) {
        for (const event of await events.after(last, 1000)) {
          seen.push(event.seq);
          last = event.seq;
        }
      }
      for (const event of await events.after(seen.at(-1) ?? 0, 1000)) seen.push(event.seq);
      const all = (await events.after(0, 1000)).map((event) => event.seq);
      expect(all).toHaveLength(8 * 12);
      expect(seen).toEqual(all);
    });

    it('wakes listeners when an event has committed', async () => {
      let woken = 0;
      const stop = events.onAppend(() => {
        woken += 1;
      });
      await db.write([does('nothing to tell')]);
      expect(woken).toBe(0);
      await record('a.b', 'c.d');
      expect(woken).toBe(1);
      stop();
      await record('e.f');
      expect(woken).toBe(1);
    });
  });

  describe('a consumer', () => {
    it('handles each event in order and keeps its place over a restart', async () => {
      await record('a.a', 'b.b');
      const seen: string[] = [];
      const handler = (event: StoredEvent) => {
        seen.push(event.kind);
        return Promise.resolve();
      };
      const first = await events.consume('reader', handler, { from: 'first' });
      await record('c.c');
      await events.settled();
      await first.stop();
      await record('d.d');
      await events.consume('reader', handler, { from: 'first' });
      await events.settled();
      expect(seen).toEqual(['a.a', 'b.b', 'c.c', 'd.d']);
    });

    it('begins with the next event when asked to', async () => {
      await record('old.news');
      const seen: string[] = [];
      const handler = (event: StoredEvent) => {
        seen.push(event.kind);
        return Promise.resolve();
      };
      await events.consume('fresh', handler, { from: 'next' });
      await record('new.news');
      await events.settled();
      expect(seen).toEqual(['new.news']);
    });

    it('commits what it causes together with its place, once', async () => {
      const handler = (event: StoredEvent) => Promise.resolve([does(`after ${event.kind}`)]);
      const consumer = await events.consume('doer', handler, { from: 'first' });
      await record('a.a', 'b.b');
      await events.settled();
      await consumer.stop();
      await events.consume('doer', handler, { from: 'first' });
      await events.settled();
      expect(await done()).toEqual(['after a.a', 'after b.b']);
    });

    it('tries a failing event again before it goes on', async () => {
      const seen: string[] = [];
      const handler = (event: StoredEvent) => {
        seen.push(event.kind);
        if (seen.length === 1) return Promise.reject(new Error('not yet'));
        return Promise.resolve();
      };
      await events.consume('patient', handler, { from: 'first' });
      await record('a.a', 'b.b');
      await events.settled();
      expect(seen).toEqual(['a.a', 'a.a', 'b.b']);
    });

    it('skips an event that never succeeds and says so, once', async () => {
      const noted = createEvents({ db, clock, log, pause: () => Promise.resolve() });
      onTestFinished(() => noted.close());
      const tried: string[] = [];
      const handler = (event: StoredEvent) => {
        tried.push(event.kind);
        return event.kind === 'fine.one' ? Promise.resolve() : Promise.reject(new Error('never'));
      };
      await noted.consume('strict', handler, { from: 'first' });
      await db.write([
        noted.step({ actor: 'test', kind: 'bad.one', subject: 'thing/7', data: {} }),
        noted.step({ actor: 'test', kind: 'fine.one', subject: 'thing/8', data: {} }),
      ]);
      await noted.settled();
      const eight = <T>(value: T) => Array.from({ length: 8 }, () => value);
      expect(tried).toEqual([...eight('bad.one'), 'fine.one', ...eight('consumer.skipped')]);
      const notices = await noted.list({ subject: 'thing/7', limit: 10 });
      expect(kinds(notices)).toEqual(['consumer.skipped', 'bad.one']);
      expect(notices[0]?.data).toMatchObject({ consumer: 'strict', error: 'Error: never' });
    });

    it('is refused a second time under its name, also when another process runs it', async () => {
      const handler = () => Promise.resolve([does('once')]);
      await events.consume('only', handler, { from: 'first' });
      await expect(events.consume('only', handler, { from: 'first' })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      const other = createEvents({ db, clock, log });
      await other.consume('only', handler, { from: 'first' });
      await record('a.a');
      await events.settled();
      await other.settled();
      await other.close();
      expect(await done()).toEqual(['once']);
    });

    it('settles only when events caused by events are handled', async () => {
      const handler = (event: StoredEvent) => {
        const next = Number(event.data['kind']) + 1;
        return Promise.resolve(next > 5 ? [does('five')] : [happened(String(next))]);
      };
      await events.consume('chain', handler, { from: 'first' });
      await record('1');
      await events.settled();
      expect(await done()).toEqual(['five']);
    });
  });

  if (dialect === 'postgres') {
    it('notices events of another process on the same schema', async () => {
      const elsewhere = createEvents({ db: withoutNotices(db), clock: systemClock, log });
      onTestFinished(() => elsewhere.close());
      const seen: string[] = [];
      await elsewhere.consume(
        'remote',
        (event) => {
          seen.push(event.kind);
          return Promise.resolve();
        },
        { from: 'first' },
      );
      await sleep(50);
      await record('far.away');
      for (let waited = 0; seen.length === 0 && waited < 5000; waited += 50) await sleep(50);
      expect(seen).toEqual(['far.away']);
    });
  }
});

/** The same database as another process sees it: without this process's notices. */
function withoutNotices(db: Db): Db {
  return {
    dialect: db.dialect,
    queries: () => db.queries(),
    read: (query) => db.read(query),
    write: (steps) => db.write(steps),
    onCommit: () => () => undefined,
    close: () => Promise.resolve(),
  };
}

function failingQuery(db: Db) {
  return db.queries<{ nowhere: { n: number } }>().insertInto('nowhere').values({ n: 1 });
}

async function openWithTable(open: OpenDatabase): Promise<Db> {
  const db = await open();
  const { text, integer } = columnTypes(db.dialect);
  const table = createTable(db.queries(), db.dialect, 'done')
    .addColumn('id', integer, (column) =>
      db.dialect === 'sqlite'
        ? column.primaryKey().autoIncrement()
        : column.primaryKey().generatedByDefaultAsIdentity(),
    )
    .addColumn('what', text, (column) => column.notNull().check(sql`what <> ''`));
  await db.write([{ query: table }]);
  return db;
}
