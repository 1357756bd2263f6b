import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { conformancePython, versionOf } from './rig/conformance-python.ts';
import { interleaved, middle, type Numbers, type Series } from './rig/interleaved.ts';
import { startMillwright } from './rig/millwright.ts';
import { createRun, mlflowCall } from './rig/mlflow-calls.ts';
import { startMlflow } from './rig/mlflow-server.ts';
import { options } from './rig/options.ts';
import { cpuUsOfAll, processTree } from './rig/processes.ts';
import { quantile, round } from './rig/quantile.ts';
import { keepResult, type Findings } from './rig/result.ts';

/** Metrics logged by the thousand, beside MLflow's own server with SQLite. */

const KEYS = 10;
const STEPS = 100;
/** A slow server is asked less often in a round, that rounds stay short. */
const ROUND_MS = 2500;

type Contender = 'millwright' | 'mlflow';

interface Server {
  readonly url: string;
  readonly pid: number;
}

async function measure(on: {
  readonly folder: string;
  readonly python: string;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, python } = on;
  const millwright = await startMillwright({ folder: join(folder, 'mw'), core: null });
  const mlflow = await startMlflow({ python, folder: join(folder, 'mlflow') });
  try {
    const series = await interleaved<Contender>(on, {
      millwright: () => logFor(millwright),
      mlflow: () => logFor(mlflow),
    });
    return findings(series, await versionOf(python, 'mlflow'));
  } finally {
    await Promise.all([millwright.stop(), mlflow.stop()]);
  }
}

/** One client that sends its next batch when the last one is answered, all of them to a new run. */
async function logFor({ url, pid }: Server): Promise<Numbers> {
  const run = await createRun(url);
  const processes = processTree(pid);
  const times: number[] = [];
  const cpu = cpuUsOfAll(processes);
  const begin = performance.now();
  while (performance.now() - begin < ROUND_MS) {
    const sent = performance.now();
    await mlflowCall(url, 'runs/log-batch', { run_id: run, metrics: batch(times.length) });
    times.push(performance.now() - sent);
  }
  const seconds = (performance.now() - begin) / 1000;
  const sorted = times.sort((a, b) => a - b);
  return {
    'batches/s': times.length / seconds,
    'p50 ms': quantile(sorted, 0.5),
    'p99 ms': quantile(sorted, 0.99),
    'CPU ms': (cpuUsOfAll(processes) - cpu) / 1000 / times.length,
  };
}

/** A hundred steps of ten metrics. */
function batch(number: number): readonly object[] {
  const metrics: object[] = [];
  for (let at = 0; at < STEPS; at += 1) {
    const step = number * STEPS + at;
    for (let key = 0; key < KEYS; key += 1) {
      const value = 1 / (1 + step + key);
      metrics.push({ key: `metric-${key}`, value, timestamp: 1_760_000_000_000 + step, step });
    }
  }
  return metrics;
}

function findings(series: Series<Contender>, version: string): Findings {
  const of = (name: Contender, what: string): number => middle(series[name], what);
  const line = (name: Contender, title: string) => ({
    server: title,
    'batches/s': round(of(name, 'batches/s'), 1),
    'p50 ms': round(of(name, 'p50 ms'), 1),
    'p99 ms': round(of(name, 'p99 ms'), 1),
    'CPU ms a batch': round(of(name, 'CPU ms'), 1),
  });
  return {
    name: 'tracking',
    method:
      `runs/log-batch of ${KEYS * STEPS} points, ${STEPS} steps of ${KEYS} metrics, by one ` +
      "client over MLflow's REST API; a new run each round. MLflow's server with SQLite and one " +
      'worker. Both run all the time, and are asked in turn. Medians over the rounds, the first ' +
      'dropped. CPU is of all processes of the server.',
    settings: { keys: KEYS, steps: STEPS, roundMs: ROUND_MS, rounds: series.mlflow.length },
    versions: { mlflow: version },
    rounds: series,
    table: [line('millwright', 'Millwright'), line('mlflow', 'MLflow server')],
    budgets: [
      budgetOf(
        "log-batch of 1,000 metrics: batches/s as times MLflow's server",
        of('millwright', 'batches/s') / of('mlflow', 'batches/s'),
        1,
      ),
    ],
  };
}

await runMain(async () => {
  const python = await conformancePython();
  const folder = mkdtempSync(join(CACHE, 'bench-tracking-'));
  try {
    const given = options({ rounds: 7, patience: 60 });
    await keepResult(() => measure({ folder, python, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
