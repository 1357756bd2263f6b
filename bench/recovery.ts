import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PREDICTIONS } from '../src/capabilities/predictions/tables.ts';
import { getTable } from '../src/capabilities/tables/contract.ts';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { ensureForest, inferBody, type Forest } from './rig/forest.ts';
import { interleaved, middle, type Numbers } from './rig/interleaved.ts';
import { deployForest, startMillwright, type Millwright } from './rig/millwright.ts';
import { options } from './rig/options.ts';
import { round } from './rig/quantile.ts';
import { keepResult, type Findings } from './rig/result.ts';

/** A server that is killed in the middle of its work, from its next start to its next answer. */

const ENDPOINT = 'forest';
const AT_ONCE = 16;
const POLL_MS = 2;
const LOG_POLL_MS = 50;

async function measure(on: {
  readonly forest: Forest;
  readonly folder: string;
  readonly requests: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { forest, folder, requests } = on;
  const first = await startMillwright({ folder, core: null });
  await deployForest(first.api, forest);
  await first.stop();
  let answered = 0;
  const { killed } = await interleaved<'killed'>(on, {
    killed: async () => {
      answered += requests + 1;
      return await killAndStart(folder, { forest, requests, answered });
    },
  });
  return findings(killed, requests);
}

/** With requests that were answered just now, as at any moment of a busy server. */
async function killAndStart(
  folder: string,
  on: { readonly forest: Forest; readonly requests: number; readonly answered: number },
): Promise<Numbers> {
  const { forest, requests, answered } = on;
  const busy = await startMillwright({ folder, core: null });
  const engine = await busy.enginePid();
  const body = inferBody(forest, 0);
  await ask(busy.inferUrl(ENDPOINT), body, requests);
  await busy.kill();
  // Without its main process it ends by itself, if it has not yet.
  if (isAlive(engine)) process.kill(engine, 'SIGKILL');
  const begin = performance.now();
  const next = await startMillwright({ folder, core: null });
  while ((await status(next.inferUrl(ENDPOINT), body)) !== 200) await sleep(POLL_MS);
  const answerS = (performance.now() - begin) / 1000;
  await untilLogged(next, answered);
  const logS = (performance.now() - begin) / 1000;
  await next.stop();
  return { 'answer s': answerS, 'log s': logS };
}

async function ask(url: string, body: string, count: number): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const found = await status(url, body);
      if (found !== 200) throw new Error(`${url} answered ${found}.`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

async function status(url: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** Every request answered before the kill is in the table, once; the last one came after it. */
async function untilLogged({ api }: Millwright, answered: number): Promise<void> {
  const params = { namespace: PREDICTIONS, name: ENDPOINT };
  for (;;) {
    const { rows } = await api.call(getTable, { params, query: {} });
    if (rows === answered - 1 || rows === answered) return;
    if (rows > answered) throw new Error(`${rows} rows of ${answered} requests.`);
    await sleep(LOG_POLL_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function findings(rounds: readonly Numbers[], requests: number): Findings {
  const answer = middle(rounds, 'answer s');
  return {
    name: 'recovery',
    method:
      `A server with two deployed models answers ${requests} requests, then main process and ` +
      'engine are killed with SIGKILL. From the start of the next one, from source, on the same ' +
      'folder to its first answer, the log open again; and until every request that was answered ' +
      'before is a row of the table, once. Medians over the rounds, the first dropped.',
    settings: { requests, rounds: rounds.length },
    versions: {},
    rounds,
    table: [
      {
        'first answer s': round(answer, 2),
        'log complete s': round(middle(rounds, 'log s'), 2),
      },
    ],
    budgets: [budgetOf('from a start after kill -9 to the first answer: s', answer, 2)],
  };
}

await runMain(async () => {
  const forest = await ensureForest();
  const folder = mkdtempSync(join(CACHE, 'bench-recovery-'));
  try {
    const given = options({ requests: 5000, rounds: 5, patience: 60 });
    await keepResult(() => measure({ forest, folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
