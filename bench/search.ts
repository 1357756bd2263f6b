import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runMain, step } from '../scripts/progress.mjs';
import { CACHE, ROOT } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { conformancePython, versionOf } from './rig/conformance-python.ts';
import { interleaved, middle, type Numbers, type Series } from './rig/interleaved.ts';
import { writeManyRuns } from './rig/many-runs.ts';
import { startMillwright } from './rig/millwright.ts';
import { loadMillwrightRuns } from './rig/millwright-runs.ts';
import { mlflowCall } from './rig/mlflow-calls.ts';
import { mlflowDatabase, startMlflow } from './rig/mlflow-server.ts';
import { options } from './rig/options.ts';
import { must } from './rig/python.ts';
import { median, round } from './rig/quantile.ts';
import { keepResult, type Findings } from './rig/result.ts';

/** Runs found by a filter in an order, beside MLflow's own server with SQLite. */

const BUDGET = 'search over 100,000 runs with filter and order';

/** What a page of the runs' table asks for. */
const SEARCH = {
  experiment_ids: ['0'],
  filter: "metrics.`metric-0` > 0.5 and params.`param-1` = '3'",
  order_by: ['metrics.`metric-1` DESC'],
  max_results: 100,
};

/** Searches of a round: MLflow's take most of a minute each. */
const SEARCHES = { millwright: 20, mlflow: 1 } as const;
type Contender = keyof typeof SEARCHES;

interface Found {
  readonly runs?: readonly { readonly info: { readonly run_name: string } }[];
}

async function measure(on: {
  readonly folder: string;
  readonly python: string;
  readonly runs: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, python, runs } = on;
  const [ours, theirs] = [join(folder, 'mw'), join(folder, 'mlflow')];
  // A first start makes the database, which is filled while nobody else has it open.
  await (await startMillwright({ folder: ours, core: null })).stop();
  await step(`${runs} runs, Millwright`, () => loadMillwrightRuns(ours, runs));
  await (await startMlflow({ python, folder: theirs })).stop();
  await step(`${runs} runs, MLflow`, () => loadMlflow(python, theirs, runs));
  const millwright = await startMillwright({ folder: ours, core: null });
  const mlflow = await startMlflow({ python, folder: theirs });
  try {
    const found = await assertSame(millwright.url, mlflow.url);
    const series = await interleaved<Contender>(on, {
      millwright: () => searches(millwright.url, SEARCHES.millwright),
      mlflow: () => searches(mlflow.url, SEARCHES.mlflow),
    });
    return findings(series, { runs, found, version: await versionOf(python, 'mlflow') });
  } finally {
    await Promise.all([millwright.stop(), mlflow.stop()]);
  }
}

async function loadMlflow(python: string, folder: string, runs: number): Promise<void> {
  const file = join(folder, 'runs.ndjson');
  await writeManyRuns(file, runs);
  const loader = join(ROOT, 'bench', 'rig', 'mlflow_runs.py');
  await must(python, [loader, mlflowDatabase(folder), join(folder, 'artifacts'), file]);
}

/** Both must find the same runs in the same order before anything is timed; how many. */
async function assertSame(ours: string, theirs: string): Promise<number> {
  const [mine, others] = await Promise.all([names(ours), names(theirs)]);
  if (mine.length > 0 && mine.join() === others.join()) return mine.length;
  throw new Error(`Found otherwise than by MLflow: ${mine.join()}; MLflow: ${others.join()}`);
}

async function names(url: string): Promise<readonly string[]> {
  const { runs = [] } = await mlflowCall<Found>(url, 'runs/search', SEARCH);
  return runs.map(({ info }) => info.run_name);
}

async function searches(url: string, count: number): Promise<Numbers> {
  const times: number[] = [];
  for (let search = 0; search < count; search += 1) {
    const begin = performance.now();
    await mlflowCall(url, 'runs/search', SEARCH);
    times.push(performance.now() - begin);
  }
  return { ms: median(times), 'worst ms': Math.max(...times) };
}

function findings(
  series: Series<Contender>,
  on: { readonly runs: number; readonly found: number; readonly version: string },
): Findings {
  const of = (name: Contender, what: string): number => middle(series[name], what);
  const line = (name: Contender, title: string) => ({
    server: title,
    ms: round(of(name, 'ms'), 1),
    'worst ms': round(of(name, 'worst ms'), 1),
  });
  return {
    name: 'search',
    method:
      `runs/search over MLflow's REST API in one experiment of ${on.runs} runs (4 metrics, 4 ` +
      `parameters and 2 tags each): ${SEARCH.filter}, order by ${SEARCH.order_by[0]}, the first ` +
      `${on.found}. MLflow's server with SQLite and one worker. Both found the same runs before ` +
      'anything was timed, which warms up as well. The runs were put into both databases directly, by the stores of ' +
      "Millwright and through MLflow's own SQLAlchemy tables. Medians over the rounds, the " +
      'first dropped.',
    settings: { runs: on.runs, search: SEARCH, searches: SEARCHES, rounds: series.mlflow.length },
    versions: { mlflow: on.version },
    rounds: series,
    table: [line('millwright', 'Millwright'), line('mlflow', 'MLflow server')],
    budgets: [
      budgetOf(`${BUDGET}: ms`, of('millwright', 'ms'), 1),
      budgetOf(
        `${BUDGET}: time of MLflow's server as times ours`,
        of('mlflow', 'ms') / of('millwright', 'ms'),
        0,
      ),
    ],
  };
}

await runMain(async () => {
  const python = await conformancePython();
  const folder = mkdtempSync(join(CACHE, 'bench-search-'));
  try {
    const given = options({ runs: 100_000, rounds: 1, patience: 60 });
    await keepResult(() => measure({ folder, python, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
