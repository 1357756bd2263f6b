import { beforeEach, expect, test } from 'vitest';
import { Heartbeat } from './heartbeat.ts';

const limits = { everyMs: 10, unresponsiveMs: 100, hungMs: 1000, busyMs: 5000 };

let now: number;
let cpu: number | null;
let heartbeat: Heartbeat;

beforeEach(() => {
  now = 0;
  cpu = 0;
  heartbeat = new Heartbeat({ clock: { elapsed: () => now }, limits, cpuUsed: () => cpu });
});

/** Looks every ten milliseconds and tells when it first was hung. */
function hungAfter(untilMs: number, each: () => void): number | null {
  while (now < untilMs) {
    now += 10;
    each();
    if (heartbeat.isHung()) return now;
  }
  return null;
}

test('is well while it is heard', () => {
  expect(hungAfter(20_000, () => heartbeat.heard())).toBeNull();
  expect(heartbeat.isUnresponsive).toBe(false);
});

test('is unresponsive before it is hung, and well again when it is heard', () => {
  expect(hungAfter(500, () => undefined)).toBeNull();
  expect(heartbeat.isUnresponsive).toBe(true);
  heartbeat.heard();
  expect(heartbeat.isUnresponsive).toBe(false);
});

test('is hung after silence without CPU time', () => {
  const at = hungAfter(20_000, () => undefined);
  expect(at).toBeGreaterThanOrEqual(1000);
  expect(at).toBeLessThanOrEqual(1030);
});

test('counts from the last use of CPU', () => {
  const at = hungAfter(20_000, () => {
    if (now <= 3000) cpu = now;
  });
  expect(at).toBeGreaterThanOrEqual(4000);
  expect(at).toBeLessThanOrEqual(4030);
});

test.each([
  ['that computes on and on', () => (cpu = now)],
  ['whose CPU time nobody tells', () => (cpu = null)],
])('is hung in the end when it is one %s', (_, each) => {
  const at = hungAfter(20_000, each);
  expect(at).toBeGreaterThanOrEqual(5000);
  expect(at).toBeLessThanOrEqual(5030);
});

test('is not blamed for what this process missed while it was stopped itself', () => {
  expect(hungAfter(100, () => heartbeat.heard())).toBeNull();
  now += 60_000;
  expect(heartbeat.isHung()).toBe(false);
  expect(heartbeat.isUnresponsive).toBe(false);
});
