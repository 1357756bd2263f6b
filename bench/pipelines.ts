import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineRun } from '../src/capabilities/pipelines/contract.ts';
import { runMain, say } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { ENTRIES } from './rig/millwright.ts';
import { options } from './rig/options.ts';
import { median, quantile, round } from './rig/quantile.ts';
import { untilQuiet } from './rig/quiet.ts';
import { keepResult, type Findings } from './rig/result.ts';
import { answers, freePort, start } from './rig/running.ts';

/** What a pipeline adds to each of its steps, over what the step's shell costs by itself. */

const OVERHEAD_MS_MAX = 100;
const POLL_MS = 50;

interface Round {
  readonly round: number;
  /** From one step's start to the next one's, steps of one round. */
  readonly stepMs: readonly number[];
  /** The same commands, one after the other, by the shell alone. */
  readonly shellMs: number;
}

async function measure(on: {
  readonly steps: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { steps, rounds, patience } = on;
  const folder = mkdtempSync(join(CACHE, 'bench-pipelines-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = start({
    command: process.execPath,
    args: [ENTRIES.source, '--state', join(folder, 'state'), 'up', '--port', String(port)],
    core: null,
  });
  await answers(`${url}/health`);
  const measured: Round[] = [];
  try {
    for (let index = 0; index <= rounds; index += 1) {
      await untilQuiet(patience);
      const project = join(folder, `project-${index}`);
      makeProject(project, steps);
      const stepMs = gaps(await runPipeline(url, project));
      const shellMs = bareShell(project, steps);
      say(`  ${round(median(stepMs), 1)} ms a step, shell alone ${round(shellMs, 1)} ms`);
      // The first one starts the engine.
      if (index > 0) measured.push({ round: index, stepMs, shellMs });
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
  return findings(steps, measured);
}

/** A chain of stages that each write a line. */
function makeProject(folder: string, steps: number): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'out-0'), 'x\n');
  const stages = Array.from({ length: steps }, (_, index) => {
    const [from, to] = [`out-${index}`, `out-${index + 1}`];
    return `  step-${index}: {cmd: "echo ${index} > ${to}", deps: [${from}], outs: [${to}]}`;
  });
  writeFileSync(join(folder, 'dvc.yaml'), `stages:\n${stages.join('\n')}\n`);
}

async function runPipeline(url: string, folder: string): Promise<PipelineRun> {
  const reply = await fetch(`${url}/api/v1/pipelines/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ folder }),
  });
  let run = (await reply.json()) as PipelineRun;
  while (run.finishedAt === null) {
    await sleep(POLL_MS);
    run = (await (await fetch(`${url}/api/v1/pipelines/runs/${run.id}`)).json()) as PipelineRun;
  }
  if (run.state !== 'succeeded') throw new Error(run.error?.message ?? run.state);
  return run;
}

function gaps(run: PipelineRun): readonly number[] {
  const starts = run.steps.map(({ attempts }) => Date.parse(attempts[0]!.startedAt));
  return starts.slice(1).map((at, index) => at - starts[index]!);
}

function bareShell(folder: string, steps: number): number {
  const begin = performance.now();
  for (let index = 0; index < steps; index += 1) {
    execFileSync('/bin/sh', ['-c', `echo ${index} > out-${index + 1}`], { cwd: folder });
  }
  return (performance.now() - begin) / steps;
}

function findings(steps: number, rounds: readonly Round[]): Findings {
  const sorted = rounds.map(({ stepMs }) => stepMs.toSorted((a, b) => a - b));
  const middle = median(sorted.map((all) => median(all)));
  const p95 = median(sorted.map((all) => quantile(all, 0.95)));
  const shell = median(rounds.map(({ shellMs }) => shellMs));
  return {
    name: 'pipelines',
    method:
      `A chain of ${steps} stages that each write a line, run by \`up\`: time from one step's ` +
      "start to the next one's, so with deciding, starting the process, seeing its end, hashing " +
      'and keeping its output, writing dvc.lock and the database. "shell" is the same commands ' +
      'by /bin/sh alone, one after the other. Medians over rounds.',
    settings: { steps, rounds: rounds.length },
    versions: {},
    rounds,
    table: [
      {
        'ms a step': round(middle, 1),
        'p95 ms': round(p95, 1),
        'shell ms': round(shell, 1),
        'overhead ms': round(middle - shell, 1),
      },
    ],
    budgets: [
      {
        what: 'pipeline step, over the shell’s own start, p95: ms',
        limit: `< ${OVERHEAD_MS_MAX}`,
        measured: String(round(p95 - shell, 1)),
        isMet: p95 - shell < OVERHEAD_MS_MAX,
      },
    ],
  };
}

await runMain(async () => {
  await keepResult(() => measure(options({ steps: 50, rounds: 5, patience: 60 })));
});
