import { expect, test } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import { micros, type Micros } from '../../base/time.ts';
import { LabelledRequestReader, type LabelledRequest } from './labelled-requests.ts';
import type { JournaledPrediction } from './record.ts';
import {
  LABEL_COLUMNS,
  LABELS,
  labelRow,
  PREDICTION_COLUMNS,
  predictionRow,
  PREDICTIONS,
} from './tables.ts';

const START = Date.UTC(2001, 2, 1) * 1000;
const HOUR = 3_600_000_000;
const { signal } = new AbortController();

function at(hour: number): Micros {
  return micros(START + hour * HOUR);
}

interface Answer {
  readonly hour: number;
  readonly key?: string | null;
  readonly outputs?: unknown;
  readonly inputs?: unknown;
  readonly features?: unknown;
  readonly entity?: unknown;
  readonly definition?: string;
  readonly version?: number;
  readonly status?: number;
}

let seq = 0;

function answered(requestId: string, answer: Answer): Record<string, unknown> {
  const { hour, key = null, outputs, inputs, features, entity = {} } = answer;
  const { definition = 'd1', version = 1, status = 200 } = answer;
  const joined = { service: 's', definition, entity, features, watermark: {} };
  const record: JournaledPrediction = {
    request_id: requestId,
    endpoint: 'late',
    now: at(hour),
    wall: at(hour),
    key,
    route_revision: 1,
    arm: 'blue',
    reason: 'weight',
    bucket: null,
    model: 'late',
    model_version: version,
    digest: '',
    runtime: '',
    status,
    error_code: null,
    queue_us: 1,
    inference_us: 2,
    total_us: 3,
    client: null,
    trace_id: null,
    truncated: false,
    request: inputs === undefined ? null : { inputs },
    response: outputs === undefined ? null : { outputs },
    joined: features === undefined ? null : joined,
  };
  return predictionRow(record, { journal: 'main', seq: seq++ });
}

function labelled(
  requestId: string,
  value: number | string | boolean,
  occurred: number,
  known = occurred,
): Record<string, unknown> {
  const times = { at: at(occurred), now: at(known), wall: at(known) };
  const label = { request_id: requestId, endpoint: 'late', value, ...times, actor: 'test' };
  return labelRow(label, { journal: 'main', seq: seq++ });
}

async function fill(lake: Lake, rows: readonly object[], labels: readonly object[] = []) {
  const predictions = { namespace: PREDICTIONS, name: 'late' };
  await lake.tables.ensure(predictions, PREDICTION_COLUMNS);
  await lake.tables.append({ ...predictions, ndjson: ndjson(...rows) });
  if (labels.length === 0) return;
  const known = { namespace: LABELS, name: 'late' };
  await lake.tables.ensure(known, LABEL_COLUMNS);
  for (const label of labels) await lake.tables.append({ ...known, ndjson: ndjson(label) });
}

function read(lake: Lake, request: Partial<LabelledRequest> = {}) {
  const layouts = [
    { definition: 'd1', features: ['a', 'b'] },
    { definition: 'd2', features: ['b', 'c'] },
  ];
  const all = { endpoint: 'late', from: at(0), until: at(24), at: at(48), layouts };
  return new LabelledRequestReader(lake).read({ ...all, ...request }, signal);
}

function scored(score: number) {
  return [{ name: 'p', datatype: 'FP32', shape: [1, 2], data: [1 - score, score] }];
}

test('rows come by time and key with the features of their own definition', async () => {
  const lake = await openLake();
  await fill(lake, [
    answered('r3', { hour: 2, key: 'z', features: [5, null], outputs: scored(0.5) }),
    answered('r2', { hour: 2, key: 'y', features: [7, 8], definition: 'd2', version: 2 }),
    answered('r1', { hour: 1, features: [1, 2], outputs: scored(0.25), status: 500 }),
    answered('r0', { hour: 25, features: [1, 2] }),
    answered('r4', { hour: 3, features: [1, 2], definition: 'unknown' }),
  ]);
  const found = await read(lake);
  expect(found.rowCount).toBe(4);
  expect([...found.answeredAt]).toEqual([1, 2, 2, 3].map(at));
  expect([...found.version]).toEqual([1, 2, 1, 1]);
  expect([...found.status]).toEqual([500, 200, 200, 200]);
  expect([...found.score]).toEqual([0.25, NaN, 0.5, NaN]);
  expect([...found.features.get('a')!]).toEqual([1, NaN, 5, NaN]);
  expect([...found.features.get('b')!]).toEqual([2, 7, NaN, NaN]);
  expect([...found.features.get('c')!]).toEqual([NaN, 8, NaN, NaN]);
  const definitions = [...found.definition].map((index) => found.definitions[index]);
  expect(definitions).toEqual(['d1', 'd2', 'd1', 'unknown']);
  expect(found.numbers.size + found.texts.size).toBe(0);
});

