import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInstant, micros, parseInstant, type Micros } from '../../src/base/time.ts';
import { createTestApp, type TestApp } from '../../src/app/testing.ts';
import { appendRows, createTable, readRows } from '../../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../../src/capabilities/workspace/contract.ts';
import type { CompiledService } from '../../src/capabilities/features/compiled.ts';
import {
  buildTrainingSet,
  getTrainingVersion,
  listTrainingSets,
  pinOf,
  type TrainingVersion,
} from '../../src/capabilities/features/contract.ts';
import {
  FLIGHT_TABLES,
  flightSections,
} from '../../src/capabilities/features/flights-definitions.ts';
import { FeaturesStore } from '../../src/capabilities/features/store.ts';
import { naiveVector, type NaiveEvent } from '../../src/capabilities/features/naive.ts';

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

async function openFlights(sections = flightSections()): Promise<TestApp> {
  const it = await createTestApp();
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const body = { namespace: 'default', name, columns: [...columns] };
    await it.api.call(createTable, { body });
  }
  await append(it, 'airports', [
    { iata: 'ORD', zone: 'America/Chicago' },
    { iata: 'JFK', zone: 'America/New_York' },
  ]);
  await it.api.call(applyDeclared, { body: { declared: sections } });
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
      leftOut: { unfinishedWindow: 2, immatureLabel: 1, missingLabel: 1 },
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

/** Short windows and few keys, so that ends, ties and duplicates meet. */
function smallSections() {
  const sections = flightSections();
  const features = {
    n: { agg: 'count' },
    late: { agg: 'avg', of: 'cast(late as double)' },
    spread: { agg: 'sum', of: 'delay * 0.1' },
    least: { agg: 'min', of: 'delay' },
    most: { agg: 'max', of: 'clamp(delay, -3, 3)' },
  };
  for (const view of Object.values(sections['views']!)) {
    Object.assign(view as object, { windows: ['5m', '1h'], features });
  }
  sections['labels']!['late']!['mature'] = '1m';
  delete sections['training_sets']!['late_train']!['require'];
  return sections;
}

const minute = fc.integer({ min: 0, max: 120 });
const anyFlight: fc.Arbitrary<Flight> = fc.record({
  flight_id: fc.integer({ min: 1, max: 12 }),
  departed_at: minute.map(at),
  landed_at: minute.map(at),
  origin: fc.constantFrom('ORD', 'JFK', null),
  destination: fc.constantFrom('ORD', 'JFK'),
  distance: fc.option(fc.integer({ min: 0, max: 9 })),
  delay: fc.option(fc.integer({ min: -5, max: 5 })),
  late: fc.constantFrom(true, false, false, true, null),
});
const history = fc.array(anyFlight, { minLength: 1, maxLength: 25 });

async function compiledService(it: TestApp): Promise<CompiledService> {
  const { db } = it.app.platform;
  const found = await new FeaturesStore(db).find<CompiledService>('service', 'late_v1');
  return found!.body.compiled;
}

const toEvents = (rows: readonly Flight[], time: 'landed_at' | 'departed_at'): NaiveEvent[] =>
  rows.map((row) => ({ id: row.flight_id, eventTime: row[time], row: { ...row } }));

/** What the definition says the training set is, computed row by row. */
function expected(
  service: CompiledService,
  departures: readonly Flight[],
  landings: readonly Flight[],
) {
  const last = <T extends { readonly id: unknown }>(events: readonly T[]): T[] => [
    ...new Map(events.map((event) => [event.id, event])).values(),
  ];
  const labels = new Map(last(toEvents(landings, 'landed_at')).map((one) => [one.id, one.row]));
  return last(toEvents(departures, 'departed_at'))
    .sort((a, b) => a.eventTime - b.eventTime || Number(a.id) - Number(b.id))
    .flatMap(({ id, eventTime, row }) => {
      const late = labels.get(id)?.['late'];
      if (late === undefined || late === null) return [];
      const events = () => toEvents(landings, 'landed_at');
      const vector = naiveVector(service, events, { inputs: row, time: eventTime });
      return [[id, formatInstant(micros(eventTime)), ...vector, late === true ? 1 : 0]];
    });
}

const RANGE = { from: '2001-01-01T00:00:00Z', until: '2001-01-02T00:00:00Z' };

async function built(
  departures: readonly Flight[],
  landings: readonly Flight[],
): Promise<{ readonly rows: unknown[][]; readonly service: CompiledService }> {
  await using it = await openFlights(smallSections());
  // In two commits each, so that revisions come from other files, too.
  for (const half of [0, 1]) {
    const part = (rows: readonly Flight[]) =>
      rows.filter((_, index) => index * 2 >= rows.length === (half === 1));
    await append(it, 'departures', part(departures).map(departure));
    await append(it, 'landings', part(landings).map(landing));
  }
  const service = await compiledService(it);
  try {
    return { service, rows: (await rowsOf(it, await build(it, RANGE))).rows };
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'TRAINING_SET_EMPTY') return { service, rows: [] };
    throw thrown;
  }
}

describe('the sweep of a training set', () => {
  it('computes what the definition says', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(history, history, async (departures, landings) => {
        const { service, rows } = await built(departures, landings);
        expect(rows).toEqual(expected(service, departures, landings));
      }),
      { numRuns: 25 },
    );
  });

  it('does not let what happens after T change a vector', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(history, history, minute, async (departures, landings, cut) => {
        const unique = [...new Map(landings.map((one) => [one.flight_id, one])).values()];
        const after = unique.filter((one) => one.landed_at >= at(cut));
        // Outcomes after the cut change places.
        const moved = after.map((one, index) => {
          const { delay, late } = after[(index + 1) % after.length]!;
          return { ...one, delay: delay === null ? 1 : -delay, late: late === null ? true : !late };
        });
        const before = unique.filter((one) => one.landed_at < at(cut));
        const vectors = async (rows: readonly Flight[]) =>
          (await built(departures, rows)).rows
            .filter((row) => parseInstant(row[1] as string)! <= at(cut))
            .map((row) => [row[0], row.slice(2, -1)] as const);
        const original = new Map(await vectors([...before, ...after]));
        for (const [id, vector] of await vectors([...before, ...moved])) {
          if (original.has(id)) expect(vector).toEqual(original.get(id));
        }
      }),
      { numRuns: 12 },
    );
  });
});
