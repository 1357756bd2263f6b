import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/app/testing.ts';
import { noFaults } from '../../src/platform/fault-points.ts';
import { openLoopWorld, type OpenLoopWorld } from '../faults/loop-world.ts';

/** On a real clock nothing waits for a training: its end moves the instance on, whenever it is. */

const DAY_MS = 86_400_000;
const MINUTES_10 = 600_000;

let folder: string;
let clock: ManualClock;
let world: OpenLoopWorld;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-loop-live-'));
  clock = new ManualClock('1970-01-01T00:00:00Z');
  world = await openLoopWorld(folder, noFaults, clock);
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  while ((await world.fire()) > 0) await world.settled();
}

async function newest() {
  const { items } = await world.loops.decisions('late', { limit: 1 });
  return items[0];
}

async function endTraining(): Promise<void> {
  const { instance } = await world.loops.get('late');
  const run = instance!.pipelineRun!;
  world.world.finish(run);
  const subject = `pipeline/${run}`;
  const data = { state: 'succeeded', error: null };
  await world.record({ actor: 'loop', kind: 'pipeline.finished', subject, data });
  await world.settled();
}

test('a training is followed up when it ends, not when it was expected to', async () => {
  for (let day = 1; day <= 10; day += 1) await pass(DAY_MS);
  expect(await newest()).toMatchObject({ kind: 'admitted', at: '1970-01-11T00:00:00Z' });
  await pass(MINUTES_10);
  expect((await world.loops.get('late')).instance?.state).toBe('training');
  await endTraining();
  expect(await newest()).toMatchObject({ kind: 'deployed', at: '1970-01-11T00:10:00Z' });
  for (let quarter = 1; quarter <= 9; quarter += 1) await pass(DAY_MS / 4);
  expect((await newest())?.kind).toBe('promoted');
  expect(world.world.outside.champion).toBe(2);
});

test('one that takes longer than expected is waited for', async () => {
  for (let day = 1; day <= 11; day += 1) await pass(DAY_MS);
  const { instance } = await world.loops.get('late');
  expect(instance?.state).toBe('training');
  await endTraining();
  expect((await newest())?.kind).toBe('deployed');
});
