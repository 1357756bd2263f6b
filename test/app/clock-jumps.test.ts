import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import {
  getLogStatus,
  getTraffic,
  listPredictions,
  postLabels,
} from '../../src/capabilities/predictions/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import {
  deploy,
  listRevisions,
  putEndpoint,
  traceRequest,
} from '../../src/capabilities/serving/contract.ts';
import { createTable, getTable } from '../../src/capabilities/tables/contract.ts';
import { getHealth, listEvents } from '../../src/capabilities/workspace/contract.ts';
import { versionModel } from '../onnx-model.ts';

/** The machine's clock is set wrong, then right again: nothing is lost, doubled or out of order. */

const HOUR_MS = 3_600_000;
const params = { endpoint: 'late' };
let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  for (const version of [1, 2]) {
    const bytes = versionModel({ version });
    await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  }
  await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function ask(flight: string): Promise<string> {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      parameters: { flight },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
    }),
  });
  return String(reply.headers['x-request-id']);
}

/** Looking for what nobody knows flushes the journal first. */
async function flush(): Promise<void> {
  const params = { requestId: 'nobody' };
  await app.api.call(traceRequest, { params }).catch(() => undefined);
}

test('hours forward and back again', async () => {
  const ids: string[] = [];
  for (const [index, hours] of [0, 5, -10, 3, 400, -800].entries()) {
    app.clock.advance(hours * HOUR_MS);
    await app.api.call(deploy, { params, body: { version: 1 + (index % 2) } });
    ids.push(await ask(`A${index}`));
    await flush();
    ids.push(await ask(`B${index}`));
  }
  expect(new Set(ids).size).toBe(ids.length);
  // Ids of one process sort by creation, whatever its clock says.
  expect(ids.toSorted()).toEqual(ids);
  await flush();
  const { items } = await app.api.call(listPredictions, { params, query: {} });
  expect(items.map(({ requestId }) => requestId)).toEqual(ids.toReversed());
  for (const [index, requestId] of ids.entries()) {
    const { prediction } = await app.api.call(traceRequest, { params: { requestId } });
    expect(prediction.routeRevision).toBe(1 + Math.floor(index / 2));
  }
  const body = { labels: [{ endpoint: 'late', key: 'A2', value: 1 }] };
  expect(await app.api.call(postLabels, { body })).toEqual({ accepted: 1 });
  expect(await app.api.call(getLogStatus, {})).toMatchObject({
    answered: ids.length,
    flushed: ids.length,
    lastFlushError: null,
  });
  const revisions = await app.api.call(listRevisions, { params, query: {} });
  expect(revisions).toMatchObject({ chainIntact: true });
  expect((await app.api.call(getTraffic, { query: {} })).points.length).toBeGreaterThan(0);
  expect(await app.api.call(getHealth, {})).toMatchObject({ status: 'ok' });
});

test('a batch is in once and events keep their order, whatever the clock says', async () => {
  await app.api.call(createTable, {
    body: { namespace: 'lab', name: 'rows', columns: [{ name: 'n', type: 'long' }] },
  });
  const append = async (batch: string, query = `batch=${batch}`) => {
    const reply = await app.app.http.inject({
      method: 'POST',
      url: `/api/v1/tables/lab/rows/rows?${query}`,
      headers: { 'content-type': 'application/x-ndjson', host: '127.0.0.1' },
      payload: '{"n":1}\n',
    });
    return reply.json<{ rows: number; duplicate: boolean; version: number }>();
  };
  const versions: number[] = [];
  for (const [index, hours] of [0, 5, -10, 3, 20, -30].entries()) {
    app.clock.advance(hours * HOUR_MS);
    const added = await append(`b${index}`);
    expect(added).toMatchObject({ rows: 1, duplicate: false });
    versions.push(added.version);
    for (let former = 0; former <= index; former += 1) {
      expect(await append(`b${former}`)).toMatchObject({ duplicate: true });
    }
    const sequence = `stream=s&sequence=${index + 1}`;
    expect(await append('', sequence)).toMatchObject({ rows: 1, duplicate: false });
    expect(await append('', sequence)).toMatchObject({ duplicate: true });
  }
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  const table = await app.api.call(getTable, {
    params: { namespace: 'lab', name: 'rows' },
    query: {},
  });
  expect(table.rows).toBe(12);
  const { items } = await app.api.call(listEvents, { query: { subject: 'table/lab.rows' } });
  const seqs = items.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => b - a));
});
