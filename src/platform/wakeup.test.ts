import { describe, expect, it } from 'vitest';
import { sleep } from './system.ts';
import { Wakeup } from './wakeup.ts';

describe('a wake-up', () => {
  const { signal } = new AbortController();

  it('ends the wait of its loop', async () => {
    const wakeup = new Wakeup();
    const waiting = wakeup.wait({ signal });
    wakeup.set();
    expect(await waiting).toBe(true);
  });

  it('is not lost between two waits, and counts once', async () => {
    const wakeup = new Wakeup();
    wakeup.set();
    wakeup.set();
    expect(await wakeup.wait({ signal })).toBe(true);
    expect(await wakeup.wait({ signal, ms: 1 })).toBe(false);
  });

  it('lets the wait end by time or by abort, and tells them from being set', async () => {
    const wakeup = new Wakeup();
    expect(await wakeup.wait({ signal, ms: 1 })).toBe(false);
    const controller = new AbortController();
    const waiting = wakeup.wait({ signal: controller.signal });
    await sleep(1);
    controller.abort();
    expect(await waiting).toBe(false);
    expect(await wakeup.wait({ signal: controller.signal })).toBe(false);
  });
});
