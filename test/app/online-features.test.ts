import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { formatInstant, micros, parseInstant } from '../../src/base/time.ts';
import { present } from '../../src/base/assert.ts';
import {
  getFeatures,
  getWatermarks,
  rebuildFeatures,
  verifyService,
} from '../../src/capabilities/features/contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import { onlineFeaturesCommands } from '../../src/capabilities/features/online-commands.ts';
import { encodePrediction } from '../../src/capabilities/predictions/record.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import { createOutput } from '../../src/platform/cli/output.ts';
import { RecordKind } from '../../src/platform/journal/segment.ts';
import { inlineStart } from '../../src/capabilities/features/tiles-layout.ts';
import type { KvWriter } from '../../src/platform/kv/port.ts';
import { sleep } from '../../src/platform/system.ts';

/** From appended rows to answers that rest on them, and back from the log to the rows. */

const NOW = present(parseInstant('2001-03-01T00:00:00Z'), 'the start');
const HOUR = 3_600_000_000;
const TABLE = 'default.landings';
const INPUTS = { origin: 'ORD', destination: 'LGA' };

let it: TestApp;

beforeEach(async () => {
  it = await createTestApp();
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const body = { namespace: 'default', name, columns: [...columns] };
    await it.api.call(createTable, { body });
  }
  const sections = flightSections();
  delete sections['training_sets'];
  sections['services']!['late_v1'] = { features: ['origin_delays.*', 'route_delays.n_1d'] };
  await it.api.call(applyDeclared, { body: { declared: sections } });
});

afterEach(async () => {
  await it[Symbol.asyncDispose]();
});

async function land(...flights: readonly (readonly [number, number, number])[]): Promise<number> {
  const lines = flights.map(([id, hoursAgo, delay]) =>
    JSON.stringify({
      flight_id: id,
      landed_at: formatInstant(micros(NOW - hoursAgo * HOUR)),
      ...INPUTS,
      delay,
      late: delay > 15,
    }),
  );
  const bytes = new TextEncoder().encode(lines.join('\n'));
  const params = { namespace: 'default', name: 'landings' };
  const { version } = await it.api.call(appendRows, { params, query: {} }, { bytes });
  return version;
}

async function shown(version: number): Promise<void> {
  const query = { wait: `${TABLE}@${version}` };
  const { items, reached } = await it.api.call(getWatermarks, { query });
  expect(reached).toBe(true);
  expect(items).toMatchObject([{ table: TABLE, building: [], error: null }]);
}

async function values(at?: string): Promise<Record<string, number | null>> {
  const body = { service: 'late_v1', inputs: INPUTS, ...(at === undefined ? {} : { at }) };
  const { features } = await it.api.call(getFeatures, { body });
  return Object.fromEntries(features.map(({ name, value }) => [name, value]));
}

test('what was appended is in the next vector, each event once, as of any kept time', async () => {
  await shown(await land([1, 1, 20], [2, 20, 0], [3, 200, 40]));
  expect(await values()).toMatchObject({
    origin_delays__n_2h: 1,
    origin_delays__n_1d: 2,
    origin_delays__n_30d: 3,
    origin_delays__late_1d: 0.5,
    origin_delays__delay_30d: 20,
    route_delays__n_1d: 2,
  });
  await shown(await land([1, 1, 50]));
  expect(await values()).toMatchObject({ origin_delays__n_2h: 1, origin_delays__delay_2h: 50 });
  expect(await values(formatInstant(micros(NOW - HOUR)))).toMatchObject({
    origin_delays__n_2h: 0,
    origin_delays__delay_2h: null,
    origin_delays__n_1d: 1,
  });
  await expect(values('2001-03-01T00:00:01Z')).rejects.toThrow('lies in the future');
  await expect(values('2001-02-01T00:00:00Z')).rejects.toMatchObject({
    code: 'FEATURES_NOT_READY',
  });
});

test.each([
  [{ origin: 'ORD' }, 'The key destination is missing'],
  [{ ...INPUTS, orgin: 'ORD' }, 'has no input orgin'],
  [{ ...INPUTS, origin: 7 }, 'must be a string'],
])('refuses inputs %j', async (inputs, says) => {
  const asked = it.api.call(getFeatures, { body: { service: 'late_v1', inputs } });
  await expect(asked).rejects.toThrow(says);
});

test('names the service that there is not, and waits no longer than asked', async () => {
  const body = { service: 'late_v9', inputs: INPUTS };
  await expect(it.api.call(getFeatures, { body })).rejects.toThrow('no feature service late_v9');
  const query = { wait: `${TABLE}@99`, waitMs: 20 };
  expect((await it.api.call(getWatermarks, { query })).reached).toBe(false);
});

