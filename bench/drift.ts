import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MonitorSpec, type Check } from '../src/capabilities/monitoring/contract.ts';
import { judgeDrift } from '../src/capabilities/monitoring/judge-drift.ts';
import { DAY_MICROS } from '../src/capabilities/monitoring/periods.ts';
import {
  decodeProfile,
  encodeProfile,
  profileOf,
  type Profile,
} from '../src/capabilities/monitoring/profile.ts';
import { SLICE_ROWS_MAX, slicesIn, type Slice } from '../src/capabilities/monitoring/slice.ts';
import { SummaryFiles } from '../src/capabilities/monitoring/summary-files.ts';
import { LabelledRequestReader } from '../src/capabilities/predictions/labelled-requests.ts';
import { PREDICTION_COLUMNS, PREDICTIONS } from '../src/capabilities/predictions/tables.ts';
import { drawNormal, seededRandom } from '../src/base/stats/seeded-random.ts';
import { micros } from '../src/base/time.ts';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { interleaved, middle, type Series } from './rig/interleaved.ts';
import { openLake, type Lake } from './rig/lake.ts';
import { options } from './rig/options.ts';
import { round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** How long it takes to say whether the columns of a day's requests drifted. */

const ENDPOINT = 'late';
const DEFINITION = 'd'.repeat(64);
const COLUMNS = Array.from({ length: 50 }, (_, index) => `f${index}`);
const TRAINING_DAYS = 31;
const TRAINING_ROWS = 62_000;
const DAY = {
  from: micros(TRAINING_DAYS * DAY_MICROS),
  until: micros((TRAINING_DAYS + 1) * DAY_MICROS),
};
const SPEC = MonitorSpec.parse({}).drift;

type Contender = 'table' | 'summaries';

async function measure(on: {
  readonly folder: string;
  readonly rows: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, rows } = on;
  const lake = await openLake(folder);
  await makeRequests(lake, rows);
  say(`  ${rows} requests are in their table`);
  const profile = trainingProfile();
  const files = (): SummaryFiles => new SummaryFiles(join(folder, 'monitoring'));
  await files().write(ENDPOINT, 'profile', { value: profile, encode: encodeProfile });
  let slices: readonly Slice[] = [];
  const series = await interleaved<Contender>(on, {
    table: async () => {
      const begin = performance.now();
      slices = await readSlices(lake, profile);
      const read = performance.now();
      assertSound(judgeDrift({ spec: SPEC, profile, slices, ignore: new Set() }), rows);
      return {
        seconds: (performance.now() - begin) / 1000,
        'judging s': (performance.now() - read) / 1000,
      };
    },
    summaries: async () => {
      if (slices.length === 0) slices = await readSlices(lake, profile);
      await files().write(ENDPOINT, 'slices', { value: slices, encode: (value) => value });
      // As in an engine that has just been started: nothing of it is in memory.
      const kept = files();
      const begin = performance.now();
      const [about, day] = await Promise.all([
        kept.read(ENDPOINT, 'profile', decodeProfile),
        kept.read<readonly Slice[]>(ENDPOINT, 'slices', (value) => value),
      ]);
      const asked = { spec: SPEC, profile: about!, slices: day!, ignore: new Set<string>() };
      assertSound(judgeDrift(asked), rows);
      return { seconds: (performance.now() - begin) / 1000 };
    },
  });
  await lake.analytics.close();
  return findings(series, rows);
}

/** As the flush leaves them, a vector of numbers as JSON each. */
async function makeRequests({ tables, analytics }: Lake, rows: number): Promise<void> {
  const ref = { namespace: PREDICTIONS, name: ENDPOINT };
  await tables.create(ref, PREDICTION_COLUMNS);
  const texts: Readonly<Record<string, string>> = {
    request_id: "'req_' || i",
    answered_at: `make_timestamptz(${DAY.from} + (i * ${DAY_MICROS / rows})::BIGINT)`,
    arm: "'blue'",
    reason: "'weight'",
    model: `'${ENDPOINT}'`,
    digest: "'x'",
    runtime: "'onnxruntime'",
    journal: "'main'",
    service: "'late_v1'",
    definition: `'${DEFINITION}'`,
    outputs: `'[{"name":"score","datatype":"FP32","shape":[1],"data":[' || u[1] || ']}]'`,
    entity: `'{"origin":"A' || i % 200 || '"}'`,
    // The mean of four even numbers, about normal; the first column has moved by a quarter.
    features: "'[' || array_to_string(u, ',') || ']'",
    status: '200',
    truncated: 'false',
    seq: 'i',
  };
  const numbers = new Set(['route_revision', 'version', 'queue_us', 'inference_us', 'total_us']);
  const columns = PREDICTION_COLUMNS.map(({ name, nullable }) => {
    if (name === 'answered_wall') return `${texts['answered_at']} AS answered_wall`;
    const value = texts[name] ?? (numbers.has(name) ? '1' : nullable ? 'NULL' : `''`);
    return `${value} AS ${name}`;
  });
  const draw = COLUMNS.map((_, index) => {
    const parts = [0, 1, 2, 3].map(
      (part) => `(hash(i * 331 + ${index * 4 + part}) % 1000)::INTEGER`,
    );
    const moved = index === 0 ? 250 : 0;
    return `(${parts.join(' + ')} + ${moved} - 1998) / 1000`;
  });
  const select =
    `SELECT ${columns.join(', ')} FROM (SELECT i, [${draw.join(', ')}] AS u ` +
    `FROM range(${rows}) AS r(i))`;
  await analytics.scratch(async () => {
    await tables.append({ ...ref, select });
  });
}

/** What the version was trained on: the same distributions, over a month of days. */
function trainingProfile(): Profile {
  const random = seededRandom('drift');
  const times = new Float64Array(TRAINING_ROWS);
  const columns = new Map(COLUMNS.map((name) => [name, new Float64Array(TRAINING_ROWS)]));
  for (let row = 0; row < TRAINING_ROWS; row += 1) {
    times[row] = ((row + 0.5) / TRAINING_ROWS) * TRAINING_DAYS * DAY_MICROS;
    for (const values of columns.values()) values[row] = 0.577 * drawNormal(random);
  }
  return profileOf(1, { times, columns, scores: null, inputs: null });
}

async function readSlices(lake: Lake, profile: Profile): Promise<readonly Slice[]> {
  const layouts = [{ definition: DEFINITION, features: COLUMNS }];
  const sampled = { documentsMax: SLICE_ROWS_MAX };
  const request = { endpoint: ENDPOINT, ...DAY, at: DAY.until, layouts, ...sampled };
  const rows = await new LabelledRequestReader(lake).read(request, new AbortController().signal);
  return slicesIn(rows, DAY, new Map([[profile.version, profile]]));
}

/** The column that was moved must be found among all others. */
function assertSound(checks: readonly Check[], rows: number): void {
  const breached = checks.filter(({ isBreach }) => isBreach).map(({ subject }) => subject);
  if (checks.length === COLUMNS.length && breached.includes('f0')) return;
  throw new Error(
    `${checks.length} checks of ${rows} rows, of which ${breached.join(', ')} moved.`,
  );
}

function findings(series: Series<Contender>, rows: number): Findings {
  const table = middle(series.table, 'seconds');
  const summaries = middle(series.summaries, 'seconds') * 1000;
  return {
    name: 'drift',
    method:
      `One day of ${rows} logged requests, each a vector of ${COLUMNS.length} features as JSON, ` +
      `against a profile of ${TRAINING_DAYS} training days; one column has moved, and must be ` +
      'found. "table": reading the day from its Delta table, counting it into bins (columns from ' +
      `some ${SLICE_ROWS_MAX} requests, as monitors do) and judging every column. "summaries": ` +
      "the same from the day's histograms and the profile, read from their files. One DuckDB " +
      'thread, as in the engine. Medians over the rounds, the first dropped.',
    settings: { rows, columns: COLUMNS.length, rounds: series.table.length, threads: 1 },
    versions: { '@duckdb/node-api': packageVersion('@duckdb/node-api') },
    rounds: series,
    table: [
      { from: 'the table of requests', ms: Math.round(table * 1000) },
      { from: 'kept summaries', ms: round(summaries, 1) },
    ],
    budgets: [
      budgetOf('drift of 50 columns from a table of 1 M logged requests: s', table, 2),
      budgetOf('drift of 50 columns from kept summaries: ms', summaries, 1),
    ],
  };
}

await runMain(async () => {
  const folder = mkdtempSync(join(CACHE, 'bench-drift-'));
  try {
    const given = options({ rows: 1_000_000, rounds: 5, patience: 60 });
    await keepResult(() => measure({ folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
