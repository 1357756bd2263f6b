import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../../src/base/time.ts';
import { getWatermarks } from '../../src/capabilities/features/contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import {
  challengeLoop,
  getDecision,
  getLoop,
  listDecisions,
  listInstances,
  whyLoop,
  type Decision,
} from '../../src/capabilities/loop/contract.ts';
import { startPipeline, getPipelineRun } from '../../src/capabilities/pipelines/contract.ts';
import { getVersion } from '../../src/capabilities/registry/contract.ts';
import { deploy } from '../../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../../src/capabilities/tables/contract.ts';
import { advanceClock, applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import { sleep } from '../../src/platform/system.ts';
import { versionModel } from '../onnx-model.ts';

/**
 * The loop closes on a replay clock, all of it real but the learning: the stage registers the model
 * that lies in the project, from a training set that it builds as any stage does.
 */

const MINUTES_5 = 300_000;
const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
const HISTORY = parseInstant('2001-01-01T00:00:00Z')!;
const START = parseInstant('2001-03-01T00:00:00Z')!;
const AIRPORTS = ['ORD', 'LGA', 'JFK', 'SFO'] as const;
const params = { endpoint: 'late' };
const loop = { loop: 'late' };
/** Requests of one step of six hours. */
const STEP_REQUESTS = 15;
/** From this day on it is the hour that makes flights late, and the distance no more. */
const FLIP_DAY = 10;

/** They come before the request's own: distance, hour, weekday. */
const WINDOWED = ['origin_delays', 'destination_delays', 'route_delays'].flatMap((view) =>
  ['n', 'late', 'delay'].flatMap((name) =>
    ['2h', '1d', '7d', '30d'].map((window) => `${view}__${name}_${window}`),
  ),
);

let app: TestApp;
let project: string;
/** Flights in the air: asked about, and not landed yet. */
let flying: object[];

beforeEach(open);
afterEach(close);

async function open(): Promise<void> {
  project = mkdtempSync(path.join(tmpdir(), 'mw-loop-app-'));
  app = await createTestApp({ clock: 'replay' });
  await app.app.listen(0);
  flying = [];
}

async function close(): Promise<void> {
  await app[Symbol.asyncDispose]();
  rmSync(project, { recursive: true, force: true });
}

async function append(name: string, rows: readonly object[]): Promise<number> {
  const bytes = new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n'));
  const table = { namespace: 'default', name };
  return (await app.api.call(appendRows, { params: table, query: {} }, { bytes })).version;
}

/** Two months of flights whose lateness nothing tells. */
async function appendHistory(): Promise<void> {
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
    departed: micros(HISTORY + id * 42 * 60_000_000),
    distance: 300 + (id % 90) * 10,
    delay: ((id * 37) % 200) - 40,
  }));
  await append(
    'departures',
    flights.map(({ route, departed, distance }) => ({
      ...route,
      departed_at: formatInstant(departed),
      distance,
    })),
  );
  await append(
    'landings',
    flights.map(({ route, departed, delay }) => ({
      ...route,
      landed_at: formatInstant(micros(departed + 2 * HOUR)),
      delay,
      late: delay > 15,
    })),
  );
}

function declared() {
  const rollout = { strategy: 'blue-green', guard: { requests: 100, for: '2d' } };
  const quality = { metric: 'auc', window: '7d', drop: 0.02 };
  return {
    ...flightSections(),
    endpoints: { late: { model: 'late', service: 'late_v1', key: 'flight_id', rollout } },
    monitors: { late: { quality, persist: { of: 1, at_least: 1 }, ignore: [...WINDOWED] } },
    loops: {
      late: {
        pipeline: 'train',
        folder: project,
        triggers: ['quality'],
        min_rows: 200,
        cooldown: '2d',
        autonomy: 'full',
      },
    },
  };
}

