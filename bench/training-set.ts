import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { present } from '../src/base/assert.ts';
import type { Column } from '../src/formats/delta/schema.ts';
import { duckDbName } from '../src/formats/expression/print-duckdb.ts';
import {
  buildTrainingSet,
  TRAINING_SETS,
} from '../src/capabilities/features/build-training-set.ts';
import { compile } from '../src/capabilities/features/compile.ts';
import type {
  CompiledService,
  CompiledTrainingSet,
  CompiledView,
} from '../src/capabilities/features/compiled.ts';
import { parseDefinitions } from '../src/capabilities/features/definitions.ts';
import { FLIGHT_TABLES, flightSections } from '../src/capabilities/features/flights-definitions.ts';
import { DeltaTables } from '../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../src/platform/analytics/duckdb.ts';
import type { Analytics, Scratch } from '../src/platform/analytics/port.ts';
import { noFaults } from '../src/platform/fault-points.ts';
import { createIds, systemClock } from '../src/platform/system.ts';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { options } from './rig/options.ts';
import { median, round } from './rig/quantile.ts';
import { untilQuiet } from './rig/quiet.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** A training set of the flights' shape: our sweep beside DuckDB's RANGE frames. */

const AIRPORTS = 229;
const DAYS = 58;
const FIRST_DAY = 31;
const DAY = 86_400_000_000;
const START = Date.parse('2001-01-01T00:00:00Z') * 1000;
const MEMORY_BYTES = 4 * 1024 ** 3;
const LIMIT_SECONDS = 5;

interface Measured {
  readonly round: number;
  readonly buildSeconds: number;
  readonly framesSeconds: number;
  readonly rows: number;
  readonly peakMb: number;
}

interface Rig {
  readonly analytics: Analytics;
  readonly tables: DeltaTables;
  readonly set: CompiledTrainingSet;
  readonly service: CompiledService;
}

/** Flights spread over the days by a fixed hash: busy airports have many, small ones few. */
function flightsSql(flights: number): string {
  const airport = (salt: number): string =>
    `'A' || (${AIRPORTS} * pow((hash(i * 7 + ${salt}) % 1000000) / 1e6, 2))::INTEGER`;
  const departed = `make_timestamptz(${START} + (i * ${(DAYS * DAY) / flights})::BIGINT)`;
  const distance = '(100 + hash(i * 7 + 3) % 2500)::INTEGER';
  const delay = '((hash(i * 7 + 4) % 120)::INTEGER - 30)';
  return (
    `SELECT i AS flight_id, ${departed} AS departed_at, ${airport(1)} AS origin, ` +
    `${airport(2)} AS destination, ${distance} AS distance, ${delay} AS delay, ` +
    `${delay} > 15 AS late, ${departed} + INTERVAL 30 MINUTE + ` +
    `to_seconds(${distance} * 8.0) AS landed_at FROM range(${flights}) AS r(i)`
  );
}

async function openRig(folder: string, flights: number): Promise<Rig> {
  const ids = createIds(systemClock);
  const lakeFolder = join(folder, 'lake');
  mkdirSync(lakeFolder, { recursive: true });
  const analytics = await openDuckDb({
    folders: [folder],
    temporaryFolder: join(folder, 'spill'),
    memoryLimitBytes: MEMORY_BYTES,
    // As in the engine.
    threads: 1,
    ids,
  });
  const tables = new DeltaTables({ lakeFolder, analytics, clock: systemClock, ids });
  const schemas = new Map<string, readonly Column[]>();
  for (const [name, columns] of Object.entries(FLIGHT_TABLES)) {
    const ref = { namespace: 'default', name };
    schemas.set(`default.${name}`, columns);
    await tables.create(ref, columns);
    if (name !== 'airports') await tables.append({ ...ref, select: flightsSql(flights) });
  }
  const zones = Object.fromEntries(
    Array.from({ length: AIRPORTS + 1 }, (_, airport) => [
      `A${airport}`,
      ['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles'][
        airport % 4
      ]!,
    ]),
  );
  const compiled = compile(parseDefinitions(flightSections()), {
    schemas,
    zones: { origin: zones },
  });
  const set = present(compiled.trainingSets.get('late_train'), 'the training set');
  return { analytics, tables, set, service: present(compiled.services.get('late_v1'), 'it') };
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const begin = performance.now();
  const result = await work();
  return { seconds: (performance.now() - begin) / 1000, result };
}

async function measureRound(rig: Rig, number: number): Promise<Measured> {
  const { set, service } = rig;
  const versions = { departures: 1, landings: 1 };
  const [from, until] = [START + FIRST_DAY * DAY, START + DAYS * DAY];
  const now = until + DAY;
  const request = { set, service, versions, from, until, excluded: [], now, build: `${number}` };
  const deps = { ...rig, faults: noFaults };
  const built = await timed(() => buildTrainingSet(deps, request, new AbortController().signal));
  const peakMb = process.resourceUsage().maxRSS / 1024;
  const frames = await rig.analytics.scratch((scratch) =>
    rangeFrames(scratch, rig, built.result.tableVersion),
  );
  return {
    round: number,
    buildSeconds: round(built.seconds, 2),
    framesSeconds: round(frames, 2),
    rows: built.result.rows,
    peakMb: round(peakMb, 0),
  };
}

/**
 * Seconds that DuckDB takes for the same windows of the same rows, from the same files; the values
 * are compared with ours afterwards, outside the time.
 */
