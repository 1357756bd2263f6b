import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import { flightService, LANDINGS, landing } from '../../../test/contracts/landings.ts';
import { DAY, Flights, flights, NOW, START } from '../../../test/contracts/online-rig.ts';
import { present } from '../../base/assert.ts';
import { micros, MICROS_PER_SECOND } from '../../base/time.ts';
import { formatCommit } from '../../formats/delta/actions.ts';
import { loadSnapshot } from '../../formats/delta/load-snapshot.ts';
import { commitName } from '../../formats/delta/log-names.ts';
import { MemoryKv } from '../../platform/kv/memory.ts';
import type { CompiledService } from './compiled.ts';
import { FLIGHT_TABLES } from './flights-definitions.ts';
import { OnlineFeatures } from './online-features.ts';
import { storedTiles } from './tiles-content.ts';
import { readCatalog } from './tiles-catalog.ts';

const airport = fc.constantFrom('ORD', 'LGA', '', 'é/|1:', null);
const row = fc
  .record({
    // Few ids, so that many rows correct an earlier one.
    id: fc.integer({ min: 0, max: 60 }),
    // Early ones are past every window; many share a time.
    time: fc.oneof(fc.integer({ min: -10, max: 40 }), fc.integer({ min: 3000, max: 3010 })),
    origin: airport,
    destination: airport,
    delay: fc.option(fc.integer({ min: -60, max: 400 })),
  })
  .map(({ time, ...rest }) => landing({ ...rest, time: START + time * 1_200_000_000 }));
const batch = fc.array(row, { maxLength: 30 });