test('the label that became known last counts, if it had occurred by then', async () => {
  const lake = await openLake();
  const rows = ['r1', 'r2', 'r3', 'r4'].map((id, hour) => answered(id, { hour, features: [1, 2] }));
  await fill(lake, rows, [
    labelled('r1', true, 5, 6),
    // Told later, of something that occurred earlier.
    labelled('r1', false, 4, 9),
    labelled('r2', 0.5, 5),
    labelled('r2', 0.75, 20),
    labelled('r3', 'unsure', 5),
    labelled('nobody', true, 5),
  ]);
  const late = await read(lake);
  expect([...late.label]).toEqual([0, 0.75, NaN, NaN]);
  expect([...late.labelAt]).toEqual([at(4), at(20), at(5), NaN]);
  const early = await read(lake, { at: at(5) });
  expect([...early.label]).toEqual([0, 0.5, NaN, NaN]);
  expect([...(await read(lake, { at: at(3) })).label]).toEqual([NaN, NaN, NaN, NaN]);
});

test('a request of several rows is several rows without a label', async () => {
  const lake = await openLake();
  const outputs = [{ datatype: 'FP64', shape: [2], data: [0.1, 0.9] }];
  const entity = [{ origin: 'ORD' }, { origin: 'LGA', distance: 7 }];
  const features = [
    [1, 2],
    [3, 4],
  ];
  const batch = answered('r1', { hour: 1, features, entity, outputs });
  await fill(lake, [batch], [labelled('r1', true, 2)]);
  const found = await read(lake, { withInputs: true });
  expect(found.rowCount).toBe(2);
  expect([...found.score]).toEqual([0.1, 0.9]);
  expect([...found.features.get('a')!]).toEqual([1, 3]);
  expect([...found.label]).toEqual([NaN, NaN]);
  expect([...found.numbers.get('distance')!]).toEqual([NaN, 7]);
  const { codes, values } = found.texts.get('origin')!;
  expect([...codes].map((code) => values[code])).toEqual(['ORD', 'LGA']);
});

test('without joined features the tensors themselves are the inputs', async () => {
  const lake = await openLake();
  const inputs = [
    { name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] },
    { name: 'city', datatype: 'BYTES', shape: [2, 1], data: ['ORD', 'LGA'] },
  ];
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [2, 1], data: [5, 6] }];
  await fill(lake, [answered('r1', { hour: 1, inputs, outputs })]);
  const found = await read(lake, { withInputs: true });
  expect(found.rowCount).toBe(2);
  expect([...found.definition]).toEqual([-1, -1]);
  expect([...found.numbers.get('x[0]')!]).toEqual([1, 3]);
  expect([...found.numbers.get('x[1]')!]).toEqual([2, 4]);
  expect(found.texts.get('city')!.values).toEqual(['ORD', 'LGA']);
});

test('an endpoint that answered nothing has no rows', async () => {
  const lake = await openLake();
  expect((await read(lake)).rowCount).toBe(0);
  await fill(lake, [answered('r1', { hour: 30 })]);
  const found = await read(lake);
  expect(found.rowCount).toBe(0);
  expect([...found.features.keys()]).toEqual(['a', 'b', 'c']);
});

test('of many requests some keep their features, the same ones each time', async () => {
  const lake = await openLake();
  const rows = Array.from({ length: 60 }, (_, index) =>
    answered(`r${index}`, {
      hour: index / 10,
      features: [index, 1],
      entity: { place: `p${index}`, size: index },
      outputs: scored(0.5),
    }),
  );
  await fill(lake, rows, [labelled('r7', true, 7)]);
  const some = await read(lake, { documentsMax: 20, withInputs: true });
  expect(some.rowCount).toBe(60);
  expect([...some.score].every((score) => score === 0.5)).toBe(true);
  expect(some.label[7]).toBe(1);
  const picked = [...some.hasDocuments].flatMap((has, row) => (has === 1 ? [row] : []));
  expect(picked.length).toBeGreaterThan(5);
  expect(picked.length).toBeLessThan(40);
  const [vectors, sizes] = [some.features.get('a')!, some.numbers.get('size')!];
  for (let row = 0; row < 60; row += 1) {
    const expected = picked.includes(row) ? row : NaN;
    expect([vectors[row], sizes[row]]).toEqual([expected, expected]);
  }
  const again = await read(lake, { documentsMax: 20, layouts: [], withInputs: true });
  expect(again.hasDocuments).toEqual(some.hasDocuments);
  expect([...(await read(lake, { documentsMax: 60 })).hasDocuments]).toEqual(rows.map(() => 1));
});
