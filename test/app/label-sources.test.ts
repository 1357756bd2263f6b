import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { versionModel } from '../onnx-model.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { postLabels } from '../../src/capabilities/predictions/contract.ts';
import { labelCommands } from '../../src/capabilities/predictions/label-commands.ts';
import { catchUpLabels, getLabelStates } from '../../src/capabilities/predictions/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint, traceRequest } from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared, planDeclared } from '../../src/capabilities/workspace/contract.ts';
import { createOutput } from '../../src/platform/cli/output.ts';

/** From a landing in a table to the label of the request that foretold it. */

const DECLARED = {
  sources: {
    landings: {
      kind: 'events',
      table: 'landings',
      id: 'flight_id',
      event_time: { column: 'landed_at', timezone: 'UTC' },
      columns: { late: 'boolean' },
    },
  },
  labels: { late: { source: 'landings', match: 'flight_id', value: 'late', mature: '12h' } },
};

const HOUR_MS = 3_600_000;

let it: TestApp;

beforeEach(async () => {
  it = await createTestApp();
  const columns = [
    { name: 'flight_id', type: 'long', nullable: false },
    { name: 'landed_at', type: 'timestamp', nullable: false },
    { name: 'late', type: 'boolean', nullable: true },
  ] as const;
  const body = { namespace: 'default', name: 'landings', columns: [...columns] };
  await it.api.call(createTable, { body });
  const params = { endpoint: 'late' };
  const bytes = versionModel({ version: 1 });
  await it.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
  await it.api.call(putEndpoint, { params, body: { model: 'late', key: 'flight_id' } });
  await it.api.call(deploy, { params, body: { version: 1 } });
  await it.api.call(applyDeclared, { body: { declared: declared() } });
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

/** The endpoint stays as it is: what is no longer declared would be left alone, too. */
function declared(labels: object = DECLARED.labels): Record<string, unknown> {
  return { ...DECLARED, labels, endpoints: { late: { model: 'late', key: 'flight_id' } } };
}

async function ask(flight: number): Promise<string> {
  const reply = await it.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { 'content-type': 'application/json', host: '127.0.0.1' },
    payload: JSON.stringify({
      parameters: { flight_id: String(flight) },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }],
    }),
  });
  expect(reply.statusCode).toBe(200);
  return String(reply.headers['x-request-id']);
}

async function land(
  ...rows: readonly (readonly [id: number, at: string, late: boolean | null])[]
): Promise<void> {
  const lines = rows.map(([id, at, late]) =>
    JSON.stringify({ flight_id: id, landed_at: `2001-03-01T${at}:00Z`, late }),
  );
  const bytes = new TextEncoder().encode(lines.join('\n'));
  const params = { namespace: 'default', name: 'landings' };
  await it.api.call(appendRows, { params, query: {} }, { bytes });
}

async function catchUp() {
  const { sources } = await it.api.call(catchUpLabels, {});
  expect(sources).toHaveLength(1);
  return sources[0]!;
}

async function labelsOf(requestId: string): Promise<unknown> {
  const trace = await it.api.call(traceRequest, { params: { requestId } });
  return trace.labels.map(({ value, revision, at }) => [revision, value, at.slice(11, 16)]);
}

function states(query: { from?: string; until?: string; at?: string } = {}) {
  return it.api.call(getLabelStates, { params: { endpoint: 'late' }, query });
}

test('a landing is the label of its request, corrections too; others are orphans', async () => {
  const first = await ask(1);
  await ask(2);
  await land([1, '02:00', false], [77, '02:10', true]);
  expect(await catchUp()).toMatchObject({
    endpoint: 'late',
    table: 'default.landings',
    matureSeconds: 43_200,
    version: 1,
    rows: 2,
    matched: 1,
    corrected: 0,
    orphans: 1,
    newestAt: '2001-03-01T02:10:00Z',
    error: null,
  });
  await land([1, '02:00', false]);
  await land([1, '02:30', true], [2, '03:00', null]);
  const both = await Promise.all([catchUp(), catchUp()]);
  for (const one of both) {
    expect(one).toMatchObject({ version: 3, rows: 5, matched: 1, corrected: 1 });
  }
  expect(await labelsOf(first)).toEqual([
    [1, false, '02:00'],
    [2, true, '02:30'],
  ]);
});

test('posted labels and those of a source are one history, by when they became known', async () => {
  const id = await ask(1);
  await land([1, '02:00', false]);
  await catchUp();
  it.clock.advance(HOUR_MS);
  await it.api.call(postLabels, {
    body: { labels: [{ endpoint: 'late', key: '1', value: true }] },
  });
  it.clock.advance(HOUR_MS);
  await land([1, '03:00', true]);
  await catchUp();
  expect((await labelsOf(id)) as unknown[]).toEqual([
    [1, false, '02:00'],
    [2, true, '01:00'],
    [3, true, '03:00'],
  ]);
});

