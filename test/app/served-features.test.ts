import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../../src/base/time.ts';
import {
  buildTrainingSet,
  type TrainingVersion,
} from '../../src/capabilities/features/contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import { getWatermarks } from '../../src/capabilities/features/online-contract.ts';
import { getLineage } from '../../src/capabilities/lineage/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import {
  deploy,
  getEndpoint,
  putEndpoint,
  rollback,
  traceRequest,
} from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import { versionModel } from '../onnx-model.ts';

/** From declared features over a training run to a served, explained prediction, all of it real. */

const MINUTE = 60_000_000;
const START = parseInstant('2001-01-01T00:00:00Z')!;
const AIRPORTS = ['ORD', 'LGA', 'JFK', 'SFO'] as const;
const params = { endpoint: 'late' };
const ENDPOINTS = { late: { model: 'late', service: 'late_v1', key: 'flight_id' } };

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

const at = (minutes: number): Micros => micros(START + minutes * MINUTE);

async function append(name: string, rows: readonly object[]): Promise<number> {
  const bytes = new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n'));
  const table = { namespace: 'default', name };
  return (await app.api.call(appendRows, { params: table, query: {} }, { bytes })).version;
}

/** Two months of flights; the version of the landings. */
async function appendFlights(): Promise<number> {
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const body = { namespace: 'default', name, columns: [...columns] };
    await app.api.call(createTable, { body });
  }
  const zone = 'America/Chicago';
  await append(
    'airports',
    AIRPORTS.map((iata) => ({ iata, zone })),
  );
  const flights = Array.from({ length: 1900 }, (_, id) => ({
    route: { flight_id: id, origin: AIRPORTS[id % 4], destination: AIRPORTS[(id * 7 + 1) % 4] },
    departed: id * 42,
    distance: 300 + (id % 90) * 10,
    delay: ((id * 37) % 200) - 40,
  }));
  await append(
    'departures',
    flights.map(({ route, departed, distance }) => ({
      ...route,
      departed_at: formatInstant(at(departed)),
      distance,
    })),
  );
  return append(
    'landings',
    flights.map(({ route, departed, delay }) => ({
      ...route,
      landed_at: formatInstant(at(departed + 90 + delay)),
      delay,
      late: delay > 15,
    })),
  );
}

async function apply(sections = flightSections()): Promise<void> {
  const body = { declared: { ...sections, endpoints: ENDPOINTS } };
  await app.api.call(applyDeclared, { body });
}

async function build(): Promise<TrainingVersion> {
  const body = { from: '2001-02-01T00:00:00Z', until: '2001-02-24T00:00:00Z' };
  return app.api.call(buildTrainingSet, { params: { name: 'late_train' }, body });
}

async function shown(version: number): Promise<void> {
  const query = { wait: `default.landings@${version}` };
  expect((await app.api.call(getWatermarks, { query })).reached).toBe(true);
}

async function mlflow(path: string, body: object) {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: `/api/2.0/mlflow/${path}`,
    headers: { host: '127.0.0.1' },
    payload: body,
  });
  expect(reply.statusCode, reply.body).toBe(200);
  return reply.json();
}

/** A run as a step of a pipeline leaves it, and the version it made. */
async function train(set: TrainingVersion, golden?: object): Promise<string> {
  const made = await mlflow('runs/create', { experiment_id: '0', start_time: 1 });
  const { run_id: id, artifact_uri: uri } = made.run.info;
  const tags = {
    definition: set.definitionHash,
    training_set: `${set.name}@v${set.version}`,
    tables: JSON.stringify(set.sources),
    code_commit: 'a1b2c3d4'.repeat(5),
    environment: 'e'.repeat(64),
  };
  for (const [key, value] of Object.entries(tags)) {
    await mlflow('runs/set-tag', { run_id: id, key: `millwright.${key}`, value });
  }
  if (golden !== undefined) {
    const path = `${uri.replace('mlflow-artifacts:/', '')}/golden.json`;
    const put = await app.app.http.inject({
      method: 'PUT',
      url: `/api/2.0/mlflow-artifacts/artifacts/${path}`,
      headers: { host: '127.0.0.1' },
      payload: JSON.stringify(golden),
    });
    expect(put.statusCode, put.body).toBe(200);
  }
  const run = `run_${id}`;
  // Only the distance counts.
  const weights = set.features.map((name) => (name === 'distance' ? 1 : 0));
  const bytes = versionModel({ version: 1, weights, missingAsZero: true });
  await app.api.call(registerModel, { params: { model: 'late' }, query: { run } }, { bytes });
  return run;
}

async function follow(): Promise<void> {
  await shown(await append('landings', []));
}

function withWindows(...windows: readonly string[]) {
  const sections = flightSections();
  sections['views']!['origin_delays']!['windows'] = windows;
  return sections;
}

async function infer() {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { host: '127.0.0.1' },
    payload: {
      parameters: { flight_id: 'f1' },
      inputs: [
        { name: 'origin', datatype: 'BYTES', shape: [1], data: ['ORD'] },
        { name: 'destination', datatype: 'BYTES', shape: [1], data: ['LGA'] },
        { name: 'distance', datatype: 'INT32', shape: [1], data: [733] },
      ],
    },
  });
  return { body: reply.json(), id: String(reply.headers['x-request-id']) };
}

function goldenOf(set: TrainingVersion) {
  const features = set.features.map((name) => (name === 'distance' ? 640 : null));
  const columns = ['id', 'time', ...set.features, 'prediction'];
  return { columns, data: [['g1', '2001-02-01T00:00:00Z', ...features, 640]] };
}

