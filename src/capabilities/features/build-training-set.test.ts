import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ndjson, openLake, type Lake } from '../../../test/contracts/lake.ts';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { formatInstant, micros, parseInstant, type Micros } from '../../base/time.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { noFaults } from '../../platform/fault-points.ts';
import { buildTrainingSet } from './build-training-set.ts';
import { compile } from './compile.ts';
import type { CompiledService } from './compiled.ts';
import { parseDefinitions } from './definitions.ts';
import { FLIGHT_TABLES, flightSections } from './flights-definitions.ts';
import { naiveVector, type NaiveEvent } from './naive.ts';
import { EVENTS_AT_ONCE } from './sweep-views.ts';

/** Builds in the engine against the definition read literally. */

const START = present(parseInstant('2001-01-01T00:00:00Z'), 'the start');
const MINUTE = 60_000_000;
const DAY = 86_400_000_000;
const ZONES = { origin: { ORD: 'America/Chicago', JFK: 'America/New_York' } };

const at = (minutes: number): Micros => micros(START + minutes * MINUTE);

interface Flight {
  readonly flight_id: number;
  readonly departed_at: Micros;
  readonly landed_at: Micros;
  readonly origin: string | null;
  readonly destination: string;
  readonly distance: number | null;
  readonly delay: number | null;
  readonly late: boolean | null;
}

let lake: Lake;
let cases = 0;

/** Short windows and few keys, so that ends, ties and duplicates meet; tables of its own. */
function compiled(number: number) {
  const sections = flightSections();
  const features = {
    n: { agg: 'count' },
    late: { agg: 'avg', of: 'cast(late as double)' },
    spread: { agg: 'sum', of: 'delay * 0.1' },
    least: { agg: 'min', of: 'delay' },
    most: { agg: 'max', of: 'clamp(delay, -3, 3)' },
  };
  for (const view of Object.values(sections['views']!)) {
    Object.assign(view, { windows: ['5m', '1h'], features });
  }
  for (const [name, source] of Object.entries(sections['sources']!)) {
    source['table'] = `${name}_${number}`;
  }
  sections['labels']!['late']!['mature'] = '1m';
  delete sections['training_sets']!['late_train']!['require'];
  const schemas = new Map<string, readonly Column[]>([
    [`default.departures_${number}`, FLIGHT_TABLES.departures],
    [`default.landings_${number}`, FLIGHT_TABLES.landings],
    ['default.airports', FLIGHT_TABLES.airports],
  ]);
  const { services, trainingSets } = compile(parseDefinitions(sections), { schemas, zones: ZONES });
  const set = present(trainingSets.get('late_train'), 'the set');
  const service = present(services.get('late_v1'), 'the service');
  return { service, set: { ...set, name: `late_train_${number}` } };
}

/** In two commits, so that revisions come from other files, too; answers the version. */
async function fill(
  name: string,
  columns: readonly Column[],
  flights: readonly Flight[],
): Promise<number> {
  const ref = { namespace: 'default', name };
  await lake.tables.create(ref, columns);
  const rows = flights.map((flight) =>
    Object.fromEntries(
      columns.map((column) => {
        const value = flight[column.name as keyof Flight];
        return [column.name, column.type === 'timestamp' ? formatInstant(value as Micros) : value];
      }),
    ),
  );
  const half = Math.ceil(rows.length / 2);
  await lake.tables.append({ ...ref, ndjson: ndjson(...rows.slice(0, half)) });
  const done = await lake.tables.append({ ...ref, ndjson: ndjson(...rows.slice(half)) });
  return done.version;
}

async function built(
  departures: readonly Flight[],
  landings: readonly Flight[],
): Promise<{ readonly rows: unknown[][]; readonly service: CompiledService }> {
  cases += 1;
  const { service, set } = compiled(cases);
  const versions = {
    departures: await fill(`departures_${cases}`, FLIGHT_TABLES.departures, departures),
    landings: await fill(`landings_${cases}`, FLIGHT_TABLES.landings, landings),
  };
  const range = { from: START, until: START + DAY, now: START + 2 * DAY };
  const deps = {
    tables: lake.tables,
    analytics: lake.analytics,
    faults: noFaults,
    // Every other build reads its events in parts.
    eventsAtOnce: cases % 2 === 0 ? 3 : EVENTS_AT_ONCE,
  };
  const { signal } = new AbortController();
  try {
    const request = { set, service, versions, ...range, excluded: [], build: 'b' };
    const { tableVersion } = await buildTrainingSet(deps, request, signal);
    const ref = { namespace: 'training_sets', name: set.name };
    const page = { version: tableVersion, offset: 0, limit: 1000 };
    return { service, rows: (await lake.tables.rows(ref, page)).rows };
  } catch (thrown) {
    const isEmpty = thrown instanceof AppError && thrown.code === 'TRAINING_SET_EMPTY';
    if (isEmpty) return { service, rows: [] };
    throw thrown;
  }
}

const toEvents = (rows: readonly Flight[], time: 'landed_at' | 'departed_at'): NaiveEvent[] =>
  rows.map((row) => ({ id: row.flight_id, eventTime: row[time], row: { ...row } }));

function lastRevisions(events: readonly NaiveEvent[]): NaiveEvent[] {
  return [...new Map(events.map((event) => [event.id, event])).values()];
}

/** What the definition says the training set is, row by row. */
function expected(
  service: CompiledService,
  departures: readonly Flight[],
  landings: readonly Flight[],
): unknown[][] {
  const events = toEvents(landings, 'landed_at');
  const labels = new Map(lastRevisions(events).map(({ id, row }) => [id, row['late']]));
  return lastRevisions(toEvents(departures, 'departed_at'))
    .sort((a, b) => a.eventTime - b.eventTime || Number(a.id) - Number(b.id))
    .flatMap(({ id, eventTime, row }) => {
      const late = labels.get(id) ?? null;
      if (late === null) return [];
      const vector = naiveVector(service, () => events, { inputs: row, time: eventTime });
      return [[id, formatInstant(micros(eventTime)), ...vector, late === true ? 1 : 0]];
    });
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

describe('a build of a training set', () => {
  it('computes what the definition says', { timeout: 120_000 }, async () => {
    lake = await openLake();
    await fc.assert(
      fc.asyncProperty(history, history, async (departures, landings) => {
        const { service, rows } = await built(departures, landings);
        expect(rows).toEqual(expected(service, departures, landings));
      }),
      { numRuns: 40 },
    );
  });

  it('does not let what happens after T change a vector', { timeout: 120_000 }, async () => {
    lake = await openLake();
    await fc.assert(
      fc.asyncProperty(history, history, minute, async (departures, landings, cut) => {
        const unique = [...new Map(landings.map((one) => [one.flight_id, one])).values()];
        const after = unique.filter((one) => one.landed_at >= at(cut));
        // Outcomes after the cut change places and values.
        const moved = after.map((one, index) => {
          const { delay, late } = present(after[(index + 1) % after.length], 'another');
          return { ...one, delay: delay === null ? 1 : -delay, late: late === null ? true : !late };
        });
        const before = unique.filter((one) => one.landed_at < at(cut));
        const vectors = async (rows: readonly Flight[]) =>
          (await built(departures, rows)).rows
            .filter((row) => present(parseInstant(row[1] as string), 'T') <= at(cut))
            .map((row) => [row[0], row.slice(2, -1)] as const);
        const original = new Map(await vectors([...before, ...after]));
        for (const [id, vector] of await vectors([...before, ...moved])) {
          if (original.has(id)) expect(vector).toEqual(original.get(id));
        }
      }),
      { numRuns: 20 },
    );
  });
});
