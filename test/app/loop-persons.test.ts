import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatInstant, micros } from '../../src/base/time.ts';
import { noFaults } from '../../src/platform/fault-points.ts';
import { DAY, LATE, openLoopWorld, type OpenLoopWorld } from '../faults/loop-world.ts';

/** What persons may ask of a loop, and what stays out of their hands. */

let folder: string;
let world: OpenLoopWorld;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mw-loop-'));
  world = await openLoopWorld(folder, noFaults);
  await world.advance(micros(5 * DAY));
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const ann = { actor: 'ann' };

async function kinds(): Promise<readonly string[]> {
  const { items } = await world.loops.decisions('late', { limit: 100 });
  return items.toReversed().map(({ kind }) => kind);
}

/** Nothing begins by itself. */
const QUIET = { ...LATE, triggers: [{ age: '999d' }] };

/** One version is trained by a first trigger and rejected or rolled back as the world says. */
async function trained(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await world.loops.trigger('late', { reason: 'test', stage: null, ...ann });
    await world.advance(micros(world.clock.now() + 8 * DAY));
  }
}

describe('a trigger by a person', () => {
  test('begins a training, with its reason and who asked', async () => {
    const asked = { reason: 'support tickets.', stage: 'train-other', ...ann };
    const decision = await world.loops.trigger('late', asked);
    expect(decision).toMatchObject({ kind: 'admitted', actor: 'ann', at: '1970-01-06T00:00:00Z' });
    expect(decision.reason).toMatch(/^asked for by ann: support tickets: retrains;/);
    const { instance } = await world.loops.get('late');
    expect(instance).toMatchObject({ state: 'training', pipeline: 'train-other', champion: 1 });
  });

  test('joins the instance under way', async () => {
    await world.loops.trigger('late', { reason: 'one', stage: null, ...ann });
    const second = await world.loops.trigger('late', { reason: 'two', stage: null, ...ann });
    expect(second.kind).toBe('joined');
    await world.advance(micros(9 * DAY));
    const { items } = await world.loops.instances('late', { limit: 10 });
    expect(items.map(({ state, causes }) => [state, causes.length])).toEqual([['promoted', 2]]);
  });

  test('is refused with a reason while the loop is stopped', async () => {
    await world.loops.stop('late', { reason: 'audit', until: null, ...ann });
    const refused = await world.loops.trigger('late', { reason: 'x', stage: null, actor: 'bob' });
    expect(refused.kind).toBe('suppressed');
    expect(refused.reason).toContain('no retrain: stopped by ann: audit');
    const { sentences } = await world.loops.why('late');
    expect(sentences[0]).toBe('Stopped by ann: audit.');
    await world.loops.resume('late', { reason: 'done', ...ann });
    const again = await world.loops.trigger('late', { reason: 'x', stage: null, actor: 'bob' });
    expect(again.kind).toBe('admitted');
  });
});

test('a freeze ends by itself', async () => {
  const until = formatInstant(micros(12.5 * DAY));
  await world.loops.stop('late', { reason: 'launch', until, ...ann });
  await world.advance(micros(14 * DAY));
  expect((await kinds()).slice(0, 3)).toEqual(['stopped', 'suppressed', 'admitted']);
  await expect(world.loops.stop('late', { reason: 'x', until, ...ann })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
});

describe('a challenge', () => {
  beforeEach(() => world.loops.declare('late', QUIET, 'ann'));

  test('meets the gate as any version does', async () => {
    await trained(3);
    const challenged = { version: 4, reason: 'again', override: null, ...ann };
    const decision = await world.loops.challenge('late', challenged);
    expect(decision.kind).toBe('challenged');
    await world.settled();
    expect((await kinds()).at(-1)).toBe('rejected');
    await expect(
      world.loops.challenge('late', { ...challenged, version: 2 }),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('forced through is recorded with who and why, and still guarded', async () => {
    await trained(2);
    const forced = { version: 3, reason: 'demo', override: 'for the board', ...ann };
    await world.loops.challenge('late', forced);
    await world.advance(micros(world.clock.now() + 3 * DAY));
    expect((await kinds()).slice(-4)).toEqual([
      'challenged',
      'gate_passed',
      'deployed',
      'rolled_back',
    ]);
    await trained(1);
    const rejected = { ...forced, version: 4 };
    await world.loops.challenge('late', rejected);
    await world.settled();
    const { items } = await world.loops.decisions('late', { limit: 2 });
    expect(items.map(({ kind }) => kind)).toEqual(['deployed', 'overridden']);
    expect(items[1]).toMatchObject({ actor: 'ann' });
    expect(items[1]?.reason).toMatch(
      /rejected: .+ rolled out all the same by ann: for the board\.$/,
    );
  });

  test('waits while another is under way', async () => {
    await trained(2);
    await world.loops.trigger('late', { reason: 'x', stage: null, ...ann });
    const challenged = { version: 3, reason: 'x', override: null, ...ann };
    await expect(world.loops.challenge('late', challenged)).rejects.toMatchObject({
      code: 'LOOP_BUSY',
    });
    await expect(world.loops.remove('late', 'ann')).rejects.toMatchObject({ code: 'LOOP_BUSY' });
  });
});

describe('with autonomy train', () => {
  beforeEach(async () => {
    await world.loops.declare('late', { ...LATE, autonomy: 'train' }, 'ann');
    await world.advance(micros(11 * DAY));
  });

  test('a version that passed the gate waits for approval', async () => {
    expect(await kinds()).toEqual(['admitted', 'trained', 'held']);
    expect((await world.loops.get('late')).champion?.version).toBe(1);
    await world.loops.approve('late', { reason: 'checked', isDenied: false, actor: 'bob' });
    await world.settled();
    expect((await kinds()).slice(3)).toEqual(['approved', 'deployed']);
    expect((await world.loops.get('late')).champion?.version).toBe(2);
    await expect(
      world.loops.approve('late', { reason: 'x', isDenied: false, actor: 'bob' }),
    ).rejects.toMatchObject({ code: 'NOTHING_TO_APPROVE' });
  });

  test('denial rejects it, and so does silence', async () => {
    await world.loops.approve('late', { reason: 'no', isDenied: true, actor: 'bob' });
    expect((await kinds()).at(-1)).toBe('rejected');
    await world.advance(micros(30 * DAY));
    const { items } = await world.loops.decisions('late', { limit: 100 });
    expect(items.find(({ reason }) => reason.startsWith('Nobody approved v3'))?.kind).toBe(
      'rejected',
    );
  });
});

test('a route that somebody changed under guard is left to them', async () => {
  await world.advance(micros(11 * DAY));
  const { releases } = world.world.ports();
  await releases.rollback({ endpoint: 'late', ifRevision: 2, to: 1, reason: 'by hand' });
  world.world.outside.revisions.at(-1)!.by = 'ann';
  await world.advance(micros(14 * DAY));
  expect((await kinds()).slice(-2)).toEqual(['superseded', 'suppressed']);
});
