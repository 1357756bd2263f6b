import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  openServedFlights,
  originOf,
  type ServedFlights,
} from '../../../test/contracts/served-flights.ts';
import { formatInstant } from '../../base/time.ts';
import { createOutput } from '../../platform/cli/output.ts';
import { PREDICTION_COLUMNS } from '../predictions/tables.ts';
import { putEndpoint, traceRequest } from './contract.ts';
import { JOINED_ROWS_MAX } from './feature-inputs.ts';
import { printTrace } from './print-trace.ts';
import { RequestExplanations } from './request-explanations.ts';

let rig: ServedFlights;

beforeEach(async () => {
  rig = await openServedFlights();
});

afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

async function serve(): Promise<void> {
  await rig.register();
  await rig.deploy(1);
}

const ORD = [
  { name: 'origin', datatype: 'BYTES', shape: [1], data: ['ORD'] },
  { name: 'distance', datatype: 'INT32', shape: [1], data: [500] },
  { name: 'ratio', datatype: 'FP32', shape: [1, 1], data: [[0.5]] },
  { name: 'night', datatype: 'BOOL', shape: [1], data: [false] },
];

/** The gateway's own app knows nothing of this test's log: it finds requests once flushed. */
async function logged(id: string) {
  return (await rig.app.api.call(traceRequest, { params: { requestId: id } })).prediction;
}

describe('an endpoint with a feature service', () => {
  test('joins the features of its entities at one T and logs what it joined', async () => {
    await serve();
    const { status, body, id } = await rig.infer(ORD);
    expect(status).toBe(200);
    expect(body.outputs[0]).toMatchObject({ name: 'score', shape: [1, 1], data: [510] });
    const prediction = await logged(id);
    expect(prediction.features).toEqual({
      service: 'late_v1',
      definition: rig.features.current,
      entity: { origin: 'ORD', distance: 500, ratio: 0.5, night: false },
      features: [500, 1, 0],
      watermark: { 'main.landings': 7 },
    });
    expect(rig.features.asked.map(({ at }) => formatInstant(at))).toEqual([prediction.now]);
  });

  test('gives every row of a batch the same T and answers in order', async () => {
    await serve();
    const { body, id } = await rig.infer([
      { name: 'origin', datatype: 'BYTES', shape: [2], data: ['ORD', 'LGA'] },
      { name: 'distance', datatype: 'INT64', shape: [2], data: [1, 2] },
      { name: 'ratio', datatype: 'FP64', shape: [2, 1], data: [0.5, 1] },
      { name: 'night', datatype: 'BOOL', shape: [2], data: [false, false] },
    ]);
    expect(body.outputs[0]?.data).toEqual([11, 2]);
    expect(new Set(rig.features.asked.map(({ at }) => at)).size).toBe(1);
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
    const { status, body, id } = await rig.infer(night);
    expect({ status, body }).toMatchObject({ status: 500, body: { error: /NaN/ } });
    expect((await logged(id)).features?.features).toEqual([500, 1, null]);
  });

  test('names its inputs, and takes raw vectors under another name', async () => {
    await serve();
    const metadata = async (name: string) => (await rig.http.inject(`/v2/models/${name}`)).json();
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
    expect((await rig.infer(x)).status).toBe(400);
    const raw = await rig.infer(x, 'late.raw');
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
    const { status, body, id } = await rig.infer(inputs);
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
    expect((await rig.infer(many)).body.error).toContain(`it may have ${JOINED_ROWS_MAX}`);
    const long = ORD.map((input) => ({ ...input, parameters: { padding: 'x'.repeat(65_536) } }));
    expect(await rig.infer(long)).toMatchObject({ status: 413 });
  });

  test('comes back after a restart with the definition it was deployed with', async () => {
    await serve();
    rig.features.resolved.length = 0;
    rig.features.current = 'd2'.repeat(32);
    await rig.changes.start();
    expect(new Set(rig.features.resolved)).toEqual(new Set(['d1'.repeat(32)]));
  });

  test('is not deployed with a service that does not exist', async () => {
    await rig.register();
    const body = { model: 'late', service: 'nobody' };
    await rig.app.api.call(putEndpoint, { params: { endpoint: 'late' }, body });
    await expect(rig.deploy(1)).rejects.toThrow('There is no feature service nobody');
  });
});

