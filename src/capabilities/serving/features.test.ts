import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { versionModel } from '../../../test/onnx-model.ts';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { AppError } from '../../base/errors.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import type { Engine } from '../../platform/engine/port.ts';
import { silentLog } from '../../platform/log/log.ts';
import { noFaults } from '../../platform/fault-points.ts';
import { createIds } from '../../platform/system.ts';
import { PredictionLog } from '../predictions/log.ts';
import { PREDICTION_COLUMNS } from '../predictions/tables.ts';
import { registerModel } from '../registry/contract.ts';
import { RegistryService } from '../registry/service.ts';
import { RegistryStore } from '../registry/store.ts';
import { deploy, putEndpoint, traceRequest } from './contract.ts';
import { DeploymentChecks } from './deployment-checks.ts';
import { JOINED_ROWS_MAX } from './feature-inputs.ts';
import { Gateway } from './gateway.ts';
import { LiveRoutes } from './live-routes.ts';
import { oipRoutes } from './oip.ts';
import { RouteChanges } from './route-changes.ts';
import type { FeatureInputs, FeatureSource, ServedFeatures } from './served-features.ts';
import { ServingStore } from './store.ts';
import { WarmModels } from './warm-models.ts';

/** Features of a service that remember what they were asked: distance, whether ORD, and nothing. */
class FlightFeatures implements FeatureSource, ServedFeatures {
  readonly service = 'late_v1';
  readonly definition = 'd1'.repeat(32);
  readonly inputs = [
    { name: 'origin', type: 'string' },
    { name: 'distance', type: 'long' },
    { name: 'ratio', type: 'double' },
    { name: 'night', type: 'boolean' },
  ] as const;
  readonly features = ['distance', 'is_ord', 'missing'];
  readonly asked: { readonly inputs: FeatureInputs; readonly at: Micros }[] = [];

  has(service: string): Promise<boolean> {
    return Promise.resolve(service === this.service);
  }

  resolve(service: string): Promise<ServedFeatures> {
    if (service === this.service) return Promise.resolve(this);
    return Promise.reject(new AppError('INVALID_INPUT', `There is no feature service ${service}.`));
  }

  read(inputs: FeatureInputs, at: Micros) {
    this.asked.push({ inputs, at });
    const isOrd = inputs['origin'] === 'ORD' ? 1 : 0;
    const missing = inputs['night'] === true ? null : 0;
    return {
      values: [Number(inputs['distance']), isOrd, missing],
      watermarks: { 'main.landings': 7 },
    };
  }
}

let app: TestApp;
let features: FlightFeatures;
let http: FastifyInstance;
let close: () => Promise<void>;
let changes: RouteChanges;

beforeEach(async () => {
  app = await createTestApp();
  features = new FlightFeatures();
  const { db, events, inference, blobs, journal } = app.app.platform;
  const { clock } = app;
  const engine = app.app.platform.engine as unknown as Engine<never>;
  const [log, ids, faults] = [silentLog, createIds(clock), noFaults];
  const registry = new RegistryService({
    store: new RegistryStore(db),
    blobs,
    inference,
    events,
    clock,
    ids,
    faults,
  });
  const models = new WarmModels({ registry, inference, log });
  const routes = new LiveRoutes();
  const store = new ServingStore(db);
  const checks = new DeploymentChecks();
  changes = new RouteChanges({
    store,
    routes,
    models,
    registry,
    features,
    checks,
    events,
    clock,
    ids,
    faults,
    log,
  });
  const predictionLog = new PredictionLog({ journal, engine, events, clock, log });
  const gateway = new Gateway({ routes, log: predictionLog, inference, clock, ids });
  http = Fastify();
  await http.register((scope, _, done) => {
    oipRoutes({ gateway, routes, predictionLog, clock, log, programVersion: '0' })(scope);
    done();
  });
  close = async () => {
    await http.close();
    await models.close();
  };
});

afterEach(async () => {
  await close();
  await app[Symbol.asyncDispose]();
});

/** The model's `score` is distance + 10 × is_ord + 100 × missing. */
async function register(weights: readonly number[] = [1, 10, 100]): Promise<void> {
  const bytes = versionModel({ version: 1, weights });
  await app.api.call(registerModel, { params: { model: 'late' }, query: {} }, { bytes });
}

function change(version: number) {
  return { endpoint: 'late', actor: 'test', reason: '', ifRevision: undefined, version };
}