describe('an endpoint with features', () => {
  test('answers as it was trained, and traces back to its tables', async () => {
    const version = await appendFlights();
    await apply();
    const set = await build();
    await shown(version);
    const run = await train(set, goldenOf(set));
    const { evidence, features } = await app.api.call(deploy, { params, body: { version: 1 } });
    expect(features?.definition).toBe(set.definitionHash);
    expect(evidence.map(({ name, result }) => [name, result])).toEqual([
      ['definition', 'passed'],
      ['signature', 'passed'],
      ['golden', 'passed'],
      ['consistency', 'passed'],
    ]);
    const { compared, mismatched } = evidence[3]!.numbers;
    expect(compared).toBeGreaterThan(50);
    expect(mismatched).toBe(0);

    const { body, id } = await infer();
    expect(body.outputs[0].data).toEqual([733]);
    const trace = await app.api.call(traceRequest, { params: { requestId: id } });
    expect(trace.features?.notRecomputed).toBeNull();
    const values = trace.features!.rows[0]!.values;
    expect(values.map(({ name }) => name)).toEqual(set.features);
    expect(values.filter(({ isSame }) => isSame !== true)).toEqual([]);
    expect(values.find(({ name }) => name === 'origin_delays__n_30d')?.served).toBeGreaterThan(100);
    expect(trace.origin).toMatchObject({
      run,
      definition: set.definitionHash,
      trainingSet: { name: 'late_train', version: 1 },
      codeCommit: 'a1b2c3d4'.repeat(5),
    });

    const lineage = await app.api.call(getLineage, { query: { of: `request/${id}` } });
    const nodes = lineage.nodes.map((node) => `${node.kind}/${node.id}`);
    for (const expected of [
      'revision/late@1',
      'model/late@1',
      `run/${run}`,
      'training_set/late_train@1',
      `definition/${set.definitionHash}`,
      'view/origin_delays',
      `table/default.landings@${version}`,
    ]) {
      expect(nodes).toContain(expected);
    }
    const used = await app.api.call(getLineage, {
      query: { of: `table/default.landings@${version}` },
    });
    const users = used.nodes.map(({ kind }) => kind);
    for (const kind of ['training_set', 'run', 'model', 'revision', 'endpoint']) {
      expect(users).toContain(kind);
    }
  });

  test('refuses a model that was trained on another window, and says which', async () => {
    await appendFlights();
    const lifetime = flightSections();
    lifetime['views']!['origin_delays']!['windows'] = ['2h', '1d', '7d', '40d'];
    await apply(lifetime);
    await train(await build());
    const version = await append('landings', []);
    await apply();
    await shown(version);
    const refused = app.api.call(deploy, { params, body: { version: 1 } });
    await expect(refused).rejects.toMatchObject({ code: 'DEFINITION_SKEW' });
    await expect(refused).rejects.toThrow(
      'view origin_delays: windows 2h, 1d, 7d, 40d in training, 2h, 1d, 7d, 30d in serving',
    );
    expect((await app.api.call(getEndpoint, { params })).route).toBeNull();
  });

  test('answers by its definition and the former one, whatever is declared since', async () => {
    const answer = async () => (await infer()).body.outputs?.[0].data;
    const version = await appendFlights();
    await apply();
    await shown(version);
    const first = await build();
    await train(first);
    await app.api.call(deploy, { params, body: { version: 1 } });
    await apply(withWindows('2h', '1d', '7d', '20d'));
    await follow();
    expect(await answer()).toEqual([733]);

    const second = await build();
    await train(second);
    await app.api.call(deploy, { params, body: { version: 2 } });
    await follow();
    const back = await app.api.call(rollback, { params, body: { reason: 'test' } });
    expect(back.features?.definition).toBe(first.definitionHash);
    expect(await answer()).toEqual([733]);
    await follow();
    expect(await answer()).toEqual([733]);

    // Nothing would go back to the first definition any more.
    for (const _ of [1, 2]) await app.api.call(deploy, { params, body: { version: 2 } });
    await follow();
    const { items } = await app.api.call(getWatermarks, { query: {} });
    const landings = items.find(({ table }) => table === 'default.landings');
    expect(landings?.views).toHaveLength(3);
  });

  test('is deployed although an event was corrected since the training set', async () => {
    await appendFlights();
    await apply();
    const set = await build();
    const [id, delay] = [1700, 700];
    const landed_at = formatInstant(at(id * 42 + 90 + ((id * 37) % 200) - 40));
    const route = { flight_id: id, origin: AIRPORTS[0], destination: AIRPORTS[1] };
    await shown(await append('landings', [{ ...route, landed_at, delay, late: true }]));
    await train(set);
    const { evidence } = await app.api.call(deploy, { params, body: { version: 1 } });
    expect(evidence[3]).toMatchObject({ name: 'consistency', result: 'passed' });
    expect(evidence[3]!.numbers['fresher']).toBeGreaterThan(0);
    expect(evidence[3]!.summary).toContain('because of events that came since');
  });

  test('goes back to a service that is declared no more', async () => {
    const version = await appendFlights();
    await apply();
    await shown(version);
    await train(await build());
    await app.api.call(deploy, { params, body: { version: 1 } });
    await app.api.call(putEndpoint, { params, body: { model: 'late' } });
    await app.api.call(deploy, { params, body: { version: 1 } });
    await app.api.call(applyDeclared, { body: { declared: {} } });
    await follow();
    await app.api.call(rollback, { params, body: { reason: 'test' } });
    expect((await infer()).body.outputs?.[0].data).toEqual([733]);

    const former = app;
    await former.app.stop();
    app = await createTestApp({ stateFolder: former.folder });
    onTestFinished(() => rm(former.folder, { recursive: true, force: true }));
    await follow();
    expect((await infer()).body.outputs?.[0].data).toEqual([733]);
  });
});
