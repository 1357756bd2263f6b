import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import type { PlanPart } from '../../platform/capability.ts';
import { registerModel } from '../registry/contract.ts';
import { deploy, getEndpoint, putEndpoint, type EndpointSpec } from './contract.ts';
import { endpointsPlan } from './plan.ts';
import { ServingStore } from './store.ts';

let app: TestApp;
let part: PlanPart;

const params = { endpoint: 'late' };

beforeEach(async () => {
  app = await createTestApp();
  const store = new ServingStore(app.app.platform.db);
  const serving = {
    stored: (name: string) => store.findEndpoint(name),
    servicesInUse: () => store.servicesInUse(),
    put: (endpoint: string, body: EndpointSpec) =>
      app.api.call(putEndpoint, { params: { endpoint }, body }),
  };
  const features = { has: (name: string) => Promise.resolve(name === 'there') };
  part = endpointsPlan({ serving, features });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

const guard = { requests: 4000, for: '2d' };
const LATE = {
  model: 'late',
  service: 'late_v1',
  key: 'flight_id',
  rollout: { strategy: 'blue-green', guard },
  log: { durability: 'async' },
};
const services = { late_v1: {} };

function declared(late: object, more: object = { services }) {
  return { endpoints: { late }, ...more };
}

describe('the section endpoints', () => {
  test('makes an endpoint before its model has a version, once', async () => {
    const plan = await part.plan(declared(LATE));
    expect(plan).toEqual([
      {
        action: 'create',
        kind: 'endpoint',
        name: 'late',
        summary:
          'model late, service late_v1, key flight_id, ' +
          'blue-green with a guard of 4000 requests and 2d',
      },
    ]);
    expect(await part.apply(declared(LATE), 'ada')).toEqual(plan);
    expect(await app.api.call(getEndpoint, { params })).toMatchObject({
      model: 'late',
      service: 'late_v1',
      key: 'flight_id',
      rollout: { strategy: 'blue-green', guard },
      route: null,
    });
    expect(await part.plan(declared(LATE))).toEqual([]);
    expect(await part.apply(declared(LATE), 'ada')).toEqual([]);
  });

  test('says what changes, and leaves alone what the file does not name', async () => {
    await part.apply(declared(LATE), 'ada');
    const body = { model: 'other' };
    await app.api.call(putEndpoint, { params: { endpoint: 'other' }, body });
    const { rollout: _, ...rest } = LATE;
    const changed = declared({ ...rest, key: 'flight', log: { durability: 'sync' } });
    expect((await part.plan(changed)).map(({ summary }) => summary)).toEqual([
      'key flight_id → flight, durability async → sync, rollout blue-green with a guard of ' +
        '4000 requests and 2d → none',
    ]);
    expect(await part.plan({})).toEqual([]);
  });

  test('takes no service that the same file removes', async () => {
    const there = { model: 'late', service: 'there' };
    await expect(part.plan(declared(there, {}))).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      details: { path: ['endpoints', 'late', 'service'] },
    });
    const body = { model: 'late', service: 'there' };
    await app.api.call(putEndpoint, { params, body });
    await expect(part.plan({})).rejects.toThrow('there would be removed, but the endpoint late');
    expect(await part.plan({ services: { there: {} } })).toEqual([]);
    expect(await part.plan(declared({ model: 'late' }, {}))).toHaveLength(1);
  });

  test('lets no service go that requests are answered with', async () => {
    const { db } = app.app.platform;
    const bytes = versionModel({ version: 1 });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
    await app.api.call(putEndpoint, { params, body: { model: 'late' } });
    await app.api.call(deploy, { params, body: { version: 1 } });
    const features = JSON.stringify({ service: 'there', definition: 'd1' });
    const tables = db.queries<{ serving_revisions: { features: string } }>();
    await db.write([{ query: tables.updateTable('serving_revisions').set({ features }) }]);
    await expect(part.plan(declared({ model: 'late' }, {}))).rejects.toThrow('would be removed');
  });

  test('keeps the model of an endpoint that was deployed', async () => {
    await part.apply(declared({ model: 'late' }), 'ada');
    await part.apply(declared({ model: 'renamed' }), 'ada');
    await app.api.call(
      registerModel,
      { params: { model: 'renamed' }, query: {} },
      { bytes: versionModel({ version: 1 }) },
    );
    await app.api.call(deploy, { params, body: { version: 1 } });
    await expect(part.plan(declared({ model: 'late' }))).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      details: { path: ['endpoints', 'late', 'model'] },
    });
    const plan = await part.plan(declared({ model: 'renamed', service: 'late_v1' }));
    expect(plan[0]?.summary).toBe('service none → late_v1 (with the next deployment)');
  });

  test.each([
    ['an unknown service', { ...LATE, service: 'late_v' }, ['service'], 'Did you mean late_v1?'],
    ['an unknown setting', { ...LATE, kee: 'x' }, ['kee'], 'Did you mean key?'],
    ['an unknown log setting', { ...LATE, log: { durabilty: 'x' } }, ['log', 'durabilty'], ''],
    ['no model', { service: 'late_v1' }, ['model'], ''],
    ['another strategy', { ...LATE, rollout: { strategy: 'x' } }, ['rollout', 'strategy'], ''],
    [
      'a guard for no time',
      { ...LATE, rollout: { ...LATE.rollout, guard: { requests: 1, for: '2' } } },
      ['rollout', 'guard', 'for'],
      '',
    ],
    ['null', null, [], ''],
  ])('refuses %s and names its place', async (_, late, at, hint) => {
    const error = await part.plan({ endpoints: { late }, services }).catch((it: unknown) => it);
    expect(error).toMatchObject({
      code: 'INVALID_CONFIG',
      details: { path: ['endpoints', 'late', ...at] },
    });
    expect(String((error as { hint?: string }).hint)).toContain(hint === '' ? '' : hint);
  });

  test('refuses a name that is none', async () => {
    await expect(part.plan({ endpoints: { 'no name': LATE } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    });
  });
});