async function serve(service = 'late_v1'): Promise<void> {
  await register();
  await app.api.call(putEndpoint, {
    params: { endpoint: 'late' },
    body: { model: 'late', service },
  });
  await changes.deploy(change(1));
}

const ORD = [
  { name: 'origin', datatype: 'BYTES', shape: [1], data: ['ORD'] },
  { name: 'distance', datatype: 'INT32', shape: [1], data: [500] },
  { name: 'ratio', datatype: 'FP32', shape: [1, 1], data: [[0.5]] },
  { name: 'night', datatype: 'BOOL', shape: [1], data: [false] },
];

async function infer(inputs: unknown, name = 'late', more: object = {}) {
  const reply = await http.inject({
    method: 'POST',
    url: `/v2/models/${name}/infer`,
    payload: { inputs, ...more },
  });
  return {
    status: reply.statusCode,
    body: reply.json(),
    id: String(reply.headers['x-request-id']),
  };
}

/** The gateway's own app knows nothing of this test's log: it finds requests once flushed. */
async function logged(id: string) {
  return (await app.api.call(traceRequest, { params: { requestId: id } })).prediction;
}

describe('an endpoint with a feature service', () => {
  test('joins the features of its entities at one T and logs what it joined', async () => {
    await serve();
    const { status, body, id } = await infer(ORD);
    expect(status).toBe(200);
    expect(body.outputs[0]).toMatchObject({ name: 'score', shape: [1, 1], data: [510] });
    const prediction = await logged(id);
    expect(prediction.features).toEqual({
      service: 'late_v1',
      definition: features.definition,
      entity: { origin: 'ORD', distance: 500, ratio: 0.5, night: false },
      features: [500, 1, 0],
      watermark: { 'main.landings': 7 },
    });
    expect(features.asked.map(({ at }) => formatInstant(at))).toEqual([prediction.now]);
  });

  test('gives every row of a batch the same T and answers in order', async () => {
    await serve();
    const { body, id } = await infer([
      { name: 'origin', datatype: 'BYTES', shape: [2], data: ['ORD', 'LGA'] },
      { name: 'distance', datatype: 'INT64', shape: [2], data: [1, 2] },
      { name: 'ratio', datatype: 'FP64', shape: [2, 1], data: [0.5, 1] },
      { name: 'night', datatype: 'BOOL', shape: [2], data: [false, false] },
    ]);
    expect(body.outputs[0].data).toEqual([11, 2]);
    expect(new Set(features.asked.map(({ at }) => at)).size).toBe(1);
    const prediction = await logged(id);
    expect(prediction.features?.features).toEqual([
      [1, 1, 0],
      [2, 0, 0],
    ]);
    expect(prediction.features?.entity).toMatchObject([{ origin: 'ORD' }, { origin: 'LGA' }]);
  });

  test('gives a missing value to the model as NaN and logs it as null', async () => {
    await serve();
    const night = [...ORD.slice(0, 3), { ...ORD[3], data: [true] }];
    const { status, body, id } = await infer(night);
    expect({ status, body }).toMatchObject({ status: 500, body: { error: /NaN/ } });
    expect((await logged(id)).features?.features).toEqual([500, 1, null]);
    expect((await infer(night, 'late', { outputs: [{ name: 'version' }] })).status).toBe(500);
  });

  test('names its inputs, and takes raw vectors under another name', async () => {
    await serve();
    const metadata = async (name: string) => (await http.inject(`/v2/models/${name}`)).json();
    expect((await metadata('late')).inputs).toEqual([
      { name: 'origin', datatype: 'BYTES', shape: [-1] },
      { name: 'distance', datatype: 'INT64', shape: [-1] },
      { name: 'ratio', datatype: 'FP64', shape: [-1] },
      { name: 'night', datatype: 'BOOL', shape: [-1] },
    ]);
    expect(await metadata('late.raw')).toMatchObject({
      name: 'late.raw',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
    });
    const x = [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 1, 1] }];
    expect((await infer(x)).status).toBe(400);
    const raw = await infer(x, 'late.raw');
    expect(raw.body).toMatchObject({ model_name: 'late.raw', outputs: [{ data: [111] }, {}] });
    expect((await logged(raw.id)).features).toBeNull();
  });

  test.each([
    ['a missing input', ORD.slice(1), 'Input origin is missing. Expected origin: BYTES'],
    ['an unknown input', [...ORD, { ...ORD[0], name: 'orgin' }], 'Did you mean origin?'],
    ['an input twice', [...ORD, ORD[0]], 'Input origin is given twice'],
    ['another datatype', [{ ...ORD[0], datatype: 'FP32' }, ...ORD.slice(1)], 'Expected origin'],
    ['null', [{ ...ORD[0], data: [null] }, ...ORD.slice(1)], 'null is not a string'],
    ['a wider shape', [{ ...ORD[0], shape: [1, 2] }, ...ORD.slice(1)], '[n] or [n, 1]'],
    [
      'fewer rows',
      [...ORD.slice(0, 3), { ...ORD[3], shape: [0], data: [] }],
      '0 rows where origin',
    ],
    ['half a character', [{ ...ORD[0], data: ['\ud800'] }, ...ORD.slice(1)], 'valid Unicode'],
  ])('refuses %s and logs the refusal', async (_, inputs, says) => {
    await serve();
    const { status, body, id } = await infer(inputs);
    expect(status).toBe(400);
    expect(body.error).toContain(says);
    expect(await logged(id)).toMatchObject({ errorCode: 'INVALID_TENSOR', features: null });
  });

  test('takes no more rows than it can join in a turn', async () => {
    await serve();
    const shape = [JOINED_ROWS_MAX + 1];
    const many = ORD.map(({ data, ...rest }) => ({
      ...rest,
      shape,
      data: Array.from({ length: shape[0]! }, () => data.flat()[0]),
    }));
    expect((await infer(many)).body.error).toContain(`it may have ${JOINED_ROWS_MAX}`);
    const long = ORD.map((input) => ({ ...input, parameters: { padding: 'x'.repeat(65_536) } }));
    expect(await infer(long)).toMatchObject({ status: 413 });
  });

  test('comes back after a restart with the definition it was deployed with', async () => {
    await serve();
    const resolved: unknown[] = [];
    const resolve = features.resolve.bind(features);
    Object.assign(features, {
      resolve: (service: string, definition: string | null) => {
        resolved.push([service, definition]);
        return resolve(service);
      },
    });
    await changes.start();
    expect(resolved).toEqual([['late_v1', features.definition]]);
  });

  test('is not deployed with a model that takes other vectors', async () => {
    await serve();
    await register([1, 2]);
    const refused = changes.deploy(change(2));
    await expect(refused).rejects.toMatchObject({
      code: 'DEPLOYMENT_REFUSED',
      details: { checks: [{ name: 'signature', result: 'refused', version: 2 }] },
    });
    expect((await infer(ORD)).status).toBe(200);
  });

  test('is not deployed with a service that does not exist', async () => {
    await register();
    const body = { model: 'late', service: 'nobody' };
    await app.api.call(putEndpoint, { params: { endpoint: 'late' }, body });
    const deployed = app.api.call(deploy, { params: { endpoint: 'late' }, body: { version: 1 } });
    await expect(deployed).rejects.toThrow('There is no feature service nobody');
  });
});