/** A stage that registers `model.onnx` as trained on the pinned set. */
const TRAIN = `
import { readFileSync, writeFileSync } from 'node:fs';
const { MILLWRIGHT_URL: url, MLFLOW_RUN_CONTEXT: context } = process.env;
const post = async (path, body, type = 'application/json') => {
  const reply = await fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body });
  if (!reply.ok) throw new Error(path + ' ' + (await reply.text()));
  return reply.json();
};
const mlflow = (path, body) => post('/api/2.0/mlflow/' + path, JSON.stringify(body));
const { run } = await mlflow('runs/create', { experiment_id: '0', start_time: 1 });
const id = run.info.run_id;
for (const [key, value] of Object.entries(JSON.parse(context))) {
  await mlflow('runs/set-tag', { run_id: id, key, value });
}
const model = readFileSync('model.onnx');
const made = await post('/api/v1/models/late/versions?run=run_' + id, model, 'application/octet-stream');
writeFileSync('made.json', JSON.stringify(made.version));
`;

function writeProject(): void {
  const train = `'${process.execPath}' train.mjs`;
  const rows = 'millwright features train-set late_train --pin late.pin.json';
  const stages = [
    'stages:',
    `  rows: { cmd: "${rows}", always_changed: true, outs: [late.pin.json] }`,
    `  train: { cmd: "${train}", deps: [train.mjs, model.onnx, late.pin.json], outs: [made.json] }`,
  ];
  writeFileSync(path.join(project, 'dvc.yaml'), `${stages.join('\n')}\n`);
  writeFileSync(path.join(project, 'train.mjs'), TRAIN);
}

/** What the next training comes to: a model of the distance alone, or of the hour as well. */
function learn(weights: { readonly distance: number; readonly hour: number }): void {
  const names = [...WINDOWED.map(() => 0), weights.distance, weights.hour, 0];
  const bytes = versionModel({ version: 1, weights: names, missingAsZero: true });
  writeFileSync(path.join(project, 'model.onnx'), bytes);
}

const OF_DISTANCE = { distance: 0.0007, hour: 0 };
const OF_HOUR = { distance: 0.0001, hour: 0.03 };

async function trainByHand(trainUntil?: string): Promise<void> {
  const until = trainUntil === undefined ? {} : { trainUntil };
  const body = { folder: project, targets: ['train'], ...until };
  const { id } = await app.api.call(startPipeline, { body });
  for (;;) {
    const run = await app.api.call(getPipelineRun, { params: { run: id } });
    if (run.finishedAt !== null) {
      expect(run.error).toBeNull();
      return;
    }
    await sleep(20);
  }
}

async function advance(to: Micros): Promise<void> {
  await app.api.call(advanceClock, { body: { to: formatInstant(to) } });
}

/** What the airport's clock shows at T: Chicago is six hours behind in March. */
function localHour(at: Micros): number {
  return (Math.floor((at - START) / HOUR) + 18) % 24;
}

