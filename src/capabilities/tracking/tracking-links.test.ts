import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../../app/testing.ts';
import { createIds } from '../../platform/system.ts';
import { TrackingService } from './service.ts';
import { TrackingLinks } from './tracking-links.ts';

let app: TestApp;
let links: TrackingLinks;
let makeRun: (pins: Readonly<Record<string, string>>) => Promise<string>;

beforeEach(async () => {
  app = await createTestApp();
  const { db, blobs, events } = app.app.platform;
  const { clock } = app;
  const ids = createIds(clock);
  const versionsOf = () => Promise.resolve([{ model: 'late', version: 1 }]);
  const tracking = new TrackingService({ db, blobs, events, clock, ids, versionsOf });
  links = new TrackingLinks(tracking);
  makeRun = async (pins) => {
    const { id } = await tracking.runs.create({
      experiment: '0',
      name: undefined,
      user: 'test',
      startMs: 1,
      actor: 'test',
      tags: Object.entries(pins).map(([key, value]) => ({ key: `millwright.${key}`, value })),
    });
    return id;
  };
});

afterEach(async () => {
  await app[Symbol.asyncDispose]();
});

async function edgesOf(kind: string, id: string): Promise<readonly string[]> {
  const edges = await links.linksOf({ kind, id }, 100);
  return edges.map(
    ({ from, to, relation }) => `${from.kind}/${from.id} ${relation} ${to.kind}/${to.id}`,
  );
}

const DEFINITION = 'd1'.repeat(32);

test('goes from a run to what it pinned, and from that to its runs', async () => {
  const tables = [
    { table: 'default.landings', version: 3 },
    { table: 'default.departures', version: 13 },
  ];
  const pins = {
    definition: DEFINITION,
    training_set: 'late_train@v3',
    tables: JSON.stringify(tables),
  };
  const run = await makeRun(pins);
  await makeRun({ training_set: 'late_train@v13', definition: 'd2'.repeat(32) });
  await makeRun({});
  expect(await edgesOf('run', run)).toEqual([
    `model/late@1 made by run/${run}`,
    `run/${run} trained on training_set/late_train@3`,
    `run/${run} given features by definition/${DEFINITION}`,
    `run/${run} read table/default.landings@3`,
    `run/${run} read table/default.departures@13`,
  ]);
  expect(await edgesOf('training_set', 'late_train@3')).toEqual([
    `run/${run} trained on training_set/late_train@3`,
  ]);
  expect(await edgesOf('definition', DEFINITION)).toEqual([
    `run/${run} given features by definition/${DEFINITION}`,
  ]);
  expect(await edgesOf('table', 'default.landings@3')).toEqual([
    `run/${run} read table/default.landings@3`,
  ]);
  expect(await edgesOf('table', 'default.departures@3')).toEqual([]);
});

test('knows nothing of what is not there', async () => {
  for (const [kind, id] of [
    ['run', 'run_nope'],
    ['run', "it's"],
    ['definition', "' OR 1"],
    ['training_set', 'late_train'],
    ['table', 'default.landings'],
    ['request', 'req_1'],
  ] as const) {
    expect(await edgesOf(kind, id)).toEqual([]);
  }
});
