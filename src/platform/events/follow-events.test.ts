import { describe, expect, it } from 'vitest';
import { micros } from '../../base/time.ts';
import { followEvents } from './follow-events.ts';
import type { StoredEvent } from './port.ts';

/** A list of events in memory, with the interface a follower reads. */
function recorded(count: number) {
  const listeners = new Set<() => void>();
  const stored: StoredEvent[] = [];
  let reads = 0;
  const add = () => {
    const seq = stored.length + 1;
    stored.push({
      seq,
      wall: micros(1_700_000_000_000_000),
      now: micros(0),
      actor: 'test',
      kind: 'thing.made',
      subject: `thing/${seq}`,
      data: { text: 'two\nlines' },
    });
    for (const listener of listeners) listener();
  };
  for (let n = 0; n < count; n += 1) add();
  const events = {
    after: (seq: number, limit: number) => {
      reads += 1;
      return Promise.resolve(stored.filter((event) => event.seq > seq).slice(0, limit));
    },
    latest: () => Promise.resolve(stored.length),
    onAppend: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { events, add, listeners, reads: () => reads };
}

async function take(stream: AsyncGenerator<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const next = await stream.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

describe('following events', () => {
  it('sends what the follower has not seen, one line of JSON each, with its id', async () => {
    const { events } = recorded(2);
    const { signal } = new AbortController();
    const [retry, first, second] = await take(followEvents({ events, after: 0, signal }), 3);
    expect(retry).toMatch(/^retry: \d+\n\n$/);
    expect(first).toBe(
      'id: 1\ndata: {"seq":1,"wall":"2023-11-14T22:13:20Z","now":"1970-01-01T00:00:00Z",' +
        '"actor":"test","kind":"thing.made","subject":"thing/1","data":{"text":"two\\nlines"}}\n\n',
    );
    expect(second).toMatch(/^id: 2\n/);
  });

  it('sends an event when it is recorded, and only new ones unless asked', async () => {
    const { events, add } = recorded(3);
    const { signal } = new AbortController();
    const stream = followEvents({ events, after: null, signal });
    await take(stream, 1);
    const next = stream.next();
    add();
    expect((await next).value).toMatch(/^id: 4\n/);
  });

  it('shows a quiet connection that it lives', async () => {
    const { events } = recorded(0);
    const { signal } = new AbortController();
    const stream = followEvents({ events, after: 0, signal, heartbeatMs: 5 });
    expect((await take(stream, 3)).slice(1)).toEqual([': still here\n\n', ': still here\n\n']);
  });

  it('reads no further than the follower takes', async () => {
    const { events, reads } = recorded(100_000);
    const { signal } = new AbortController();
    const stream = followEvents({ events, after: 0, signal });
    await take(stream, 50);
    expect(reads()).toBe(1);
    await take(stream, 100);
    expect(reads()).toBe(2);
  });

  it('ends when it is told to, and stops listening', async () => {
    const { events, listeners } = recorded(0);
    const controller = new AbortController();
    const stream = followEvents({ events, after: 0, signal: controller.signal });
    await take(stream, 1);
    const ending = stream.next();
    controller.abort();
    expect(await ending).toEqual({ done: true, value: undefined });
    expect(listeners.size).toBe(0);
  });

  it('stops listening when the follower leaves', async () => {
    const { events, listeners } = recorded(1);
    const { signal } = new AbortController();
    const stream = followEvents({ events, after: 0, signal });
    await take(stream, 2);
    await stream.return();
    expect(listeners.size).toBe(0);
  });
});