test('a landing that was there before its request finds it', async () => {
  await land([5, '01:00', true]);
  expect(await catchUp()).toMatchObject({ rows: 1, matched: 0, orphans: 1 });
  const id = await ask(5);
  expect(await catchUp()).toMatchObject({ rows: 1, matched: 1, orphans: 0 });
  expect(await labelsOf(id)).toEqual([[1, true, '01:00']]);
});

test('a restart that lost the online store joins nothing twice', async () => {
  const id = await ask(1);
  await land([1, '02:00', false], [1, '02:30', true]);
  const before = await catchUp();
  const { folder } = it;
  await it.app.stop();
  it = await createTestApp({ stateFolder: folder });
  await land([1, '04:00', false]);
  expect(await catchUp()).toEqual({
    ...before,
    version: 2,
    rows: 3,
    corrected: 2,
    newestAt: '2001-03-01T04:00:00Z',
  });
  expect(((await labelsOf(id)) as unknown[][]).map(([, value]) => value)).toEqual([
    false,
    true,
    false,
  ]);
});

test('states tell what is matched, pending and expired as of any time', async () => {
  await ask(1);
  await ask(2);
  it.clock.advance(6 * HOUR_MS);
  await ask(3);
  await land([1, '03:00', true], [3, '08:00', false]);
  await catchUp();
  const until = '2001-03-01T12:00:00Z';
  expect(await states({ until, at: '2001-03-01T05:00:00Z' })).toMatchObject({
    requests: 3,
    failed: 0,
    matched: 1,
    pending: 2,
    expired: 0,
    mature: 0,
    coverage: null,
    delays: [],
  });
  const later = await states({ until, at: '2001-03-01T13:00:00Z' });
  expect(later).toMatchObject({ matched: 2, pending: 0, expired: 1, mature: 2, coverage: 0.5 });
  expect(later.source).toMatchObject({ label: 'late', orphans: 0 });
  expect(later.delays.map(({ share }) => share)).toEqual([0, 0, ...Array<number>(10).fill(0.5)]);
  expect(later.delays[2]).toEqual({ seconds: 3 * 3600, share: 0.5 });
  const empty = await states({ from: '2001-02-01T00:00:00Z', until: '2001-02-02T00:00:00Z' });
  expect(empty).toMatchObject({ requests: 0, coverage: null });
  await expect(states({ from: until, until })).rejects.toThrow('ends before it begins');
  const nobody = it.api.call(getLabelStates, { params: { endpoint: 'nobody' }, query: {} });
  await expect(nobody).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
});

test('labels that are only posted never expire', async () => {
  await it.api.call(applyDeclared, { body: { declared: declared({}) } });
  await ask(1);
  await ask(2);
  const posted = { endpoint: 'late', key: '1', value: 1 };
  await it.api.call(postLabels, { body: { labels: [posted] } });
  it.clock.advance(48 * HOUR_MS);
  expect(await states()).toMatchObject({
    source: null,
    requests: 2,
    matched: 1,
    pending: 1,
    expired: 0,
    mature: 0,
    coverage: null,
    delays: [],
  });
});

test('two labels of one key need the name of the endpoint on one of them', async () => {
  const { late } = DECLARED.labels;
  const named = { late, later: late };
  await it.api.call(planDeclared, { body: { declared: declared(named) } });
  const unnamed = { sooner: late, later: late };
  const refused = it.api.call(planDeclared, { body: { declared: declared(unnamed) } });
  await expect(refused).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    details: { path: ['endpoints', 'late', 'key'] },
  });
});

test('the commands print how far the labels are', async () => {
  await ask(1);
  await land([1, '03:00', true]);
  let text = '';
  const program = new Command().exitOverride();
  labelCommands(program, {
    withApi: (action) => action(it.api),
    out: createOutput({
      sink: {
        write: (part: string) => {
          text += part;
        },
      },
      isJson: false,
    }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: () => undefined,
  });
  await program.parseAsync(['labels', 'catch-up'], { from: 'user' });
  expect(text).toContain('default.landings');
  it.clock.advance(24 * HOUR_MS);
  await program.parseAsync(['labels', 'status', 'late'], { from: 'user' });
  expect(text).toContain('1 requests: 1 matched, 0 pending, 0 expired');
  expect(text).toContain('coverage 100.0 % of 1 mature requests');
  expect(text).toMatch(/within 3\.0 h {3}100\.0 %/);
});