interface StoredRow {
  readonly record: { readonly joined: unknown };
}

test('a log of a former version takes records with features, and shows both', async () => {
  const { engine } = rig.app.app.platform;
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
  const list = async () => {
    const page = await engine.run('predictions.list', {
      endpoint: 'late',
      before: 1e9,
      limit: 10,
      which: [],
    });
    return (page as { readonly rows: readonly StoredRow[] }).rows;
  };
  expect((await list()).map(({ record }) => record.joined)).toEqual([null]);
  const { id } = await rig.infer(ORD);
  expect((await logged(id)).features?.features).toEqual([500, 1, 0]);
  const joined = (await list()).map(({ record }) => record.joined);
  expect(joined).toHaveLength(2);
  expect(joined).toContain(null);
});

describe('trace', () => {
  /** The rig's routes and features are its own; what is traced was answered by them. */
  async function trace(id: string) {
    const prediction = await logged(id);
    const source = rig.features;
    const origins = { originOf: () => Promise.resolve(rig.origin) };
    const explanations = new RequestExplanations({ source, origins });
    const features = await explanations.features(prediction);
    const origin = await explanations.origin(prediction);
    const written: string[] = [];
    const sink = { write: (text: string) => written.push(text) };
    const labels = { labels: [], labelsMissing: null };
    const found = { prediction, route: null, model: null, ...labels, features, origin };
    printTrace(found, createOutput({ sink, isJson: false }));
    return { features, origin, text: written.join('') };
  }

  function define(): void {
    const features = rig.features.features.map((name) => ({ name }));
    rig.features.definitions.set(rig.features.current, { views: [], features });
  }

  test('shows every feature by name beside what it is recomputed to', async () => {
    await serve();
    define();
    rig.features.offline = [500, 1, null];
    const { id } = await rig.infer(ORD);
    const { features, text } = await trace(id);
    expect(features).toEqual({
      service: 'late_v1',
      definition: rig.features.current,
      rows: [
        {
          entity: { origin: 'ORD', distance: 500, ratio: 0.5, night: false },
          values: [
            { name: 'distance', served: 500, recomputed: 500, isSame: true },
            { name: 'is_ord', served: 1, recomputed: 1, isSame: true },
            { name: 'missing', served: 0, recomputed: null, isSame: false },
          ],
        },
      ],
      notRecomputed: null,
    });
    expect(text).toContain('late_v1 d1d1d1d1d1d1   2 of 3 recomputed the same');
    expect(text).toContain('distance  500 = recomputed 500 ✔');
    expect(text).toContain('missing   0 ≠ recomputed null ✘');
  });

  test('says why nothing was recomputed', async () => {
    await serve();
    const { id } = await rig.infer(ORD);
    const { features, text } = await trace(id);
    expect(features?.notRecomputed).toBe('The tables are gone.');
    expect(features?.rows[0]?.values[0]).toEqual({ name: 'feature 1', served: 500, isSame: null });
    expect(text).toContain('not recomputed');
  });

  test('goes on to the run, its code, environment and data', async () => {
    await serve();
    rig.origin = {
      ...originOf(rig.features),
      codeCommit: 'a1b2c3d4'.repeat(5),
      environment: 'e'.repeat(64),
      trainingSet: { name: 'late_train', version: 3 },
      tables: [{ table: 'main.landings', version: 118 }],
    };
    const { id } = await rig.infer(ORD);
    const { origin, text } = await trace(id);
    expect(origin).toMatchObject({ run: 'run_1', trainingSet: { name: 'late_train', version: 3 } });
    expect(text).toContain('run        run_1   commit a1b2c3d4a1b2   environment eeeeeeeeeeee');
    expect(text).toContain('trained on late_train@v3 ← main.landings@v118 ← features d1d1d1d1d1d1');
  });
});
