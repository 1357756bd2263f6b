import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { micros } from '../../src/base/time.ts';
import { noFaults } from '../../src/platform/fault-points.ts';
import {
  DAY,
  decisionLog,
  LAST_DAY,
  openLoopWorld,
  type OpenLoopWorld,
} from '../faults/loop-world.ts';

/** The loop on a replay clock, whatever the steps in which the clock is moved. */

const MINUTES_5 = 300_000;

let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mw-loop-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

async function opened(): Promise<OpenLoopWorld> {
  count += 1;
  return openLoopWorld(mkdtempSync(path.join(root, String(count))), noFaults);
}

async function walked(days: readonly number[]): Promise<readonly string[]> {
  const world = await opened();
  for (const day of [...days, LAST_DAY]) await world.advance(micros(Math.round(day * DAY)));
  const log = await decisionLog(world);
  await world.close();
  return log;
}

test(
  'sixty days are decided the same in one step, by hours, and in any others',
  async () => {
    const once = await walked([]);
    expect(once.map((line) => line.split(' ')[1])).toEqual([
      'admitted',
      'trained',
      'gate_passed',
      'deployed',
      'promoted',
      'excluded',
      'suppressed',
      'exclusion_ended',
      'suppressed',
      'admitted',
      'trained',
      'gate_passed',
      'deployed',
      'rolled_back',
      'suppressed',
      'admitted',
      'trained',
      'rejected',
      'admitted',
      'trained',
      'gate_passed',
      'deployed',
      'promoted',
    ]);
    const hours = Array.from({ length: LAST_DAY * 24 }, (_, hour) => hour / 24);
    expect(await walked(hours)).toEqual(once);
    const anyDays = fc.array(fc.double({ min: 0, max: LAST_DAY, noNaN: true }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(anyDays, async (days) => {
        expect(await walked(days.toSorted((a, b) => a - b))).toEqual(once);
      }),
      { numRuns: 5 },
    );
  },
  MINUTES_5,
);
