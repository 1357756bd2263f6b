import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerModel } from '../src/capabilities/registry/contract.ts';
import { deploy, putEndpoint } from '../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../src/capabilities/tables/contract.ts';
import { versionModel } from '../test/onnx-model.ts';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { ensureForest, inferBody, type Forest } from './rig/forest.ts';
import {
  assertOnMain,
  deployForest,
  flushed,
  startMillwright,
  type Millwright,
} from './rig/millwright.ts';
import { openLoop } from './rig/open-loop.ts';
import type { LoopDelay } from './rig/loop-delay-process.ts';
import type { OpenLoopOutcome } from './rig/open-loop-process.ts';
import { cpuUsOfAll } from './rig/processes.ts';
import { options } from './rig/options.ts';
import { median, round } from './rig/quantile.ts';
import { untilQuiet, watchOthers } from './rig/quiet.ts';
import { countedRounds, repeatRounds, type InRound } from './rig/rounds.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';
import { requireWrk, wrk } from './rig/wrk.ts';

/** The gateway's latency while nothing else goes on, and while everything does. */

const LOAD_CORE = 1;
const OPEN = { connections: 64, warmUpSeconds: 2 } as const;
const LOAD_SHARE = 0.5;
const ROWS_PER_APPEND = 200_000;
const LARGE_FLOATS = 5_000_000;
/** With three versions in turn each deployment has to load one: only the former one stays warm. */
const LARGE_VERSIONS = 3;
const P99_RATIO_MAX = 2;
const LOOP_DELAY_P99_MS_MAX = 10;
/** The load comes when the work is under way. */
const WORK_AHEAD_MS = 500;
const LOOP_DELAY = fileURLToPath(new URL('./rig/loop-delay-process.ts', import.meta.url));

const PHASES = ['rest', 'log', 'work'] as const;
type Phase = (typeof PHASES)[number];

interface Measured extends OpenLoopOutcome, InRound {
  readonly phase: Phase;
  readonly loopDelay: LoopDelay;
  /** What was finished during the phase. */
  readonly appends: number;
  readonly deployments: number;
}

/** Work that goes on until it is stopped; `stop` answers how often it was done. */
interface Work {
  stop(): Promise<number>;
}

function repeat(once: (turn: number) => Promise<unknown>): Work {
  const stopping = new AbortController();
  const work = async (): Promise<number> => {
    let turn = 0;
    for (; !stopping.signal.aborted; turn += 1) await once(turn);
    return turn;
  };
  const done = work();
  return {
    stop: () => {
      stopping.abort();
      return done;
    },
  };
}

async function prepareWork(millwright: Millwright): Promise<() => readonly [Work, Work]> {
  const { api } = millwright;
  const table = { namespace: 'bench', name: 'rows' };
  await api.call(createTable, {
    body: {
      ...table,
      columns: [
        { name: 'customer', type: 'long' },
        { name: 'at', type: 'timestamp' },
        { name: 'amount', type: 'double' },
      ],
    },
  });
  const row = (index: number): string =>
    `{"customer":${index % 5000},"at":"2026-01-01T00:00:00Z","amount":${index / 8}}\n`;
  const rows = Buffer.from(
    Array.from({ length: ROWS_PER_APPEND }, (_, index) => row(index)).join(''),
  );
  for (let version = 1; version <= LARGE_VERSIONS; version += 1) {
    const bytes = versionModel({ version, paddingFloats: LARGE_FLOATS });
    await api.call(registerModel, { params: { model: 'large' }, query: {} }, { bytes });
  }
  const endpoint = 'large';
  const spec = { model: 'large', key: null, sticky: null, durability: 'async' } as const;
  await api.call(putEndpoint, { params: { endpoint }, body: spec });
  const append = (): Promise<unknown> =>
    api.call(appendRows, { params: table, query: {} }, { bytes: rows });
  const load = (turn: number): Promise<unknown> =>
    api.call(deploy, {
      params: { endpoint },
      body: { version: (turn % LARGE_VERSIONS) + 1, reason: 'bench' },
    });
  return () => [repeat(append), repeat(load)];
}

async function askLoopDelay(millwright: Millwright): Promise<LoopDelay> {
  millwright.child.send('tell');
  const [delay] = (await once(millwright.child, 'message')) as [LoopDelay];
  return delay;
}

async function measurePhase(
  phase: Phase,
  on: {
    readonly millwright: Millwright;
    readonly enginePid: number;
    readonly startWork: () => readonly [Work, Work];
    readonly load: () => Promise<OpenLoopOutcome>;
    readonly number: number;
  },
): Promise<Measured> {
  const { millwright, enginePid, startWork, load, number } = on;
  // A stopped engine takes nothing away; what it is asked for waits.
  process.kill(enginePid, phase === 'rest' ? 'SIGSTOP' : 'SIGCONT');
  if (phase !== 'rest') await flushed(millwright);
  const work = phase === 'work' ? startWork() : [];
  if (work.length > 0) await sleep(WORK_AHEAD_MS);
  await askLoopDelay(millwright);
  const others = watchOthers(() => cpuUsOfAll([process.pid, millwright.pid, enginePid]));
  const outcome = await load();
  const othersCores = round(others(outcome.ownCpuUs), 2);
  const loopDelay = await askLoopDelay(millwright);
  const [appends = 0, deployments = 0] = await Promise.all(work.map((one) => one.stop()));
  return { phase, round: number, ...outcome, othersCores, loopDelay, appends, deployments };
}

