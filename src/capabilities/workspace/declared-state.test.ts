import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import type { PlannedChange, PlanPart } from '../../platform/capability.ts';
import { listEvents, planDeclared } from './contract.ts';
import { DeclaredState } from './declared-state.ts';

let app: TestApp;
/** What is: names that the part below made. */
let made: Set<string>;

beforeEach(async () => {
  app = await createTestApp();
  made = new Set();
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

const part: PlanPart = {
  sections: ['views'],
  plan: async ({ views }) =>
    Object.keys(views ?? {})
      .filter((name) => !made.has(name))
      .map((name): PlannedChange => ({ action: 'create', kind: 'view', name, summary: '' })),
  apply: async (declared) => {
    const changes = await part.plan(declared);
    for (const { name } of changes) made.add(name);
    return changes;
  },
};

function state(...parts: readonly PlanPart[]): DeclaredState {
  const { db, events } = app.app.platform;
  return new DeclaredState({ parts, db, events });
}

const declared = { views: { a: {}, b: {} } };

test('says what would change, changes it once, and tells of it', async () => {
  const under = state(part);
  const plan = await under.plan(declared);
  expect(plan.changes.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(made.size).toBe(0);
  const applied = await under.apply(declared, { plan: plan.id, actor: 'ada' });
  expect(applied.changes).toEqual(plan.changes);
  const again = await under.apply(declared, { plan: undefined, actor: 'ada' });
  expect(again.changes).toEqual([]);
  const { items } = await app.api.call(listEvents, { query: { subject: 'workspace' } });
  expect(items.map(({ kind, actor }) => ({ kind, actor }))).toEqual([
    { kind: 'workspace.applied', actor: 'ada' },
  ]);
});

test('records that somebody looked, and how many differences there were', async () => {
  const under = state(part);
  const { id } = await under.compare(declared, 'ada');
  await under.apply(declared, { plan: id, actor: 'ada' });
  await under.compare(declared, 'grace');
  const { items } = await app.api.call(listEvents, { query: { subject: 'workspace' } });
  const looks = items.filter(({ kind }) => kind === 'workspace.planned');
  expect(looks.map(({ actor, data }) => [actor, data['differences']])).toEqual([
    ['grace', 0],
    ['ada', 2],
  ]);
});

test('refuses a plan that no longer holds', async () => {
  const under = state(part);
  const { id } = await under.plan(declared);
  made.add('a');
  const late = under.apply(declared, { plan: id, actor: 'ada' });
  await expect(late).rejects.toMatchObject({ code: 'STALE_PLAN' });
  expect([...made]).toEqual(['a']);
});

test('changes nothing when a later part finds a mistake', async () => {
  const broken: PlanPart = {
    sections: ['endpoints'],
    plan: () => Promise.reject(new Error('no')),
    apply: async () => [],
  };
  const applied = state(part, broken).apply(declared, { plan: undefined, actor: 'ada' });
  await expect(applied).rejects.toThrow('no');
  expect(made.size).toBe(0);
});

test('two applies at once change everything once', async () => {
  const under = state(part);
  const both = await Promise.all(
    ['ada', 'bob'].map((actor) => under.apply(declared, { plan: undefined, actor })),
  );
  expect(both.map(({ changes }) => changes.length)).toEqual([2, 0]);
});

test('refuses unknown sections', async () => {
  await expect(
    app.api.call(planDeclared, { body: { declared: { view: {} } } }),
  ).rejects.toMatchObject({ code: 'INVALID_CONFIG', details: { path: ['view'] } });
});