/** Six hours: what has landed comes in, requests are asked, and the clock moves on. */
async function sixHours(at: Micros, first: number): Promise<void> {
  if (flying.length > 0) {
    const version = await append('landings', flying);
    const query = { wait: `default.landings@${version}` };
    await app.api.call(getWatermarks, { query });
  }
  const flights = Array.from({ length: STEP_REQUESTS }, (_, index) => {
    const id = first + index;
    const distance = 300 + ((index * 6 + (first % 5)) % 90) * 10;
    const isFar = distance > 750;
    const isEvening = localHour(at) >= 12;
    const isTold = at < START + FLIP_DAY * DAY ? isFar : isEvening;
    const late = index % 5 === 0 ? !isTold : isTold;
    const route = { flight_id: id, origin: 'ORD', destination: 'LGA' };
    return { route, distance, late };
  });
  const departed = formatInstant(at);
  await append(
    'departures',
    flights.map(({ route, distance }) => ({ ...route, departed_at: departed, distance })),
  );
  for (const { route, distance } of flights) await ask(route.flight_id, distance);
  const landed = formatInstant(micros(at + 3 * HOUR));
  flying = flights.map(({ route, late }) => ({
    ...route,
    landed_at: landed,
    delay: late ? 30 : 0,
    late,
  }));
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

/** Lives from one day to another, by quarters of a day that the clock walks in some steps. */
async function live(from: number, until: number, stepsOfQuarter = 1): Promise<void> {
  const step = (6 * HOUR) / stepsOfQuarter;
  for (let quarter = from * 4; quarter < until * 4; quarter += 1) {
    const at = micros(START + quarter * 6 * HOUR);
    for (let left = stepsOfQuarter - 1; left >= 0; left -= 1) {
      if (quarter > 0) await advance(micros(at - left * step));
    }
    await sixHours(at, 10_000 + quarter * STEP_REQUESTS);
  }
}

async function decisions(): Promise<readonly Decision[]> {
  const { items } = await app.api.call(listDecisions, { params: loop, query: { limit: 1000 } });
  return items.toReversed();
}

/** A served model of the distance; what is learnt next is of the hour. */
async function begin(): Promise<void> {
  await advance(micros(START));
  await appendHistory();
  await app.api.call(applyDeclared, { body: { declared: declared() } });
  writeProject();
  learn(OF_DISTANCE);
  await trainByHand();
  await app.api.call(deploy, { params, body: { version: 1 } });
  learn(OF_HOUR);
}

/** What differs from one life to another: ids, and the machine's time. */
function told(log: readonly Decision[]): readonly string[] {
  return log.map(({ at, kind, reason }) => `${at} ${kind} ${reason}`);
}

test(
  'from a quality that falls to a promotion, and from an override to a rollback',
  async () => {
    await begin();
    await live(0, 23);
    const log = await decisions();
    const kinds = log.map(({ kind }) => kind);
    expect(kinds).toEqual(['admitted', 'trained', 'gate_passed', 'deployed', 'promoted']);
    const [admitted, trained] = log;
    expect(trained!.at).toBe(formatInstant(micros(parseInstant(admitted!.at)! + 2 * HOUR)));
    const promoted = await app.api.call(getVersion, { params: { model: 'late', version: 2 } });
    expect(promoted.aliases).toEqual(['champion']);
    const { items } = await app.api.call(listInstances, { params: loop, query: {} });
    expect(items).toMatchObject([{ state: 'promoted', champion: 1, challenger: 2 }]);

    // A model of what is no more, forced past the gate.
    learn({ ...OF_DISTANCE, distance: 0.0006 });
    await trainByHand(formatInstant(micros(START + 18 * DAY)));
    const body = { version: 3, override: 'a demonstration', reason: 'old ways' };
    await app.api.call(challengeLoop, { params: loop, body });
    await live(23, 26);
    const after = (await decisions()).slice(kinds.length);
    expect(after.map(({ kind }) => kind)).toEqual([
      'challenged',
      'overridden',
      'deployed',
      'rolled_back',
    ]);
    expect(after[1]!.reason).toMatch(
      /worse by .+; rolled out all the same by test: a demonstration/,
    );
    const state = await app.api.call(getLoop, { params: loop });
    expect(state).toMatchObject({ champion: { version: 2 }, breaker: { failures: 0, of: 3 } });
    const params = { ...loop, decision: after[1]!.id };
    expect(await app.api.call(getDecision, { params })).toEqual(after[1]);
    await expect(
      app.api.call(getDecision, { params: { ...loop, decision: 999_999 } }),
    ).rejects.toMatchObject({ code: 'DECISION_NOT_FOUND' });
    const { sentences } = await app.api.call(whyLoop, { params: loop });
    expect(sentences[0]).toMatch(/^Nothing asks for a new version, looked at last at 2001-03-26/);
    expect(sentences.join(' ')).toContain('v3 rolled back');
  },
  MINUTES_5,
);

test(
  'the same days by quarters and by hours are decided the same',
  async () => {
    const walked = async (stepsOfQuarter: number) => {
      await begin();
      await live(0, 22, stepsOfQuarter);
      return told(await decisions());
    };
    const byQuarters = await walked(1);
    await close();
    await open();
    expect(await walked(6)).toEqual(byQuarters);
    expect(byQuarters.at(-1)).toContain('promoted');
  },
  MINUTES_5,
);
