import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { loopCommands } from '../../src/capabilities/loop/commands.ts';
import { getLoop, listDecisions, listLoops } from '../../src/capabilities/loop/contract.ts';
import { applyDeclared, planDeclared } from '../../src/capabilities/workspace/contract.ts';
import { createOutput } from '../../src/platform/cli/output.ts';

/** The section `loops`, and the commands of a loop that has nothing to do yet. */

let app: TestApp;

const LATE = { pipeline: 'train', triggers: ['quality', { age: '60d' }], autonomy: 'full' };
const endpoints = { late: { model: 'late' }, early: { model: 'late' } };

beforeEach(async () => {
  app = await createTestApp();
});
afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

function apply(loops: object) {
  return app.api.call(applyDeclared, { body: { declared: { endpoints, loops } } });
}

describe('declared loops', () => {
  test('are made, changed and removed as the file says', async () => {
    const made = await apply({ late: LATE });
    expect(made.changes.at(-1)).toEqual({
      action: 'create',
      kind: 'loop',
      name: 'late',
      summary: 'train on quality, {age:60d}; autonomy full',
    });
    expect((await apply({ late: LATE })).changes).toEqual([]);
    const { policy } = await app.api.call(getLoop, { params: { loop: 'late' } });
    const changed = await apply({ late: { ...LATE, cooldown: '9d' } });
    expect(changed.changes.map(({ summary }) => summary)).toEqual(['cooldown 7d → 9d']);
    const after = await app.api.call(getLoop, { params: { loop: 'late' } });
    expect(after.policy).not.toBe(policy);
    expect(after).toMatchObject({ champion: null, instance: null, stopped: null });
    const removed = await apply({});
    expect(removed.changes.map(({ action, name }) => [action, name])).toEqual([['remove', 'late']]);
    expect((await app.api.call(listLoops, { query: {} })).items).toEqual([]);
  });

  test.each([
    ['an unknown endpoint', { lost: LATE }, ['loops', 'lost']],
    [
      'two loops of one endpoint',
      { late: LATE, other: { ...LATE, endpoint: 'late' } },
      ['loops', 'other'],
    ],
    [
      'a trigger twice',
      { late: { ...LATE, triggers: ['quality', 'quality'] } },
      ['loops', 'late', 'triggers'],
    ],
    ['an unknown setting', { late: { ...LATE, holdouts: '3d' } }, ['loops', 'late', 'holdouts']],
    ['a holdout of hours', { late: { ...LATE, holdout: '12h' } }, ['loops', 'late', 'holdout']],
  ])('are refused with %s', async (_, loops, at) => {
    const body = { declared: { endpoints, loops } };
    await expect(app.api.call(planDeclared, { body })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      details: { path: at },
    });
  });
});

describe('the commands', () => {
  let printed = '';
  let status = 0;

  async function run(...words: string[]): Promise<string> {
    const program = new Command().exitOverride();
    printed = '';
    status = 0;
    const sink = { write: (text: string) => (printed += text) };
    loopCommands(program, {
      withApi: (action) => action(app.api),
      out: createOutput({ isJson: false, sink }),
      declaration: () => {
        throw new Error('not asked for');
      },
      endWith: (ended) => {
        status = ended;
      },
    });
    await program.parseAsync(['node', 'millwright', 'loop', ...words]);
    return printed;
  }

  test('tell of a loop that has nothing to do', async () => {
    expect(await run('ls')).toContain('No loops yet');
    await apply({ late: LATE });
    expect(await run('ls')).toContain('late');
    expect(await run('status', 'late')).toMatch(
      /^late {3}no champion · idle · budget 0 of 8 retrains in 30d {3}policy [0-9a-f]{12}\n$/,
    );
    expect(await run('why', 'late')).toMatch(/^No evaluation of its monitor yet/);
    await expect(run('why', 'lost')).rejects.toMatchObject({ code: 'LOOP_NOT_FOUND' });
  });

  test('record what a person decides, and show a refusal in the exit status', async () => {
    await apply({ late: LATE });
    await run('stop', 'late', '--reason', 'audit');
    expect(printed).toContain('stopped  Stopped by test: audit.');
    expect(await run('status', 'late')).toContain('stopped by test: audit');
    await run('trigger', 'late', '--reason', 'now');
    expect(printed).toContain(
      'suppressed  asked for by test: now; no retrain: nothing is deployed',
    );
    expect(status).toBe(1);
    await run('resume', 'late', '--reason', 'done');
    expect(status).toBe(0);
    expect((await run('decisions', 'late')).split('\n').map((line) => line.split('  ')[2])).toEqual(
      ['resumed', 'suppressed', 'stopped', undefined],
    );
    const { items } = await app.api.call(listDecisions, { params: { loop: 'late' }, query: {} });
    expect(items[1]).toMatchObject({ kind: 'suppressed', actor: 'test', instance: null });
    await expect(run('approve', 'late', '--reason', 'x')).rejects.toMatchObject({
      code: 'NOTHING_TO_APPROVE',
    });
    await expect(run('challenge', 'late', '2')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
