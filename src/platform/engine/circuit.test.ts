import { beforeEach, expect, test } from 'vitest';
import { Circuit } from './circuit.ts';

let now: number;
let circuit: Circuit;

beforeEach(() => {
  now = 1_000_000;
  circuit = new Circuit({ elapsed: () => now });
});

/** The pauses after engines that each lived as long; what was paused for passes too. */
function pauses(count: number, livedMs: number): readonly number[] {
  return Array.from({ length: count }, () => {
    circuit.started();
    now += livedMs;
    const pause = circuit.died();
    now += pause;
    return pause;
  });
}

test('starts the next at once while few have died', () => {
  expect(pauses(5, 10)).toEqual([50, 50, 50, 50, 50]);
  expect(circuit.isOpen).toBe(false);
});

test('waits longer with each that dies, up to a minute', () => {
  pauses(5, 10);
  expect(pauses(6, 10)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(circuit).toMatchObject({ isOpen: true, deaths: 11 });
});

test('an engine that lives long before it dies keeps the circuit closed', () => {
  expect(pauses(20, 30_000)).toEqual(Array.from({ length: 20 }, () => 50));
});

test('is closed by an engine that has lived through the window', () => {
  pauses(8, 10);
  circuit.started();
  expect(circuit.trialMs).toBe(60_000);
  now += 59_000;
  expect(circuit.trialMs).toBe(1000);
  expect(circuit.died()).toBe(40_000);
  circuit.started();
  now += 60_000;
  expect(circuit.trialMs).toBe(0);
  expect(circuit.died()).toBe(50);
  expect(circuit).toMatchObject({ isOpen: false, deaths: 1, trialMs: null });
});
