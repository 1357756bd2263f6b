import { describe, expect, it } from 'vitest';
import { formatInstant, micros, parseInstant, type Micros } from '../../src/base/time.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { appendRows, createTable, readRows } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import {
  buildTrainingSet,
  getService,
  getTrainingVersion,
  getView,
  listTrainingSets,
  listViews,
  pinOf,
  type TrainingVersion,
} from '../../src/capabilities/features/contract.ts';
import {
  endExclusion,
  listExclusions,
  recordExclusion,
  withdrawExclusion,
} from '../../src/capabilities/features/exclusions-contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';

/** From a declared file and appended rows to training sets, through the app. */

const MINUTE = 60_000_000;
const START = parseInstant('2001-01-01T00:00:00Z')!;

interface Flight {
  readonly flight_id: number;
  readonly departed_at: number;
  readonly landed_at: number;
  readonly origin: string | null;
  readonly destination: string;
  readonly distance: number | null;
  readonly delay: number | null;
  readonly late: boolean | null;
}

const at = (minutes: number): Micros => micros(START + minutes * MINUTE);

function ndjson(rows: readonly Readonly<Record<string, unknown>>[]): Uint8Array {
  const lines = rows.map((row) =>
    JSON.stringify(row, (key, value: unknown) =>
      key.endsWith('_at') ? formatInstant(micros(value as number)) : value,
    ),
  );
  return new TextEncoder().encode(lines.join('\n'));
}

async function append(
  { api }: TestApp,
  name: string,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  if (rows.length === 0) return;
  const params = { namespace: 'default', name };
  await api.call(appendRows, { params, query: {} }, { bytes: ndjson(rows) });
}

async function openFlights(): Promise<TestApp> {
  const it = await createTestApp();
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const body = { namespace: 'default', name, columns: [...columns] };
    await it.api.call(createTable, { body });
  }
  await append(it, 'airports', [
    { iata: 'ORD', zone: 'America/Chicago' },
    { iata: 'JFK', zone: 'America/New_York' },
  ]);
  await it.api.call(applyDeclared, { body: { declared: flightSections() } });
  return it;
}

const departure = ({ flight_id, departed_at, origin, destination, distance }: Flight) => {
  return { flight_id, departed_at, origin, destination, distance };
};
const landing = ({ flight_id, landed_at, origin, destination, delay, late }: Flight) => {
  return { flight_id, landed_at, origin, destination, delay, late };
};

function flight(id: number, departed: number, more: Partial<Flight> = {}): Flight {
  return {
    flight_id: id,
    departed_at: at(departed),
    landed_at: at(departed + 90),
    origin: 'ORD',
    destination: 'LGA',
    distance: 700,
    delay: 20,
    late: true,
    ...more,
  };
}

async function rowsOf({ api }: TestApp, version: TrainingVersion) {
  const params = { namespace: 'training_sets', name: version.name };
  const query = { version: version.tableVersion, limit: 10_000 };
  return await api.call(readRows, { params, query });
}

async function build({ api }: TestApp, body: { from?: string; until?: string } = {}) {
  return await api.call(buildTrainingSet, { params: { name: 'late_train' }, body });
}

