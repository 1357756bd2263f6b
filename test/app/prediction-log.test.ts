import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionModel } from '../onnx-model.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint, traceRequest } from '../../src/capabilities/serving/contract.ts';
import { readRows } from '../../src/capabilities/tables/contract.ts';
import {
  getLogStatus,
  getTraffic,
  getTrafficHistory,
  LIST_CHARS_MAX,
  listPredictions,
  postLabels,
  type LabelInput,
} from '../../src/capabilities/predictions/contract.ts';

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  const params = { endpoint: 'late' };
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
  await app.api.call(deploy, { params, body: { version: 1 } });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function ask(flight: string, rows = 1): Promise<string> {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      parameters: { flight },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 3], data: Array(rows * 3).fill(1) }],
    }),
  });
  return String(reply.headers['x-request-id']);
}

function label(...labels: LabelInput[]) {
  return app.api.call(postLabels, { body: { labels } });
}

async function flush(): Promise<void> {
  // Asking for something unknown flushes what there is.
  await label({ endpoint: 'late', requestId: 'nobody', value: 1 }).catch(() => undefined);
}

async function labelsOf(requestId: string): Promise<unknown> {
  const trace = await app.api.call(traceRequest, { params: { requestId } });
  return trace.labels.map(({ value, revision }) => [revision, value]);
}

interface ListOf {
  readonly from?: string;
  readonly until?: string;
  readonly version?: number;
  readonly failed?: 'true' | 'false';
}

function list(query: { limit?: number; cursor?: string } = {}) {
  return app.api.call(listPredictions, { params: { endpoint: 'late' }, query });
}

/** The online store of a test app is gone with it. */
async function restart(): Promise<void> {
  const { folder } = app;
  await app.app.stop();
  app = await createTestApp({ stateFolder: folder });
}

describe('labels', () => {
  test('reach a request by id and by key, before and after the flush', async () => {
    const first = await ask('AA1');
    await label({ endpoint: 'late', requestId: first, value: true });
    await flush();
    await label({ endpoint: 'late', key: 'AA1', value: false });
    expect(await labelsOf(first)).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  test('of a key go to its newest request', async () => {
    const former = await ask('AA2');
    await flush();
    const newest = await ask('AA2');
    await label({ endpoint: 'late', key: 'AA2', value: 'late' });
    expect(await labelsOf(newest)).toEqual([[1, 'late']]);
    expect(await labelsOf(former)).toEqual([]);
  });

  test('are refused together when one request is unknown', async () => {
    const known = await ask('AA3');
    const both = label(
      { endpoint: 'late', requestId: known, value: 1 },
      { endpoint: 'late', key: 'nobody', value: 1 },
    );
    await expect(both).rejects.toMatchObject({ code: 'REQUEST_NOT_FOUND' });
    expect(await labelsOf(known)).toEqual([]);
  });

  test('need exactly one address', async () => {
    const both = label({ endpoint: 'late', requestId: 'a', key: 'b', value: 1 });
    await expect(both).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const none = label({ endpoint: 'late', value: 1 });
    await expect(none).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('refuse a time that microseconds do not hold', async () => {
    const id = await ask('AA5');
    for (const at of [
      '0000-01-01T00:00:00Z',
      '9999-12-31T00:00:00Z',
      `2001-01-01T00:00:00.${'1'.repeat(10)}Z`,
    ]) {
      const late = label({ endpoint: 'late', requestId: id, value: 1, at });
      await expect(late).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  test('are looked for without flushing when none wait', async () => {
    const first = await ask('AA6');
    await label({ endpoint: 'late', requestId: first, value: 1 });
    expect(await labelsOf(first)).toEqual([[1, 1]]);
    const second = await ask('AA7');
    expect(await labelsOf(second)).toEqual([]);
    const trace = await app.api.call(traceRequest, { params: { requestId: second } });
    expect(trace.prediction.source).toBe('journal');
  });

  test('survive a restart', async () => {
    const id = await ask('AA4');
    await label({ endpoint: 'late', requestId: id, value: 3.5, at: '2001-03-01T05:00:00+01:00' });
    await restart();
    const { labels } = await app.api.call(traceRequest, { params: { requestId: id } });
    expect(labels).toEqual([
      { requestId: id, value: 3.5, at: '2001-03-01T04:00:00Z', revision: 1 },
    ]);
  });
});

describe('the list of predictions', () => {
  test('goes on from the journal into the table without a gap', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await ask(`B${index}`));
    await flush();
    for (let index = 5; index < 9; index += 1) ids.push(await ask(`B${index}`));
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ requestId }) => requestId));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(ids.toReversed());
  });

  test.each([
    ['the journal', 0],
    ['the table', 1],
  ])('has short pages while its records are long, in %s', async (_, flushes) => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) ids.push(await ask(`C${index}`, 10_000));
    for (let done = 0; done < flushes; done += 1) await flush();
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await list(cursor === undefined ? {} : { cursor });
      seen.push(...page.items.map(({ requestId }) => requestId));
      sizes.push(JSON.stringify(page.items).length);
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(ids.toReversed());
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThan(LIST_CHARS_MAX * 1.1);
  });

  test('is empty before the first request', async () => {
    expect(await list()).toEqual({ items: [], nextCursor: null });
  });
});