test('tiles hold what the naive reference computes, after any history of appends', async () => {
  const shared = await openLake();
  let name = 0;
  const input = fc.record({
    origin: airport.filter((text) => text !== null),
    destination: airport.filter((text) => text !== null),
    distance: fc.integer({ min: 0, max: 3000 }),
  });
  const steps = fc.array(fc.record({ rows: batch, isTaken: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  });
  const reads = fc.array(fc.tuple(input, fc.integer({ min: -5, max: 4400 })), {
    minLength: 4,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(steps, reads, async (history, at) => {
      name += 1;
      const table = { namespace: 'default', name: `landings_${name}` };
      await shared.tables.create(table, FLIGHT_TABLES.landings);
      const service = withTable(flightService(), table);
      const state = new Flights(shared, service);
      for (const { rows, isTaken } of history) {
        const own = { ...table, ndjson: ndjson(...rows) };
        if (rows.length > 0) await shared.tables.append(own);
        state.rows.push(...rows);
        if (isTaken) await state.take();
      }
      await state.take();
      for (const [inputs, minutes] of at) {
        const time = micros(START + minutes * 20 * 60 * MICROS_PER_SECOND);
        if (time < NOW - 7 * DAY) continue;
        expect(state.online(inputs, time).values).toEqual(state.naive(inputs, time));
      }
      const fresh = new MemoryKv();
      await state.take({}, state.another(fresh));
      expect(storedTiles(fresh, { from: NOW - 37 * DAY })).toEqual(
        storedTiles(state.kv, { from: NOW - 37 * DAY }),
      );
    }),
    { numRuns: 25 },
  );
}, 120_000);

function withTable(
  service: CompiledService,
  table: { readonly namespace: string; readonly name: string },
): CompiledService {
  const views = service.views.map((view) => ({ ...view, source: { ...view.source, table } }));
  return { ...service, views };
}

const INPUTS = { origin: 'ORD', destination: 'LGA', distance: 733 };
const AT = micros(START + 39 * DAY);

test('tells the version that values saw, and follows its table', async () => {
  const state = await flights();
  expect(() => state.online(INPUTS, AT)).toThrow('still being built');
  await state.take();
  expect(state.online(INPUTS, AT).watermarks).toEqual({ 'default.landings': 0 });
  await state.append([landing({ id: 1, time: AT - DAY })]);
  const before = state.online(INPUTS, AT);
  await state.take();
  const after = state.online(INPUTS, AT);
  expect(after.watermarks).toEqual({ 'default.landings': 1 });
  expect(before.watermarks).toEqual({ 'default.landings': 0 });
  expect(after.values).toEqual(state.naive(INPUTS, AT));
  expect(before.values).not.toEqual(after.values);
});

test('what only requests bring is answered without any tiles', async () => {
  const state = await flights();
  const service = flightService(({ services }) => {
    services!['late_v1'] = { features: [], request: { distance: 'int32' } };
  });
  const online = new OnlineFeatures({ kv: state.kv }).resolve(service);
  expect(online.read(INPUTS, AT)).toEqual({ values: [733], watermarks: {} });
});

test('a new definition is filled while the old one is read, which then goes', async () => {
  const state = await flights();
  const rows = Array.from({ length: 50 }, (_, id) => landing({ id, time: AT - id * DAY }));
  await state.append(rows);
  await state.take();
  const next = new Flights(
    state.lake,
    flightService(({ views }) => {
      views!['origin_delays']!['windows'] = ['2h', '14d'];
    }),
  );
  next.rows = rows;
  const views = [...state.service.views, ...next.service.views];
  const { signal } = new AbortController();
  await state.ingest.run({ views, now: NOW }, signal);
  expect(state.online(INPUTS, AT).values).toEqual(state.naive(INPUTS, AT));
  await state.take({ views });
  const online = new OnlineFeatures({ kv: state.kv }).resolve(next.service);
  expect(online.read(INPUTS, AT).values).toEqual(next.naive(INPUTS, AT));
  expect(state.online(INPUTS, AT).values).toEqual(state.naive(INPUTS, AT));
  await state.append([landing({ id: 3, time: AT - 1, delay: 99 })]);
  next.rows = state.rows;
  await state.take({ views: next.service.views });
  expect(online.read(INPUTS, AT).values).toEqual(next.naive(INPUTS, AT));
  expect(() => state.online(INPUTS, AT)).toThrow('still being built');
  expect(readCatalog(state.kv)?.garbage).toEqual([]);
});

test('forgets what is too old for any window, and refuses to be asked about it', async () => {
  const state = await flights();
  const rows = Array.from({ length: 100 }, (_, id) => landing({ id, time: START + id * DAY }));
  await state.append(rows);
  await state.take({ now: micros(START + 45 * DAY) });
  const later = micros(START + 90 * DAY);
  await state.take({ now: later });
  expect(state.online(INPUTS, later).values).toEqual(state.naive(INPUTS, later));
  expect(() => state.online(INPUTS, micros(START + 60 * DAY))).toThrow('do not reach back');
  const times = storedTiles(state.kv, { from: 0 }).flatMap(({ events }) =>
    events.map(([time]) => time!),
  );
  expect(Math.min(...times)).toBe(START + 53 * DAY);
  // An old flight whose time is corrected comes back, another goes.
  await state.append([
    landing({ id: 0, time: later - 5 }),
    landing({ id: 85, time: START, delay: 1 }),
  ]);
  await state.take({ now: later });
  expect(state.online(INPUTS, later).values).toEqual(state.naive(INPUTS, later));
});

test('rows that another engine removes are gone after the table was read anew', async () => {
  const state = await flights();
  await state.append([landing({ id: 1, time: AT - DAY })]);
  await state.append([landing({ id: 2, time: AT - DAY })]);
  await state.take();
  await removeFirstFile(state.lake);
  state.rows = state.rows.slice(1);
  await state.take();
  expect(state.online(INPUTS, AT).values).toEqual(state.naive(INPUTS, AT));
  expect(state.online(INPUTS, AT).watermarks).toEqual({ 'default.landings': 3 });
});

test('damaged tiles are built again, from the next row on or when asked', async () => {
  const state = await flights();
  await state.append([landing({ id: 1, time: AT - DAY })]);
  await state.take();
  const roots = state.kv.range({ from: 'features/root/', to: 'features/root0', limit: 10 });
  await state.kv.apply(roots.map(({ key }) => ({ key, value: new Uint8Array(64) })));
  expect(() => state.online(INPUTS, AT)).toThrow('damaged');
  await state.take({ rebuild: true });
  await state.take();
  expect(state.online(INPUTS, AT).values).toEqual(state.naive(INPUTS, AT));
  await state.kv.apply([{ key: 'features/catalog', value: new Uint8Array([1, 2]) }]);
  await state.take();
  expect(state.online(INPUTS, AT).values).toEqual(state.naive(INPUTS, AT));
});

test('gets on also when every turn is over as soon as it has begun', async () => {
  const state = await flights();
  for (let file = 0; file < 3; file += 1) {
    await state.append([landing({ id: file, time: AT - DAY * (file + 1) })]);
  }
  const many = Array.from({ length: 60_000 }, (_, id) =>
    landing({ id, time: AT - DAY, origin: `A${id % 50}` }),
  );
  await state.lake.tables.append({ ...LANDINGS, ndjson: ndjson(...many) });
  let elapsed = 0;
  const clock = { elapsed: () => (elapsed += 10_000) };
  const kv = new MemoryKv();
  await state.take({}, state.another(kv, clock));
  const whole = new MemoryKv();
  await state.take({}, state.another(whole));
  expect(storedTiles(kv, { from: 0 })).toEqual(storedTiles(whole, { from: 0 }));
});

/** As a DELETE of another Delta engine does. */
async function removeFirstFile(lake: Lake): Promise<void> {
  const io = lake.analytics.table(path.join(lake.folder, LANDINGS.namespace, LANDINGS.name));
  const { version, files } = present(await loadSnapshot(io), 'the table');
  const [first] = [...files.values()].sort((a, b) => a.modificationTime - b.modificationTime);
  const remove = { path: first!.path, dataChange: true, deletionTimestamp: 0 };
  expect(await io.log.putIfAbsent(commitName(version + 1), formatCommit([{ remove }]))).toBe(true);
}