describe('a training set', () => {
  it('has rows with full windows and known labels, and counts the rest', async () => {
    await using it = await openFlights();
    const day = 1440;
    const flights = [
      flight(1, 0),
      flight(2, 29 * day),
      flight(3, 31 * day),
      flight(4, 32 * day, { late: false, delay: -5, origin: 'JFK' }),
      flight(5, 33 * day),
      flight(6, 59 * day - 60),
    ];
    await append(it, 'departures', flights.map(departure));
    await append(it, 'landings', flights.filter((one) => one.flight_id !== 5).map(landing));
    const until = formatInstant(at(59 * day));
    const built = await build(it, { from: '2001-01-01T00:00:00Z', until });
    expect(built).toMatchObject({
      version: 1,
      rows: 2,
      leftOut: { unfinishedWindow: 2, immatureLabel: 1, missingLabel: 1, excluded: 0 },
      labelRate: 0.5,
      reused: false,
    });
    const { columns, rows } = await rowsOf(it, built);
    expect(columns.slice(0, 3).map(({ name, type }) => [name, type])).toEqual([
      ['row_id', 'long'],
      ['T', 'timestamp'],
      ['origin_delays__n_2h', 'double'],
    ]);
    const named = rows.map((row) => Object.fromEntries(row.map((v, i) => [columns[i]!.name, v])));
    expect(named[0]).toMatchObject({
      row_id: 3,
      T: '2001-02-01T00:00:00Z',
      origin_delays__n_2h: 0,
      origin_delays__late_2h: null,
      origin_delays__n_30d: 1,
      origin_delays__late_30d: 1,
      distance: 700,
      hour: 18,
      weekday: 3,
      label: 1,
    });
    expect(named[1]).toMatchObject({ row_id: 4, origin_delays__n_30d: 0, label: 0, hour: 19 });
  });

  it('is the same version when nothing changed, and another when a source did', async () => {
    await using it = await openFlights();
    const flights = [flight(1, 0), flight(2, 32 * 1440), flight(3, 32 * 1440 + 5)];
    await append(it, 'departures', flights.map(departure));
    await append(it, 'landings', flights.map(landing));
    const range = { from: '2001-01-01T00:00:00Z', until: '2001-02-20T00:00:00Z' };
    const first = await build(it, range);
    it.clock.advance(1000);
    const again = await build(it, range);
    expect(again).toEqual({ ...first, reused: true });
    expect(pinOf(again)).toBe(pinOf(first));
    await append(it, 'landings', [landing(flight(2, 32 * 1440, { late: false }))]);
    const revised = await build(it, range);
    expect(revised).toMatchObject({ version: 2, rows: 2, labelRate: 0.5 });
    expect(revised.tableVersion).toBeGreaterThan(first.tableVersion);
    expect((await rowsOf(it, first)).rows.map((row) => row.at(-1))).toEqual([1, 1]);
    expect((await rowsOf(it, revised)).rows.map((row) => row.at(-1))).toEqual([0, 1]);
    const params = { name: 'late_train', version: 1 };
    const { reused: _, ...described } = first;
    expect(await it.api.call(getTrainingVersion, { params })).toEqual(described);
    const sets = await it.api.call(listTrainingSets, { query: {} });
    expect(sets.items).toMatchObject([{ name: 'late_train', latestVersion: 2 }]);
  });

  it('is built anew while labels were still to come', async () => {
    await using it = await openFlights();
    const flights = [flight(1, 0), flight(2, 58 * 1440), flight(3, 59 * 1440 - 10)];
    await append(it, 'departures', flights.map(departure));
    await append(it, 'landings', flights.map(landing));
    const range = { from: '2001-01-01T00:00:00Z', until: '2001-03-01T00:00:00Z' };
    const first = await build(it, range);
    expect(first).toMatchObject({ rows: 1, leftOut: { immatureLabel: 1 } });
    it.clock.advance(24 * 3600 * 1000);
    expect(await build(it, range)).toMatchObject({ version: 2, rows: 2, reused: false });
  });

  it('takes no rows of a time that is excluded, until the exclusion is withdrawn', async () => {
    await using it = await openFlights();
    const flights = [1, 2, 3, 4].map((id) => flight(id, id === 1 ? 0 : (30 + id) * 1440));
    await append(it, 'departures', flights.map(departure));
    await append(it, 'landings', flights.map(landing));
    const range = { from: '2001-01-01T00:00:00Z', until: '2001-02-20T00:00:00Z' };
    expect(await build(it, range)).toMatchObject({ version: 1, rows: 3 });
    const excluded = {
      source: 'departures',
      from: '2001-02-03T00:00:00Z',
      reason: 'distance in kilometres',
      key: 'loop/late/1',
    };
    const open = await it.api.call(recordExclusion, { body: excluded });
    expect(await it.api.call(recordExclusion, { body: excluded })).toEqual(open);
    expect(await build(it, range)).toMatchObject({
      version: 2,
      rows: 1,
      leftOut: { unfinishedWindow: 1, excluded: 2 },
    });
    const params = { exclusion: open.id };
    const body = { until: '2001-02-04T00:00:00Z' };
    const ended = await it.api.call(endExclusion, { params, body });
    expect(ended).toEqual({ ...open, until: body.until });
    expect(await build(it, range)).toMatchObject({ version: 3, rows: 2, leftOut: { excluded: 1 } });
    const other = { source: 'landings', from: '2001-01-01T00:00:00Z', reason: 'elsewhere' };
    await it.api.call(recordExclusion, { body: other });
    const reason = 'they were miles';
    await it.api.call(withdrawExclusion, { params, body: { reason } });
    expect(await build(it, range)).toMatchObject({ version: 1, reused: true });
    const listed = await it.api.call(listExclusions, { query: {} });
    expect(listed.items.map(({ withdrawnAt }) => withdrawnAt === null)).toEqual([true, false]);
    await expect(
      it.api.call(endExclusion, { params, body: { until: '2001-02-01T00:00:00Z' } }),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(
      it.api.call(endExclusion, { params: { exclusion: 'exc_none' }, body }),
    ).rejects.toMatchObject({ code: 'EXCLUSION_NOT_FOUND' });
  });

  it('answers what cannot be built', async () => {
    await using it = await openFlights();
    await expect(build(it)).rejects.toMatchObject({ code: 'TRAINING_SET_EMPTY' });
    await expect(build(it, { until: '2001-03-02T00:00:00Z' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: '2001-03-02T00:00:00Z lies after now.',
    });
    const params = { name: 'late_trian' };
    await expect(it.api.call(buildTrainingSet, { params, body: {} })).rejects.toMatchObject({
      code: 'TRAINING_SET_NOT_FOUND',
    });
  });

  it('rests on definitions that can be looked at', async () => {
    await using it = await openFlights();
    const service = await it.api.call(getService, { params: { service: 'late_v1' } });
    expect(service.features).toHaveLength(39);
    expect(service.features.at(-1)).toMatchObject({ name: 'weekday', kind: 'request' });
    const view = await it.api.call(getView, { params: { view: 'route_delays' } });
    expect(view).toMatchObject({ table: 'default.landings', windows: ['2h', '1d', '7d', '30d'] });
    expect(service.views).toContainEqual({ name: 'route_delays', hash: view.hash });
    const listed = await it.api.call(listViews, { query: { limit: 2 } });
    expect(listed.items.map(({ name }) => name)).toEqual(['destination_delays', 'origin_delays']);
    const params = { view: 'nope' };
    const missing = it.api.call(getView, { params });
    await expect(missing).rejects.toMatchObject({ code: 'FEATURE_VIEW_NOT_FOUND' });
  });

  it('comes as one Parquet file', async () => {
    await using it = await openFlights();
    const flights = [flight(1, 0), flight(2, 32 * 1440)];
    await append(it, 'departures', flights.map(departure));
    await append(it, 'landings', flights.map(landing));
    await build(it, { until: '2001-02-20T00:00:00Z' });
    const url = '/api/v1/training-sets/late_train/versions/1/parquet';
    const reply = await it.app.http.inject({ url, headers: { host: '127.0.0.1' } });
    expect(reply.statusCode).toBe(200);
    expect(reply.rawPayload.subarray(0, 4).toString()).toBe('PAR1');
    const none = await it.app.http.inject({
      url: url.replace('/1/', '/2/'),
      headers: { host: '127.0.0.1' },
    });
    expect(none.statusCode).toBe(404);
  });
});
