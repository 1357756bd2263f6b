import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { clientOf, ENTRIES } from './rig/millwright.ts';
import { options } from './rig/options.ts';
import { memory } from './rig/processes.ts';
import { median, round } from './rig/quantile.ts';
import { untilQuiet } from './rig/quiet.ts';
import { keepResult, type Findings } from './rig/result.ts';
import { answers, freePort, start } from './rig/running.ts';

/** `millwright up` from its start to the first answer of /health, and what it holds in memory. */

const REST_MS = 10_000;
const POLL_MS = 2;
const READY_MS_MAX = 1000;
const MEMORY_MB_MAX = 250;

interface Started {
  readonly entry: string;
  readonly readyMs: number;
}

interface Resting {
  readonly entry: string;
  readonly main: ReturnType<typeof memory>;
  readonly engine: ReturnType<typeof memory>;
}

async function measure(on: {
  readonly starts: number;
  readonly patience: number;
}): Promise<Findings> {
  const { starts, patience } = on;
  const entries = Object.entries(ENTRIES).filter(([, file]) => existsSync(file));
  const started: Started[] = [];
  const resting: Resting[] = [];
  for (const [entry, file] of entries) {
    const state = mkdtempSync(join(CACHE, 'bench-start-'));
    // One more than counted: the first makes the folder and fills Node's compile cache.
    for (let index = 0; index <= starts; index += 1) {
      const isLast = index === starts;
      await untilQuiet(patience);
      const once = await startOnce({ file, state, restMs: isLast ? REST_MS : 0 });
      say(`  ${entry}: ${round(once.readyMs, 0)} ms`);
      if (index > 0) started.push({ entry, readyMs: round(once.readyMs, 1) });
      if (once.resting !== null) resting.push({ entry, ...once.resting });
    }
    rmSync(state, { recursive: true });
  }
  return findings(started, resting);
}

/** One start on a state folder; with `restMs` also the memory after that time without work. */
async function startOnce(on: {
  readonly file: string;
  readonly state: string;
  readonly restMs: number;
}): Promise<{ readonly readyMs: number; readonly resting: Omit<Resting, 'entry'> | null }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const begin = performance.now();
  const running = start({
    command: process.execPath,
    args: [on.file, '--state', on.state, 'up', '--port', String(port)],
    core: null,
  });
  await answers(`${url}/health`, POLL_MS);
  const readyMs = performance.now() - begin;
  try {
    if (on.restMs === 0) return { readyMs, resting: null };
    const enginePid = await clientOf(url).enginePid();
    await sleep(on.restMs);
    return { readyMs, resting: { main: memory(running.pid), engine: memory(enginePid) } };
  } finally {
    await running.stop();
  }
}

function findings(started: readonly Started[], resting: readonly Resting[]): Findings {
  const perEntry = resting.map(({ entry, main, engine }) => ({
    entry,
    readyMs: median(started.filter((one) => one.entry === entry).map((one) => one.readyMs)),
    pssMb: main.pssMb + engine.pssMb,
    rssMb: main.rssMb + engine.rssMb,
    main,
    engine,
  }));
  return {
    name: 'start',
    method:
      'Wall time from starting the process to the first 200 of /health on a state folder that ' +
      `exists, asked every ${POLL_MS} ms; the first start is dropped. Memory of both processes ` +
      `after ${REST_MS / 1000} s without a request, from /proc/PID/smaps_rollup: PSS divides ` +
      'what the two share, RSS counts it twice. "built" is what npm run build makes; "source" ' +
      'is TypeScript as Node runs it.',
    settings: { starts: started.length / perEntry.length, restMs: REST_MS, pollMs: POLL_MS },
    versions: {},
    rounds: { started, resting },
    table: perEntry.map(({ entry, readyMs, main, engine, pssMb, rssMb }) => ({
      run: entry,
      'ready ms': Math.round(readyMs),
      'main RSS MB': Math.round(main.rssMb),
      'engine RSS MB': Math.round(engine.rssMb),
      'both RSS MB': Math.round(rssMb),
      'both PSS MB': Math.round(pssMb),
    })),
    budgets: perEntry.flatMap(({ entry, readyMs, pssMb }) => [
      {
        what: `millwright up to ready, ${entry}: ms`,
        limit: `< ${READY_MS_MAX}`,
        measured: String(Math.round(readyMs)),
        isMet: readyMs < READY_MS_MAX,
      },
      {
        what: `memory at rest, both processes, ${entry}: PSS MB`,
        limit: `< ${MEMORY_MB_MAX}`,
        measured: String(Math.round(pssMb)),
        isMet: pssMb < MEMORY_MB_MAX,
      },
    ]),
  };
}

await runMain(async () => {
  await keepResult(() => measure(options({ starts: 10, patience: 60 })));
});
