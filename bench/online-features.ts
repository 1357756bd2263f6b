import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { micros } from '../src/base/time.ts';
import { present } from '../src/base/assert.ts';
import type { Column } from '../src/formats/delta/schema.ts';
import { compile } from '../src/capabilities/features/compile.ts';
import type { CompiledService } from '../src/capabilities/features/compiled.ts';
import { parseDefinitions } from '../src/capabilities/features/definitions.ts';
import { FLIGHT_TABLES, flightSections } from '../src/capabilities/features/flights-definitions.ts';
import { FeatureIngest } from '../src/capabilities/features/ingest.ts';
import { OnlineFeatures } from '../src/capabilities/features/online-features.ts';
import { DeltaTables } from '../src/capabilities/tables/delta-tables.ts';
import { openDuckDb } from '../src/platform/analytics/duckdb.ts';
import { noFaults } from '../src/platform/fault-points.ts';
import { openLmdbWriter } from '../src/platform/kv/lmdb.ts';
import type { KvWriter } from '../src/platform/kv/port.ts';
import { createIds, systemClock } from '../src/platform/system.ts';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { options } from './rig/options.ts';
import { median, quantile, round } from './rig/quantile.ts';
import { untilQuiet } from './rig/quiet.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** Landings into the online store through three views, and vectors of 36 windows out of it. */

const AIRPORTS = 229;
const DAYS = 58;
const DAY = 86_400_000_000;
const START = Date.parse('2001-01-01T00:00:00Z') * 1000;
const END = START + DAYS * DAY;
const MEMORY_BYTES = 1024 ** 3;
const LANDINGS = { namespace: 'default', name: 'landings' };
const READS = 20_000;
const EVENTS_LIMIT = 60_000;
const P99_LIMIT_US = 1500;

