import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { getLogStatus, listPredictions } from '../../src/capabilities/predictions/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint, traceRequest } from '../../src/capabilities/serving/contract.ts';
import { readRows } from '../../src/capabilities/tables/contract.ts';
import { getHealth, listEvents } from '../../src/capabilities/workspace/contract.ts';
import { FRAME_HEADER_BYTES, RecordKind } from '../../src/platform/journal/segment.ts';
import { versionModel } from '../onnx-model.ts';

/** Records that their table refuses go where everybody sees them, and hold up no other. */

const params = { endpoint: 'late' };
let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  const bytes = versionModel({ version: 1 });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  await app.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight' } });
  await app.api.call(deploy, { params, body: { version: 1 } });
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function ask(flight: string, endpoint = 'late'): Promise<string> {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: `/v2/models/${endpoint}/infer`,
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      parameters: { flight },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }],
    }),
  });
  return String(reply.headers['x-request-id']);
}

async function trace(requestId: string) {
  return app.api.call(traceRequest, { params: { requestId } });
}

/** Looking for what nobody knows flushes the journal first. */
async function flush(): Promise<void> {
  await trace('nobody').catch(() => undefined);
}

/** Nobody waits for events like these: a flush is done before they are recorded. */
async function eventsOf(subject: string, kind?: string) {
  return vi.waitUntil(async () => {
    const { items } = await app.api.call(listEvents, { query: { subject } });
    const found = items.filter((event) => kind === undefined || event.kind === kind);
    return found.length === 0 ? null : found;
  });
}

/** A record as a faulty version of the gateway might have left it. */
async function leave(requestId: string, changed: Record<string, unknown>): Promise<void> {
  const { journal } = app.app.platform;
  const record = {
    request_id: requestId,
    endpoint: 'late',
    now: 1_000_000,
    wall: 1_000_000,
    key: 'odd',
    route_revision: 1,
    arm: 'blue',
    reason: 'weight',
    bucket: 1,
    model: 'late',
    model_version: 1,
    digest: 'd',
    runtime: 'r',
    status: 200,
    error_code: null,
    queue_us: 1,
    inference_us: 1,
    total_us: 1,
    client: null,
    trace_id: null,
    truncated: false,
    request: { inputs: [] },
    response: { outputs: [] },
    ...changed,
  };
  await journal.append(RecordKind.prediction, JSON.stringify(record));
}

test('every good record is in its table once, every refused one in quarantine', async () => {
  const first = await ask('AA1');
  await leave('odd-1', { bucket: 'high' });
  await leave('odd-2', { now: 'then', model_version: 'x' });
  const second = await ask('AA2');
  await leave('odd-3', { error_code: 'half \ud800' });
  const broken = '{"request_id":"odd-4","endpoint":"late","now":1,';
  await app.app.platform.journal.append(RecordKind.prediction, broken);
  const third = await ask('AA3');
  await flush();
  const fourth = await ask('AA4');
  await flush();

  const list = await app.api.call(listPredictions, { params, query: {} });
  expect(list.items.map(({ requestId }) => requestId)).toEqual([fourth, third, second, first]);
  expect(await app.api.call(getLogStatus, {})).toMatchObject({
    flushed: 4,
    quarantined: 4,
    unflushedBytes: 0,
    lastFlushError: null,
  });
  expect((await app.api.call(getHealth, {})).status).toBe('ok');

  for (const id of ['odd-1', 'odd-2', 'odd-3']) {
    const { prediction } = await trace(id);
    expect(prediction).toMatchObject({ requestId: id, source: 'quarantine', endpoint: 'late' });
    expect(prediction.refused).not.toBe('');
  }
  await expect(trace('odd-4')).rejects.toMatchObject({ code: 'TABLE_CORRUPT' });
  expect((await trace(second)).prediction.source).toBe('table');

  const kept = await app.api.call(readRows, {
    params: { namespace: 'quarantine', name: 'late' },
    query: {},
  });
  const cell = (name: string) => kept.columns.findIndex((column) => column.name === name);
  const shown = kept.rows.map((row) => [row[cell('request_id')], row[cell('reason')]] as const);
  const expected: (readonly [string, unknown])[] = [
    ['odd-1', expect.stringContaining('column bucket')],
    ['odd-2', expect.stringContaining('cannot be read')],
    ['odd-3', expect.stringContaining('column error_code')],
    ['odd-4', expect.stringContaining('cannot be read')],
  ];
  expect(new Map<unknown, unknown>(shown)).toEqual(new Map<unknown, unknown>(expected));
  expect(kept.rows.map((row) => row[cell('record')])).toContain(broken);

  const events = await eventsOf('endpoint/late', 'prediction.quarantined');
  expect(events).toMatchObject([{ data: { count: 4 } }]);
  const metrics = await app.app.http.inject({ url: '/metrics', headers: { host: '127.0.0.1' } });
  expect(metrics.body).toContain('millwright_predictions_quarantined_total 4');
});

test('a segment that breaks off is kept, and told of, when its whole records are in', async () => {
  const { journal } = app.app.platform;
  // In one turn, and damaged in the next: the journal changes segments by a timer of its own.
  const [, lost] = await Promise.all([
    leave('whole', {}),
    journal.append(RecordKind.prediction, '{"lost":true}'),
  ]);
  const file = openSync(lost.segment, 'r+');
  writeSync(file, Uint8Array.of(0), 0, 1, lost.offset);
  closeSync(file);
  const length = lost.offset + lost.length;
  await flush();
  expect((await trace('whole')).prediction.source).toBe('table');
  expect((await app.api.call(getLogStatus, {})).unflushedBytes).toBe(0);
  expect(await readFile(`${lost.segment}.torn`)).toHaveLength(length + FRAME_HEADER_BYTES);
  const [torn] = await eventsOf(`journal/${path.basename(lost.segment)}.torn`);
  expect(torn).toMatchObject({ kind: 'journal.torn', data: { records: 1 } });
  await ask('AA2');
  await flush();
  expect(await app.api.call(getLogStatus, {})).toMatchObject({ flushed: 2, lastFlushError: null });
});

test('a table that takes nothing holds its own records only', async () => {
  await app.api.call(putEndpoint, { params: { endpoint: 'other' }, body: { model: 'late' } });
  await app.api.call(deploy, { params: { endpoint: 'other' }, body: { version: 1 } });
  await ask('AA0');
  await flush();
  const log = path.join(app.folder, 'lake/predictions/late/_delta_log');
  const away = path.join(app.folder, 'away');
  await rename(log, away);
  await writeFile(log, 'in the way');
  const ids: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    ids.push(await ask(`AA${round}`), await ask(`BB${round}`, 'other'));
    await flush();
  }
  expect(await app.api.call(getLogStatus, {})).toMatchObject({ flushed: 4, segments: 3 });
  await rm(log);
  await rename(away, log);
  await flush();
  expect(await app.api.call(getLogStatus, {})).toMatchObject({
    flushed: 7,
    unflushedBytes: 0,
    lastFlushError: null,
  });
  for (const id of ids) expect((await trace(id)).prediction.source).toBe('table');
});

test('a refused record is still found when the index was lost', async () => {
  await leave('odd-1', { bucket: 'high' });
  await flush();
  const { folder } = app;
  await app.app.stop();
  app = await createTestApp({ stateFolder: folder });
  expect((await trace('odd-1')).prediction.source).toBe('quarantine');
});
