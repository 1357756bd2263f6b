import { afterEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { advanceClock, EVENT_STREAM_PATH, getHealth, getStatus, listEvents } from './contract.ts';

let app: TestApp;

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

function advance(to: string) {
  return app.api.call(advanceClock, { body: { to } });
}

async function record(subject: string): Promise<void> {
  const { db, events } = app.app.platform;
  await db.write([events.step({ actor: 'test', kind: 'thing.happened', subject, data: {} })]);
}

describe('a live workspace', () => {
  test('tells its state', async () => {
    app = await createTestApp();
    expect(await app.api.call(getStatus, {})).toMatchObject({
      name: 'test',
      clock: 'live',
      now: '2001-03-01T00:00:00Z',
      database: 'sqlite',
    });
    expect(await app.api.call(getHealth, {})).toMatchObject({ status: 'ok' });
  });

  test('has no clock to move', async () => {
    app = await createTestApp();
    await expect(advance('2030-01-01T00:00:00Z')).rejects.toMatchObject({ code: 'CLOCK_IS_LIVE' });
  });
});

describe('a replay workspace', () => {
  test('moves only when told to, only forward, and remembers', async () => {
    app = await createTestApp({ clock: 'replay' });
    app.clock.advance(3_600_000);
    expect((await app.api.call(getStatus, {})).now).toBe('1970-01-01T00:00:00Z');
    expect(await advance('2001-01-31T00:00:00+01:00')).toEqual({
      now: '2001-01-30T23:00:00Z',
      fired: 0,
    });
    await expect(advance('2001-01-01T00:00:00Z')).rejects.toMatchObject({
      code: 'CLOCK_BACKWARDS',
    });
    const { folder } = app;
    await app.app.stop();
    const asLive = createTestApp({ stateFolder: folder, clock: 'live' });
    await expect(asLive).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
    app = await createTestApp({ stateFolder: folder });
    const status = await app.api.call(getStatus, {});
    expect(status).toMatchObject({ clock: 'replay', now: '2001-01-30T23:00:00Z' });
  });

  test('keeps the later of two advances at once, also after a restart', async () => {
    app = await createTestApp({ clock: 'replay' });
    const [late, early] = await Promise.allSettled([
      advance('2001-02-01T00:00:00Z'),
      advance('2001-01-01T00:00:00Z'),
    ]);
    expect([late.status, early.status]).toEqual(['fulfilled', 'rejected']);
    const { folder } = app;
    await app.app.stop();
    app = await createTestApp({ stateFolder: folder });
    expect((await app.api.call(getStatus, {})).now).toBe('2001-02-01T00:00:00Z');
  });

  test('fires what is due on the way at its own time', async () => {
    app = await createTestApp({ clock: 'replay' });
    await advance('2001-01-01T00:00:00Z');
    const { timers, db, clock } = app.app.platform;
    const seen: number[] = [];
    timers.handle('test.note', async () => void seen.push(clock.now()));
    const start = clock.now();
    const due = (seconds: number) => (start + seconds * 1_000_000) as typeof start;
    const set = (subject: string, seconds: number) =>
      timers.schedule({
        handler: 'test.note',
        subject,
        clock: 'now',
        due: due(seconds),
        payload: {},
      });
    await db.write([set('second', 20), set('first', 10), set('later', 100)]);
    expect((await advance('2001-01-01T00:00:30Z')).fired).toBe(2);
    expect(seen).toEqual([due(10), due(20)]);
  });
});

describe('events', () => {
  test('are listed newest first, by subject and page by page', async () => {
    app = await createTestApp();
    for (const name of ['one', 'two', 'three']) await record(`thing/${name}`);
    const page = await app.api.call(listEvents, { query: { limit: 2 } });
    expect(page.items.map(({ subject }) => subject)).toEqual(['thing/three', 'thing/two']);
    expect(page.items[0]).toMatchObject({ kind: 'thing.happened', actor: 'test' });
    const cursor = page.nextCursor ?? '';
    const rest = await app.api.call(listEvents, { query: { limit: 2, cursor } });
    expect(rest.items.map(({ subject }) => subject)).toEqual(['thing/one']);
    const one = await app.api.call(listEvents, { query: { subject: 'thing/two' } });
    expect(one.items).toHaveLength(1);
  });

  test('are followed over a socket from where the follower was', async () => {
    app = await createTestApp();
    await record('thing/before');
    const url = await app.app.listen(0);
    const stop = new AbortController();
    const response = await fetch(`${url}${EVENT_STREAM_PATH}?after=0`, { signal: stop.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const seen: string[] = [];
    const decoder = new TextDecoder();
    await record('thing/after');
    for await (const chunk of response.body ?? []) {
      seen.push(decoder.decode(chunk));
      if (seen.join('').includes('thing/after')) break;
    }
    expect(seen.join('')).toContain('thing/before');
    stop.abort();
  });
});
