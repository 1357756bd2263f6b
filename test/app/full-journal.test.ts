import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { getLogStatus, listPredictions } from '../../src/capabilities/predictions/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint, traceRequest } from '../../src/capabilities/serving/contract.ts';
import { getHealth, listEvents } from '../../src/capabilities/workspace/contract.ts';
import { versionModel } from '../onnx-model.ts';

/** While the engine is away the journal grows: to its limit, and visibly. */

const params = { endpoint: 'late' };
let app: TestApp;

beforeEach(async () => {
  app = await createTestApp({ journalBytesMax: 20_000 });
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  await app.api.call(putEndpoint, { params, body: { model: 'late' } });
  await app.api.call(deploy, { params, body: { version: 1 } });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function ask(): Promise<{ status: number; id: string; error: string | undefined }> {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
    }),
  });
  const { error } = reply.json<{ error?: string }>();
  return { status: reply.statusCode, id: String(reply.headers['x-request-id']), error };
}

async function text(url: string, method: 'GET' | 'HEAD' = 'GET') {
  const reply = await app.app.http.inject({ method, url, headers: { host: '127.0.0.1' } });
  return { status: reply.statusCode, body: reply.body };
}

test('refuses requests with a full journal, and loses none that it answered', async () => {
  expect((await text('/v2/health/ready')).status).toBe(200);
  expect(await text('/v2/health/ready', 'HEAD')).toEqual({ status: 200, body: '' });
  expect(await text('/health', 'HEAD')).toEqual({ status: 200, body: '' });
  await app.app.platform.engine.stop();
  const answered: string[] = [];
  let last = await ask();
  while (last.status === 200) {
    answered.push(last.id);
    last = await ask();
  }
  expect(last.status).toBe(507);
  expect(last.error).toContain('journal.limit_bytes');
  expect((await ask()).status).toBe(507);
  expect(await text('/v2/health/ready')).toMatchObject({ status: 507 });
  expect(await text('/v2/health/live')).toMatchObject({ status: 200 });

  const status = await app.api.call(getLogStatus, {});
  expect(status).toMatchObject({ answered: answered.length, refused: 2, room: 'full' });
  const health = await app.api.call(getHealth, {});
  expect(health.status).toBe('degraded');
  expect(health.components.find(({ name }) => name === 'prediction log')?.detail).toMatch(
    /^requests are refused: the journal holds 20\d\d\d of 20000 bytes/,
  );
  const kinds = await vi.waitUntil(async () => {
    const { items } = await app.api.call(listEvents, { query: {} });
    // Nobody waits for events like these.
    const found = items.map(({ kind }) => kind).filter((kind) => kind.startsWith('journal.'));
    return found.length < 2 ? null : found;
  });
  expect(kinds).toEqual(['journal.filled', 'journal.half_filled']);
  const metrics = (await text('/metrics')).body;
  expect(metrics).toContain('millwright_predictions_refused_total 2');
  expect(metrics).toMatch(/millwright_journal_bytes 20\d\d\d/);

  for (const requestId of answered) {
    await app.api.call(traceRequest, { params: { requestId } });
  }
  const { folder } = app;
  await app.app.stop();
  app = await createTestApp({ stateFolder: folder, journalBytesMax: 20_000 });
  await app.api.call(traceRequest, { params: { requestId: answered[0]! } });
  expect((await ask()).status).toBe(200);
  const query = { limit: 500 };
  const listed = await app.api.call(listPredictions, { params, query });
  expect(listed.items).toHaveLength(answered.length + 1);
  await app.app.stop();
  await rm(folder, { recursive: true });
  app = await createTestApp();
});
