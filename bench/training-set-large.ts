import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { present } from '../src/base/assert.ts';
import type { Column } from '../src/formats/delta/schema.ts';
import { buildTrainingSet } from '../src/capabilities/features/build-training-set.ts';
import { compile } from '../src/capabilities/features/compile.ts';
import { parseDefinitions } from '../src/capabilities/features/definitions.ts';
import { noFaults } from '../src/platform/fault-points.ts';
import { runMain, step } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { interleaved, middle, type Numbers } from './rig/interleaved.ts';
import { openLake, type Lake } from './rig/lake.ts';
import { options } from './rig/options.ts';
import {
  CUSTOMERS,
  DAYS,
  FIRST_REQUEST_DAY,
  makePurchases,
  PURCHASE_TABLES,
  purchaseSections,
  START,
} from './rig/purchases.ts';
import { round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** A training set of a million rows out of ten million events: time, and memory at its peak. */

const DAY = 86_400_000_000;
const BUDGET = 'training set of 1 M rows from 10 M events, 4 windows x 3 aggregates';

async function measure(on: {
  readonly folder: string;
  readonly events: number;
  readonly rows: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, events, rows } = on;
  await step('purchases', () => makePurchases(folder, { events, rows }));
  const lake = await openLake(folder);
  const { build } = await interleaved<'build'>(on, {
    build: (number) => buildOnce(lake, { number, rows }),
  });
  await lake.analytics.close();
  return findings(build, { events, rows });
}

async function buildOnce(
  { tables, analytics }: Lake,
  on: { readonly number: number; readonly rows: number },
): Promise<Numbers> {
  const schemas = new Map<string, readonly Column[]>(
    Object.entries(PURCHASE_TABLES).map(([name, columns]) => [`default.${name}`, columns]),
  );
  const compiled = compile(parseDefinitions(purchaseSections()), { schemas, zones: {} });
  const until = START + DAYS * DAY;
  const request = {
    set: present(compiled.trainingSets.get('buys_train'), 'the training set'),
    service: present(compiled.services.get('buys_v1'), 'the service'),
    versions: { purchases: 1, requests: 1, outcomes: 1 },
    from: START + FIRST_REQUEST_DAY * DAY,
    until,
    excluded: [],
    now: until + DAY,
    build: `${on.number}`,
  };
  const deps = { tables, analytics, faults: noFaults };
  const begin = performance.now();
  const built = await buildTrainingSet(deps, request, new AbortController().signal);
  const seconds = (performance.now() - begin) / 1000;
  if (built.rows !== on.rows) {
    throw new Error(`${built.rows} rows, not ${on.rows}: ${JSON.stringify(built.leftOut)}`);
  }
  return { seconds, 'peak GB': (process.resourceUsage().maxRSS * 1024) / 1e9 };
}

function findings(
  rounds: readonly Numbers[],
  sizes: { readonly events: number; readonly rows: number },
): Findings {
  const seconds = middle(rounds, 'seconds');
  const peak = Math.max(...rounds.map((numbers) => numbers['peak GB']!));
  return {
    name: 'training-set-large',
    method:
      `${sizes.events} purchases of ${CUSTOMERS} customers in ${DAYS} days, few of them with ` +
      `many; one view of 4 windows (1 to 90 days) and 3 aggregates (count, sum, mean) for ` +
      `${sizes.rows} requests of the last ${DAYS - FIRST_REQUEST_DAY} days, with labels from a ` +
      'third table. The whole build: reading the tables, sorting, sweeping, profile, Parquet ' +
      'file and commit, by one DuckDB thread, as in the engine. Memory is the most that this ' +
      'process ever held; the tables were written by another. The first round is dropped.',
    settings: { ...sizes, customers: CUSTOMERS, days: DAYS, threads: 1, rounds: rounds.length },
    versions: { '@duckdb/node-api': packageVersion('@duckdb/node-api') },
    rounds,
    table: [
      {
        events: sizes.events,
        rows: sizes.rows,
        'build s': round(seconds, 1),
        'peak GB': round(peak, 2),
      },
    ],
    budgets: [budgetOf(`${BUDGET}: s`, seconds, 1), budgetOf(`${BUDGET}: GB at most`, peak, 2)],
  };
}

await runMain(async () => {
  const folder = mkdtempSync(join(CACHE, 'bench-training-set-large-'));
  try {
    const given = options({ events: 10_000_000, rows: 1_000_000, rounds: 3, patience: 60 });
    await keepResult(() => measure({ folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