/** What a command prints, and the status it ends with. */
async function run(...words: readonly string[]): Promise<{ status: number; text: string }> {
  let [status, text] = [0, ''];
  const features = new Command().exitOverride();
  const sink = {
    write: (part: string) => {
      text += part;
    },
  };
  onlineFeaturesCommands(features, {
    withApi: (action) => action(it.api),
    out: createOutput({ sink, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: (ended) => {
      status = ended;
    },
  });
  await features.parseAsync([...words], { from: 'user' });
  return { status, text };
}

test('commands print the vector with ages, and how far the tables are', async () => {
  await shown(await land([1, 1, 20]));
  const { text } = await run('get', 'late_v1', '--key', 'origin=ORD,destination=LGA');
  expect(text).toContain('late_v1 at 2001-03-01T00:00:00Z');
  expect(text).toMatch(/origin_delays__delay_2h\s+│ 20\s+│ 3600/);
  expect((await run('watermarks')).text).toMatch(
    /default\.landings │ 1\s+│ origin_delays, route_d/,
  );
  await expect(run('get', 'late_v1', '--key', 'ORD')).rejects.toThrow('no pair of a name');
  await expect(run('verify', 'late_v1', '--last', 'soon')).rejects.toThrow('no duration');
  const { status, text: told } = await run('verify', 'late_v1', '--last', '1d');
  expect(status).toBe(1);
  expect(told).toContain('Nothing was compared');
});

let answers = 0;

/** Answers as the gateway does: reads the vector and journals it. Returns landings within a day. */
async function answer(): Promise<number> {
  const body = { service: 'late_v1', inputs: INPUTS };
  const { definition, features, watermarks } = await it.api.call(getFeatures, { body });
  answers += 1;
  const record = encodePrediction({
    requestId: `req-${answers}`,
    endpoint: 'late',
    now: NOW,
    wall: NOW,
    key: null,
    routeRevision: 1,
    arm: 'blue',
    reason: 'weight',
    bucket: 0,
    model: 'late',
    modelVersion: 1,
    digest: 'd',
    runtime: 'none',
    status: 200,
    errorCode: null,
    queueUs: 0,
    inferenceUs: 0,
    totalUs: 0,
    client: null,
    traceId: null,
    request: null,
    response: null,
    joined: {
      service: 'late_v1',
      definition,
      entity: JSON.stringify(INPUTS),
      features: JSON.stringify(features.map(({ value }) => value)),
      watermark: JSON.stringify(watermarks),
    },
  });
  await it.app.platform.journal.append(RecordKind.prediction, record);
  return features.find(({ name }) => name === 'origin_delays__n_1d')!.value!;
}

/** Verifies once the answers so far are in their table. */
async function verified(answers: number) {
  for (let turn = 0; turn < 200; turn += 1) {
    const body = { service: 'late_v1' };
    const report = await it.api.call(verifyService, { body });
    if (report.rows === answers) return report;
    await sleep(100);
  }
  throw new Error('the answers never came to their table');
}

test('a corrupted tile is found out by the answers given from it', async () => {
  await shown(await land([1, 1, 20], [2, 20, 0], [3, 200, 40]));
  answers = 0;
  expect(await answer()).toBe(2);
  expect(await verified(1)).toMatchObject({ logicMismatches: 0, isConsistent: true });
  const kv = it.app.platform.index as KvWriter;
  const root = kv
    .range({ from: 'features/root/', to: 'features/root0', limit: 10 })
    .find(({ key }) => key.endsWith('/s3:ORD'))!;
  const doubles = new Float64Array(root.value.buffer.slice(0));
  // The first time, so that one landing more is within the day.
  doubles[inlineStart(doubles, doubles[1]!)] = NOW - 2 * HOUR;
  await kv.apply([{ key: root.key, value: new Uint8Array(doubles.buffer) }]);
  expect(await answer()).toBe(3);
  const report = await verified(2);
  expect(report.isConsistent).toBe(false);
  expect(report.examples[0]).toMatchObject({ kind: 'logic', endpoint: 'late' });
  const checked = await run('verify', 'late_v1', '--last', '1d', '--endpoint', 'late');
  expect(checked.status).toBe(1);
  expect(checked.text).toMatch(/2 vectors · logic \d+ of 26 · freshness 0 · definition 0/);
  await it.api.call(rebuildFeatures, {});
  const version = (await it.api.call(getWatermarks, { query: {} })).items[0]!.version!;
  await shown(version);
  expect(await answer()).toBe(2);
}, 60_000);