interface Measured {
  readonly round: number;
  readonly filledPerSecond: number;
  readonly followedPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Flights by a fixed hash: busy airports have many, small ones few. */
function landingsSql(first: number, count: number, all: number): string {
  const airport = (salt: number): string =>
    `'A' || (${AIRPORTS} * pow((hash(i * 7 + ${salt}) % 1000000) / 1e6, 2))::INTEGER`;
  const delay = '((hash(i * 7 + 4) % 210)::INTEGER - 30)';
  return (
    `SELECT i AS flight_id, make_timestamptz(${START} + (i * ${(DAYS * DAY) / all})::BIGINT) ` +
    `AS landed_at, ${airport(1)} AS origin, ${airport(2)} AS destination, ${delay} AS delay, ` +
    `${delay} > 15 AS late FROM range(${first}, ${first + count}) AS r(i)`
  );
}

function service(): CompiledService {
  const schemas = new Map<string, readonly Column[]>(
    Object.entries(FLIGHT_TABLES).map(([name, columns]) => [`default.${name}`, columns]),
  );
  const compiled = compile(parseDefinitions(flightSections()), { schemas, zones: { origin: {} } });
  return present(compiled.services.get('late_v1'), 'the service');
}

/** Rows of the table that are taken by one call after another; seconds that took. */
async function taken(ingest: FeatureIngest, views: CompiledService['views']): Promise<number> {
  const begin = performance.now();
  const { signal } = new AbortController();
  for (;;) {
    const { done, failures } = await ingest.run({ views, now: micros(END) }, signal);
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    if (done) return (performance.now() - begin) / 1000;
  }
}

function readTimes(kv: KvWriter, of: CompiledService): Float64Array {
  const online = new OnlineFeatures({ kv }).resolve(of);
  const times = new Float64Array(READS);
  for (let read = 0; read < READS; read += 1) {
    // Like flights themselves: busy airports are asked for more often.
    const airport = (salt: number): string =>
      `A${Math.floor(AIRPORTS * (((read * salt) % 1009) / 1009) ** 2)}`;
    const inputs = { origin: airport(613), destination: airport(397), distance: 700 };
    const at = micros(END - ((read * 7919) % 86_400) * 1_000_000);
    const begin = performance.now();
    online.read(inputs, at);
    times[read] = (performance.now() - begin) * 1000;
  }
  return times.sort();
}

async function measureRound(
  folder: string,
  on: { readonly number: number; readonly flights: number },
): Promise<Measured> {
  const { number, flights } = on;
  const ids = createIds(systemClock);
  const lakeFolder = join(folder, `lake-${number}`);
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
  await tables.create(LANDINGS, FLIGHT_TABLES.landings);
  const step = Math.floor(flights / 10);
  await tables.append({ ...LANDINGS, select: landingsSql(0, flights - step, flights) });
  const kv = await openLmdbWriter(join(folder, `online-${number}`));
  const deps = { tables, analytics, kv, clock: systemClock, faults: noFaults };
  const ingest = new FeatureIngest(deps);
  const compiled = service();
  const fillSeconds = await taken(ingest, compiled.views);
  await tables.append({ ...LANDINGS, select: landingsSql(flights - step, step, flights) });
  const followSeconds = await taken(ingest, compiled.views);
  const times = readTimes(kv, compiled);
  await kv.close();
  await analytics.close();
  return {
    round: number,
    filledPerSecond: Math.round((flights - step) / fillSeconds),
    followedPerSecond: Math.round(step / followSeconds),
    p50Us: round(quantile(times, 0.5), 1),
    p99Us: round(quantile(times, 0.99), 1),
  };
}

async function measure(on: {
  readonly folder: string;
  readonly rounds: number;
  readonly flights: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, rounds, flights, patience } = on;
  const measured: Measured[] = [];
  for (let number = 0; number <= rounds; number += 1) {
    await untilQuiet(patience);
    const one = await measureRound(folder, { number, flights });
    say(
      `  filled ${one.filledPerSecond}/s, followed ${one.followedPerSecond}/s, ` +
        `read p50 ${one.p50Us} us, p99 ${one.p99Us} us`,
    );
    // The first round warms up.
    if (number > 0) measured.push(one);
  }
  return findings(measured, flights);
}

function findings(rounds: readonly Measured[], flights: number): Findings {
  const of = (what: keyof Measured): number => round(median(rounds.map((one) => one[what])), 1);
  const [followed, filled, p99] = [of('followedPerSecond'), of('filledPerSecond'), of('p99Us')];
  return {
    name: 'online-features',
    method:
      `${flights} landings over ${DAYS} days at ${AIRPORTS} airports, busy ones more often, ` +
      'through three views of four windows (2 h to 30 days) and three aggregates each, from a ' +
      'Delta table into LMDB on disk, one process. "filled": nine tenths of them from the ' +
      'beginning; "followed": the last tenth as one commit, as it is appended. "read": the ' +
      'vector of 39 features of an origin and destination at a T of the last day, in process, over ' +
      `${READS} reads. The first round is dropped.`,
    settings: { flights, days: DAYS, airports: AIRPORTS, reads: READS },
    versions: { duckdb: packageVersion('@duckdb/node-api'), lmdb: packageVersion('lmdb') },
    rounds,
    table: [
      {
        'filled events/s': filled,
        'followed events/s': followed,
        'read p50 us': of('p50Us'),
        'read p99 us': p99,
      },
    ],
    budgets: [
      {
        what: 'feature events into the online store through 3 views, filled: events/s',
        limit: `>= ${EVENTS_LIMIT}`,
        measured: String(filled),
        isMet: filled >= EVENTS_LIMIT,
      },
      {
        what: 'feature events into the online store through 3 views, followed: events/s',
        limit: `>= ${EVENTS_LIMIT}`,
        measured: String(followed),
        isMet: followed >= EVENTS_LIMIT,
      },
      {
        what: 'a vector of 39 online features, in process: p99 us',
        limit: `<= ${P99_LIMIT_US}`,
        measured: String(p99),
        isMet: p99 <= P99_LIMIT_US,
      },
    ],
  };
}

await runMain(async () => {
  const folder = mkdtempSync(join(CACHE, 'bench-online-features-'));
  try {
    await keepResult(() =>
      measure({ folder, ...options({ rounds: 5, flights: 900_000, patience: 60 }) }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
