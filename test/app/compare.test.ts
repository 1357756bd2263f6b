import { Command } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../../src/base/time.ts';
import {
  buildTrainingSet,
  getWatermarks,
  type TrainingVersion,
} from '../../src/capabilities/features/contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import { compareCommands } from '../../src/capabilities/monitoring/compare-commands.ts';
import { compareOnLog, compareOnRows } from '../../src/capabilities/monitoring/contract.ts';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import { deploy } from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import { createOutput } from '../../src/platform/cli/output.ts';
import { versionModel } from '../onnx-model.ts';

/** Versions side by side on rows that were served and on rows to train on, all of it real. */

const MINUTE = 60_000_000;
const HOUR_MS = 3_600_000;
const START = parseInstant('2001-01-01T00:00:00Z')!;
const AIRPORTS = ['ORD', 'LGA', 'JFK', 'SFO'] as const;
const params = { endpoint: 'late' };
const ENDPOINTS = { late: { model: 'late', service: 'late_v1', key: 'flight_id' } };

let app: TestApp;

beforeEach(async () => {
  app = await createTestApp();
  const version = await appendFlights();
  await apply();
  const query = { wait: `default.landings@${version}` };
  await app.api.call(getWatermarks, { query });
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

async function appendFlights(): Promise<number> {
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const body = { namespace: 'default', name, columns: [...columns] };
    await app.api.call(createTable, { body });
  }
  const zone = 'America/Chicago';
  const zones = AIRPORTS.map((iata) => ({ iata, zone }));
  await append('airports', zones);
  const flights = Array.from({ length: 1900 }, (_, id) => ({
    route: { flight_id: id, origin: AIRPORTS[id % 4], destination: AIRPORTS[(id * 7 + 1) % 4] },
    departed: id * 42,
    distance: 300 + (id % 90) * 10,
    delay: ((id * 37) % 200) - 40,
  }));
  const departures = flights.map(({ route, departed, distance }) => ({
    ...route,
    departed_at: formatInstant(at(departed)),
    distance,
  }));
  await append('departures', departures);
  return append('landings', flights.map(landing));
}

function landing(flight: {
  readonly route: object;
  readonly departed: number;
  readonly delay: number;
}): object {
  const { route, departed, delay } = flight;
  const landed = formatInstant(at(departed + 90 + delay));
  return { ...route, landed_at: landed, delay, late: delay > 15 };
}

async function apply(sections = flightSections()): Promise<void> {
  const body = { declared: { ...sections, endpoints: ENDPOINTS } };
  await app.api.call(applyDeclared, { body });
}

async function build(): Promise<TrainingVersion> {
  const body = { from: '2001-02-01T00:00:00Z', until: '2001-02-24T00:00:00Z' };
  return app.api.call(buildTrainingSet, { params: { name: 'late_train' }, body });
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

/** A version that gives `perMile` times the distance, made by a run on the set. */
async function train(set: TrainingVersion, perMile: number): Promise<void> {
  const { run } = await mlflow('runs/create', { experiment_id: '0', start_time: 1 });
  const id: string = run.info.run_id;
  const tags = {
    definition: set.definitionHash,
    training_set: `${set.name}@v${set.version}`,
    tables: JSON.stringify(set.sources),
  };
  for (const [key, value] of Object.entries(tags)) {
    await mlflow('runs/set-tag', { run_id: id, key: `millwright.${key}`, value });
  }
  const weights = set.features.map((name) => (name === 'distance' ? perMile : 0));
  const bytes = versionModel({ version: 1, weights, missingAsZero: true });
  const query = { run: `run_${id}` };
  await app.api.call(registerModel, { params: { model: 'late' }, query }, { bytes });
}

async function ask(flight: number, distance: number): Promise<void> {
  const reply = await app.app.http.inject({
    method: 'POST',
    url: '/v2/models/late/infer',
    headers: { host: '127.0.0.1' },
    payload: {
      parameters: { flight_id: String(flight) },
      inputs: [
        { name: 'origin', datatype: 'BYTES', shape: [1], data: ['ORD'] },
        { name: 'destination', datatype: 'BYTES', shape: [1], data: ['LGA'] },
        { name: 'distance', datatype: 'INT32', shape: [1], data: [distance] },
      ],
    },
  });
  expect(reply.statusCode, reply.body).toBe(200);
}

/** What became of a flight asked about now, three hours later. */
function landed(flight: number, late: boolean): object {
  const route = { flight_id: flight, origin: 'ORD', destination: 'LGA' };
  const time = formatInstant(micros(app.clock.now() + 180 * MINUTE));
  return { ...route, landed_at: time, delay: late ? 30 : 0, late };
}

const DISTANCES = [400, 800, 1000] as const;
const LATE = [
  [false, false, true],
  [false, true, false],
  [true, false, true],
] as const;

/** Three days of three requests, then one without a landing and one too young. */
async function serve(): Promise<void> {
  await app.api.call(deploy, { params, body: { version: 1 } });
  for (const [day, outcomes] of LATE.entries()) {
    for (const [index, distance] of DISTANCES.entries()) {
      const flight = 5000 + day * 10 + index;
      await ask(flight, distance);
      await append('landings', [landed(flight, outcomes[index]!)]);
    }
    app.clock.advance(24 * HOUR_MS);
  }
  await ask(5100, 700);
  app.clock.advance(13 * HOUR_MS);
  await ask(5101, 700);
  await append('landings', [landed(5101, true)]);
  app.clock.advance(6 * HOUR_MS);
}

const SPAN = { from: '2001-03-01T00:00:00Z', until: '2001-03-08T00:00:00Z' };

function logLoss(perMile: number): number {
  const losses = LATE.flatMap((outcomes) =>
    outcomes.map((late, index) => {
      const score = Math.fround(Math.fround(perMile) * DISTANCES[index]!);
      return -Math.log(late ? score : 1 - score);
    }),
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

test('versions are scored on the matured requests, beside what was served', async () => {
  const set = await build();
  await train(set, 0.0005);
  await train(set, 0.0002);
  await serve();
  const versions = [1, 2, 'served'] as const;
  const found = await app.api.call(compareOnLog, {
    params,
    body: { versions: [...versions], ...SPAN },
  });
  expect(found).toMatchObject({ model: 'late', endpoint: 'late', base: 1, rows: 9, days: 3 });
  expect(found.positives).toBe(4);
  const none = { failed: 0, otherDefinition: 0, unscored: 0 };
  expect(found.leftOut).toEqual({ ...none, immature: 1, unlabelled: 1 });
  const [first, second, served] = found.versions;
  expect(first!.logLoss).toBeCloseTo(logLoss(0.0005), 6);
  expect(second!.logLoss).toBeCloseTo(logLoss(0.0002), 6);
  expect(first!.improvements).toEqual([]);
  expect(served).toMatchObject({ auc: first!.auc, logLoss: first!.logLoss, missing: 0 });
  const improvement = second!.improvements.find(({ metric }) => metric === 'log_loss')!;
  expect(improvement.value).toBeCloseTo(logLoss(0.0005) - logLoss(0.0002), 6);
  expect(improvement).toMatchObject({ blocks: 3, method: 'jackknife-t', level: 0.95 });
  expect(improvement.lower).toBeLessThan(improvement.value!);
  expect(improvement.upper).toBeGreaterThan(improvement.value!);
  expect(found.periods.map(({ from, rows }) => [from.slice(8, 10), rows])).toEqual([
    ['01', 3],
    ['02', 3],
    ['03', 3],
  ]);
  const weekly = { versions: [1, 'served' as const], per: 'week' as const, ...SPAN };
  const { periods } = await app.api.call(compareOnLog, { params, body: weekly });
  expect(periods).toMatchObject([{ rows: 9, positives: 4, until: '2001-03-08T00:00:00Z' }]);
  // As it looked before the labels of the third day had matured.
  const early = { versions: [1], ...SPAN, at: '2001-03-03T06:00:00Z' };
  const former = await app.api.call(compareOnLog, { params, body: early });
  expect(former).toMatchObject({ rows: 6, days: 2 });
});

test('rows of a training set do as well, all or those of a time', async () => {
  const set = await build();
  await train(set, 0.0005);
  await train(set, 0.0002);
  const body = { versions: [2, 1], trainingSet: 'late_train', trainingVersion: 1 };
  const all = await app.api.call(compareOnRows, { params: { model: 'late' }, body });
  expect(all).toMatchObject({ base: 2, rows: set.rows, endpoint: null });
  expect(all.trainingSet).toEqual({ name: 'late_train', version: 1 });
  expect(all.positives).toBe(Math.round(set.labelRate * set.rows));
  // Both order the rows by distance.
  expect(all.versions[0]!.auc).toBe(all.versions[1]!.auc);
  expect(all.versions[1]!.improvements.find(({ metric }) => metric === 'auc')?.value).toBe(0);
  const span = { from: '2001-02-10T00:00:00Z', until: '2001-02-13T00:00:00Z' };
  const some = await app.api.call(compareOnRows, {
    params: { model: 'late' },
    body: { ...body, ...span },
  });
  expect(some).toMatchObject({ days: 3, ...span });
  expect(some.rows).toBe(some.periods.reduce((sum, { rows }) => sum + rows, 0));
});

test('refuses versions and rows of different definitions', async () => {
  const set = await build();
  await train(set, 0.0005);
  await serve();
  const lifetime = flightSections();
  lifetime['views']!['origin_delays']!['windows'] = ['2h', '1d', '7d', '40d'];
  await apply(lifetime);
  await train(await build(), 0.0002);
  const skew = { code: 'DEFINITION_SKEW' };
  const log = (versions: number[]) =>
    app.api.call(compareOnLog, { params, body: { versions, ...SPAN } });
  await expect(log([1, 2])).rejects.toMatchObject(skew);
  await expect(log([2])).rejects.toMatchObject(skew);
  const body = { versions: [1, 2], trainingSet: 'late_train', trainingVersion: 1 };
  const rows = app.api.call(compareOnRows, { params: { model: 'late' }, body });
  await expect(rows).rejects.toMatchObject(skew);
  await expect(rows).rejects.toThrow('late@2 was trained on definition');
});

test('says what there is not', async () => {
  const call = (endpoint: string, versions: number[], span = SPAN) =>
    app.api.call(compareOnLog, { params: { endpoint }, body: { versions, ...span } });
  await expect(call('nobody', [1])).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
  const version = call('late', [7]);
  await expect(version).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  const turned = { from: SPAN.until, until: SPAN.from };
  await expect(call('late', [1], turned)).rejects.toThrow('ends before it begins');
  await expect(call('late', [1, 1])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

test('the command prints figures, differences and weeks', async () => {
  const set = await build();
  await train(set, 0.0005);
  await train(set, 0.0002);
  let text = '';
  const program = new Command().exitOverride();
  const write = (part: string): void => {
    text += part;
  };
  compareCommands(program, {
    withApi: (action) => action(app.api),
    out: createOutput({ sink: { write }, isJson: false }),
    declaration: () => {
      throw new Error('no file is declared');
    },
    endWith: () => undefined,
  });
  const words = ['compare', 'late', '1', '2', '--rows', 'late_train@1', '--weekly'];
  await program.parseAsync(words, { from: 'user' });
  expect(text).toContain('late on late_train@1');
  expect(text).toMatch(/2 over 1 in log_loss: [+-]0\.\d{4}/);
  expect(text).toContain('2001-02-08');
  const unsaid = program.parseAsync(['compare', 'late', '1'], { from: 'user' });
  await expect(unsaid).rejects.toThrow('Which requests is not said');
});