describe('the log', () => {
  test('takes a key that is no valid text, and finds its request by it', async () => {
    const id = await ask('\ud800x');
    await label({ endpoint: 'late', key: '\ud800x', value: 1 });
    await flush();
    const status = await app.api.call(getLogStatus, {});
    expect(status).toMatchObject({ flushed: 1, lastFlushError: null });
    expect(await labelsOf(id)).toEqual([[1, 1]]);
  });

  test('counts what was answered and what is in the table', async () => {
    await ask('C1');
    await ask('C2');
    await flush();
    const status = await app.api.call(getLogStatus, {});
    expect(status).toMatchObject({ answered: 2, journaled: 2, flushed: 2, lastFlushError: null });
    const params = { namespace: 'predictions', name: 'late' };
    const table = await app.api.call(readRows, { params, query: {} });
    const column = table.columns.findIndex(({ name }) => name === 'key');
    expect(table.rows.map((row) => row[column])).toEqual(['C1', 'C2']);
  });

  test('shows its traffic by second and version', async () => {
    await ask('D1');
    await ask('D2');
    const { points } = await app.api.call(getTraffic, { query: {} });
    expect(points).toMatchObject([{ endpoint: 'late', modelVersion: 1, requests: 2, errors: 0 }]);
  });

  test('finds every request again after the online store was lost', async () => {
    const id = await ask('E1');
    await restart();
    const trace = await app.api.call(traceRequest, { params: { requestId: id } });
    expect(trace.prediction).toMatchObject({ key: 'E1', source: 'table' });
  });

  test('finds a request whose row another Delta writer has moved', async () => {
    const requestId = await ask('G1');
    await flush();
    // The index names the commit that brought the row; this one brought none.
    const indexed = { endpoint: 'late', requestId, tableVersion: 0 };
    const found = await app.app.platform.engine.run('predictions.find', indexed);
    expect(found).toMatchObject({ record: { request_id: requestId } });
  });

  test('does not call a request unknown while records wait for their table', async () => {
    await ask('H1');
    const lake = path.join(app.folder, 'lake', 'predictions');
    await mkdir(path.dirname(lake), { recursive: true });
    await writeFile(lake, 'in the way');
    const trace = () => app.api.call(traceRequest, { params: { requestId: 'from-before' } });
    await expect(trace()).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    await rm(lake);
    await expect(trace()).rejects.toMatchObject({ code: 'REQUEST_NOT_FOUND' });
  });

  test('keeps no segment of what is in the tables', async () => {
    await ask('F1');
    await flush();
    await restart();
    await flush();
    const left = await readdir(path.join(app.folder, 'journal'));
    // The one being written, and its successor.
    expect(left.length).toBeLessThanOrEqual(2);
  });
});

test('the log is asked for the requests of a time, a version or an outcome', async () => {
  const ids: string[] = [];
  for (const flight of ['B1', 'B2', 'B3']) {
    ids.push(await ask(flight));
    app.clock.advance(60_000);
  }
  const wrong = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({ inputs: [] }),
  });
  expect(wrong.statusCode).toBe(400);
  const idsOf = async (query: ListOf): Promise<readonly string[]> => {
    const params = { endpoint: 'late' };
    const { items } = await app.api.call(listPredictions, { params, query });
    expect(items.every(({ source }) => source === 'table')).toBe(true);
    return items.map(({ requestId }) => requestId);
  };
  const { items } = await list();
  const at = items.find(({ requestId }) => requestId === ids[1])!.now;
  expect(await idsOf({ from: at, failed: 'false' })).toEqual([ids[2], ids[1]]);
  expect(await idsOf({ until: at })).toEqual([ids[0]]);
  expect(await idsOf({ failed: 'true' })).toEqual([String(wrong.headers['x-request-id'])]);
  expect(await idsOf({ version: 2 })).toEqual([]);
});

test('past traffic is told by day, and of no other endpoint', async () => {
  await ask('C1');
  await ask('C2');
  await flush();
  const history = (endpoint: string) =>
    app.api.call(getTrafficHistory, { params: { endpoint }, query: {} });
  const { items, seconds } = await history('late');
  expect(seconds).toBe(86_400);
  expect(items).toMatchObject([{ arm: 'blue', modelVersion: 1, requests: 2, errors: 0 }]);
  await expect(history('other')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
});
