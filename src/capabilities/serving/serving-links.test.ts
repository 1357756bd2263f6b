import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  openServedFlights,
  originOf,
  type ServedFlights,
} from '../../../test/contracts/served-flights.ts';
import type { LineageEdge } from '../../platform/capability.ts';
import { AppError } from '../../base/errors.ts';
import { traceRequest } from './contract.ts';
import { ServingLinks } from './serving-links.ts';
import { ServingStore } from './store.ts';

let rig: ServedFlights;
let links: ServingLinks;

beforeEach(async () => {
  rig = await openServedFlights();
  await rig.register();
  const { api } = rig.app;
  links = new ServingLinks({
    store: new ServingStore(rig.app.app.platform.db),
    predictions: {
      find: async (requestId) =>
        (await api.call(traceRequest, { params: { requestId } })).prediction,
    },
    origins: {
      originOf: (model) =>
        model === 'late'
          ? Promise.resolve(rig.origin)
          : Promise.reject(new AppError('MODEL_NOT_FOUND', `There is no model ${model}.`)),
    },
  });
});

afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

async function edgesOf(kind: string, id: string): Promise<readonly string[]> {
  const edges = await links.linksOf({ kind, id }, 100);
  const text = ({ from, to, relation }: LineageEdge) =>
    `${from.kind}/${from.id} ${relation} ${to.kind}/${to.id}`;
  return edges.map(text);
}

test('goes from a request over its route and version to the run', async () => {
  rig.origin = originOf(rig.features);
  await rig.deploy(1);
  const inputs = [
    { name: 'origin', datatype: 'BYTES', shape: [1], data: ['ORD'] },
    { name: 'distance', datatype: 'INT32', shape: [1], data: [500] },
    { name: 'ratio', datatype: 'FP32', shape: [1], data: [0.5] },
    { name: 'night', datatype: 'BOOL', shape: [1], data: [false] },
  ];
  const { id } = await rig.infer(inputs);
  expect(await edgesOf('request', id)).toEqual([
    `request/${id} routed by revision/late@1`,
    `request/${id} answered by model/late@1`,
  ]);
  const joins = `revision/late@1 joins definition/${rig.features.current}`;
  expect(await edgesOf('revision', 'late@1')).toEqual([
    'revision/late@1 routes to model/late@1',
    joins,
    'endpoint/late follows revision/late@1',
  ]);
  expect(await edgesOf('endpoint', 'late')).toEqual([
    'endpoint/late follows revision/late@1',
    'endpoint/late declares service/late_v1',
  ]);
  expect(await edgesOf('model', 'late@1')).toEqual([
    'revision/late@1 routes to model/late@1',
    'model/late@1 made by run/run_1',
  ]);
  expect(await edgesOf('definition', rig.features.current)).toEqual([joins]);
  expect(await edgesOf('service', 'late_v1')).toEqual(['endpoint/late declares service/late_v1']);
});

test('knows nothing of what is not there', async () => {
  const all = [
    ['request', 'req_nope'],
    ['endpoint', 'nope'],
    ['revision', 'late@9'],
    ['revision', 'late'],
    ['model', 'nope@1'],
    ['model', 'late'],
    ['definition', 'nope'],
    ['service', 'nope'],
    ['table', 'main.landings@3'],
  ] as const;
  for (const [kind, id] of all) expect(await edgesOf(kind, id)).toEqual([]);
});
