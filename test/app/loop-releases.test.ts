import { afterEach, beforeEach, expect, test } from 'vitest';
import { loopReleases } from '../../src/app/loop-versions.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import type { LoopPorts } from '../../src/capabilities/loop/ports.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import {
  deploy,
  drillRollback,
  putEndpoint,
  rollback,
} from '../../src/capabilities/serving/contract.ts';
import { ServingStore } from '../../src/capabilities/serving/store.ts';
import { versionModel } from '../onnx-model.ts';

/** Routes as a loop sees and changes them, on the real serving. */

const params = { endpoint: 'late' };
let app: TestApp;
let releases: LoopPorts['releases'];

beforeEach(async () => {
  app = await createTestApp();
  for (const version of [1, 2]) {
    const bytes = versionModel({ version });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  }
  await app.api.call(putEndpoint, { params, body: { model: 'late' } });
  for (const version of [1, 2]) await app.api.call(deploy, { params, body: { version } });
  releases = loopReleases({
    serving: {
      deploy: ({ version, reason, ifRevision }) =>
        app.api.call(deploy, { params, body: { version, reason, ifRevision } }),
      rollback: ({ reason, to, ifRevision }) =>
        app.api.call(rollback, { params, body: { reason, to, ifRevision } }),
    },
    endpoints: new ServingStore(app.app.platform.db),
    catalog: { setAlias: () => Promise.resolve() },
  });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function drill(): Promise<void> {
  await app.api.call(drillRollback, { params, body: {} });
}

test('a drill is no change of route to a loop', async () => {
  const before = await releases.current('late');
  expect(before).toMatchObject({ version: 2, revision: 2 });
  await drill();
  await drill();
  expect(await releases.current('late')).toEqual(before);
});

test('a loop goes back past a drill that came between', async () => {
  await drill();
  const back = { endpoint: 'late', to: 1, ifRevision: 2, reason: 'guard' };
  expect(await releases.rollback(back)).toBe(5);
  expect(await releases.current('late')).toMatchObject({ version: 1, revision: 5 });
});

test('a loop does not act on a route that somebody changed, drills or not', async () => {
  await app.api.call(deploy, { params, body: { version: 1 } });
  await drill();
  const change = { endpoint: 'late', version: 2, ifRevision: 2, reason: 'gate' };
  await expect(releases.deploy(change)).rejects.toMatchObject({ code: 'STALE_REVISION' });
});