async function rangeFrames(scratch: Scratch, rig: Rig, tableVersion: number): Promise<number> {
  const { tables, service, set } = rig;
  const ref = { namespace: TRAINING_SETS, name: set.name };
  const ours = await tables.files(ref, tableVersion);
  await scratch.run(
    `CREATE TABLE ${scratch.table('ours')} AS ${scratch.rowsOf(ours.files, ours.columns)}`,
  );
  const departures = await tables.files({ namespace: 'default', name: 'departures' });
  const landings = await tables.files({ namespace: 'default', name: 'landings' });
  const { seconds } = await timed(async () => {
    await scratch.run(
      `CREATE TABLE ${scratch.table('queries')} AS SELECT *, epoch_us(departed_at) AS t FROM ` +
        `(${scratch.rowsOf(departures.files, departures.columns)}) WHERE flight_id IN ` +
        `(SELECT row_id FROM ${scratch.table('ours')})`,
    );
    await scratch.run(
      `CREATE TABLE ${scratch.table('events')} AS SELECT *, epoch_us(landed_at) AS t FROM ` +
        `(${scratch.rowsOf(landings.files, landings.columns)})`,
    );
    for (const view of service.views) await scratch.run(framesSql(scratch, view));
  });
  for (const view of service.views) await assertEqual(scratch, view);
  return seconds;
}

function framesSql(scratch: Scratch, view: CompiledView): string {
  const keys = view.keys.map(({ name }) => duckDbName(name)).join(', ');
  const values = view.aggregates.map(({ sql }, at) => `${sql ?? '1::DOUBLE'} AS v${at}`);
  const nulls = view.aggregates.map((_, at) => `NULL AS v${at}`);
  const windows = view.windows.map(
    ({ micros }, at) =>
      `w${at} AS (PARTITION BY ${keys} ORDER BY t ` +
      `RANGE BETWEEN ${micros} PRECEDING AND 1 PRECEDING)`,
  );
  const columns = view.aggregates.flatMap((aggregate, at) =>
    view.windows.map(
      ({ name }, index) =>
        `${aggregate.function}(v${at}) OVER w${index} AS ` +
        duckDbName(`${view.name}__${aggregate.name}_${name}`),
    ),
  );
  return (
    `CREATE TABLE ${scratch.table(view.name)} AS SELECT * FROM (SELECT n, ${columns.join(', ')} ` +
    `FROM (SELECT ${keys}, t, NULL AS n, ${values.join(', ')} FROM ${scratch.table('events')} ` +
    `UNION ALL SELECT ${keys}, t, flight_id, ${nulls.join(', ')} ` +
    `FROM ${scratch.table('queries')}) WINDOW ${windows.join(', ')}) WHERE n IS NOT NULL`
  );
}

/** Averages are compared as DuckDB computes them, with rounding on the way. */
async function assertEqual(scratch: Scratch, view: CompiledView): Promise<void> {
  const differs = view.aggregates.flatMap((aggregate) =>
    view.windows.map(({ name }) => {
      const column = duckDbName(`${view.name}__${aggregate.name}_${name}`);
      return (
        `(o.${column} IS NULL) <> (f.${column} IS NULL) OR ` +
        `abs(o.${column} - f.${column}) > 1e-9 * greatest(1, abs(o.${column}))`
      );
    }),
  );
  const [[count]] = (await scratch.rows(
    `SELECT count(*) FROM ${scratch.table('ours')} AS o JOIN ${scratch.table(view.name)} AS f ` +
      `ON f.n = o.row_id WHERE ${differs.join(' OR ')}`,
  )) as [[bigint]];
  if (count !== 0n) throw new Error(`${count} rows of ${view.name} differ from DuckDB's frames.`);
}

function findings(rounds: readonly Measured[], flights: number): Findings {
  const of = (what: keyof Measured): number => median(rounds.map((one) => one[what]));
  const seconds = of('buildSeconds');
  const frames = of('framesSeconds');
  return {
    name: 'training-set',
    method:
      `${flights} landings and departures in ${DAYS} days, ${AIRPORTS} airports of uneven size; ` +
      'three views (origin, destination, route) of 4 windows and 3 aggregates, three features ' +
      'of the request; one row for each departure of the last days. "sweep" is the whole build: ' +
      'reading the tables, labels, sorting, sweeping, profile, Parquet file and commit. ' +
      '"frames" is only the windows, by RANGE frames of the same DuckDB into a table in memory; ' +
      'its values are compared with ours. One DuckDB thread, as in the engine. ' +
      'The first round is dropped.',
    settings: { flights, days: DAYS, airports: AIRPORTS, threads: 1 },
    versions: { '@duckdb/node-api': packageVersion('@duckdb/node-api') },
    rounds,
    table: [
      {
        rows: of('rows'),
        'sweep s': round(seconds, 2),
        'frames s': round(frames, 2),
        'frames / sweep': round(frames / seconds, 1),
        'peak MB': of('peakMb'),
      },
    ],
    budgets: [
      {
        what: 'training set of 31 January to 27 February, built in the engine',
        limit: `< ${LIMIT_SECONDS} s`,
        measured: `${round(seconds, 2)} s`,
        isMet: seconds < LIMIT_SECONDS,
      },
    ],
  };
}

await runMain(async () => {
  const { rounds, flights, patience } = options({ rounds: 5, flights: 500_000, patience: 60 });
  const folder = mkdtempSync(join(CACHE, 'bench-training-set-'));
  try {
    await keepResult(async () => {
      const rig = await openRig(folder, flights);
      const measured: Measured[] = [];
      for (let number = 0; number <= rounds; number += 1) {
        await untilQuiet(patience);
        const one = await measureRound(rig, number);
        say(`  ${one.rows} rows: sweep ${one.buildSeconds} s, frames ${one.framesSeconds} s`);
        if (number > 0) measured.push(one);
      }
      await rig.analytics.close();
      return findings(measured, flights);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