function tell(one: Measured): void {
  const times = [one.p50Ms, one.p99Ms, one.maxMs, one.loopDelay.p99Ms].map((ms) => round(ms, 2));
  say(
    `  round ${one.round} ${one.phase.padEnd(5)} p50, p99, max, loop: ${times.join(', ')} ms; ` +
      `${one.errors} errors, ${one.appends} appends, ${one.deployments} deployments; ` +
      `others ${one.othersCores} cores, generator ${round(one.ownLagP99Ms, 2)} ms`,
  );
}

async function measure(on: {
  readonly forest: Forest;
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { forest, folder, rounds, seconds, patience } = on;
  const millwright = await startMillwright({ folder, core: null, preload: LOOP_DELAY });
  try {
    await deployForest(millwright.api, forest);
    await assertOnMain(millwright.api, 'forest');
    const startWork = await prepareWork(millwright);
    const enginePid = await millwright.enginePid();
    const url = millwright.inferUrl('forest');
    const bodies = [...forest.rows.keys()].map((row) => inferBody(forest, row));
    await untilQuiet(patience);
    const closed = await wrk({ url, bodies, connections: 32, seconds, core: LOAD_CORE });
    const requestsPerSecond = Math.round(closed.requestsPerSecond * LOAD_SHARE);
    say(`  closed loop ${closed.requestsPerSecond} requests/s, open loop ${requestsPerSecond}`);
    const measured = await repeatRounds({ rounds, patience }, async (number) => {
      const seed = number + 1;
      const load = (): Promise<OpenLoopOutcome> =>
        openLoop({ ...OPEN, url, bodies, requestsPerSecond, seconds, seed }, LOAD_CORE);
      const round: Measured[] = [];
      for (const phase of PHASES) {
        const one = await measurePhase(phase, { millwright, enginePid, startWork, load, number });
        tell(one);
        round.push(one);
      }
      return round;
    });
    return findings({ rounds: measured, seconds, requestsPerSecond });
  } finally {
    await millwright.stop();
  }
}

function findings(from: {
  readonly rounds: readonly Measured[];
  readonly seconds: number;
  readonly requestsPerSecond: number;
}): Findings {
  const { rounds, seconds, requestsPerSecond } = from;
  const { rounds: kept, about } = countedRounds(rounds);
  const of = (phase: Phase, value: (one: Measured) => number): number =>
    median(kept.filter((one) => one.phase === phase).map(value));
  const ratio = round(of('work', (one) => one.p99Ms) / of('rest', (one) => one.p99Ms), 2);
  const loopDelayMs = round(
    of('work', (one) => one.loopDelay.p99Ms),
    2,
  );
  return {
    name: 'interference',
    method:
      `Open loop of ${requestsPerSecond} requests/s, half of what the closed loop of 32 ` +
      'connections reached just before, Poisson arrivals; a latency counts from the moment the ' +
      'request was due. "rest": the engine is stopped. "log": the engine puts the records of the ' +
      `traffic into their table as always. "work": the engine also appends ${ROWS_PER_APPEND} ` +
      `rows at a time without a pause, and models of ${(LARGE_FLOATS * 4) / 1e6} MB are loaded and ` +
      `deployed one after the other. The generator has core ${LOAD_CORE} in common with all the ` +
      'rest. Medians over the rounds, the first dropped. Loop delay is of the main process.',
    settings: { ...about, requestsPerSecond, seconds, ...OPEN, seeds: 'the round + 1' },
    versions: { 'onnxruntime-node': packageVersion('onnxruntime-node') },
    rounds,
    table: PHASES.map((phase) => ({
      phase,
      'p50 ms': round(
        of(phase, (one) => one.p50Ms),
        2,
      ),
      'p99 ms': round(
        of(phase, (one) => one.p99Ms),
        2,
      ),
      'p99.9 ms': round(
        of(phase, (one) => one.p999Ms),
        2,
      ),
      'loop delay p99 ms': round(
        of(phase, (one) => one.loopDelay.p99Ms),
        2,
      ),
      'loop delay max ms': round(
        of(phase, (one) => one.loopDelay.maxMs),
        1,
      ),
      errors: kept.filter((one) => one.phase === phase).reduce((sum, one) => sum + one.errors, 0),
    })),
    budgets: [
      {
        what: 'gateway p99 under work as times its p99 at rest',
        limit: `<= ${P99_RATIO_MAX}`,
        measured: String(ratio),
        isMet: ratio <= P99_RATIO_MAX,
      },
      {
        what: 'event-loop delay p99 of main under work: ms',
        limit: `< ${LOOP_DELAY_P99_MS_MAX}`,
        measured: String(loopDelayMs),
        isMet: loopDelayMs < LOOP_DELAY_P99_MS_MAX,
      },
    ],
  };
}

await runMain(async () => {
  requireWrk();
  const forest = await ensureForest();
  const folder = mkdtempSync(join(CACHE, 'bench-interference-'));
  try {
    const given = options({ rounds: 6, seconds: 10, patience: 60 });
    await keepResult(() => measure({ forest, folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