test('a log of a former version takes records with features, and shows both', async () => {
  const { engine } = app.app.platform;
  const ref = { namespace: 'predictions', name: 'late' };
  const former = PREDICTION_COLUMNS.filter(
    ({ name }) => !['service', 'definition', 'entity', 'features', 'watermark'].includes(name),
  );
  await engine.run('tables.create', { ...ref, columns: former });
  const at = '2001-02-28T00:00:00Z';
  const row = Object.fromEntries(
    former.map(({ name, type }) => [
      name,
      type === 'string' ? 'old' : type === 'boolean' ? false : 1,
    ]),
  );
  const times = { answered_at: at, answered_wall: at, inputs: '[]', outputs: '[]', bucket: null };
  const ndjson = Buffer.from(JSON.stringify({ ...row, ...times, reason: 'weight' }));
  await engine.run('tables.append', { ...ref, ndjson });
  await serve();
  const list = () =>
    engine.run('predictions.list', { endpoint: 'late', before: 1e9, limit: 10 }) as Promise<
      readonly { readonly record: { readonly joined: unknown } }[]
    >;
  expect((await list()).map(({ record }) => record.joined)).toEqual([null]);
  const { id } = await infer(ORD);
  expect((await logged(id)).features?.features).toEqual([500, 1, 0]);
  const joined = (await list()).map(({ record }) => record.joined);
  expect(joined).toHaveLength(2);
  expect(joined).toContain(null);
});
