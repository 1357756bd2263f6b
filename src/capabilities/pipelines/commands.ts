import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { sleep } from '../../platform/system.ts';
import {
  cancelPipelineRun,
  getPipelineRun,
  getStageLog,
  listPipelineRuns,
  planPipeline,
  startPipeline,
  type PipelineRun,
  type Plan,
} from './contract.ts';
import { followRun, stepLine } from './follow-run.ts';

const FOLLOW_MS = 300;

export function pipelinesCommands(program: Command, cli: CliContext): void {
  runCommand(program, cli);
  const pipelines = program.command('pipelines').description('pipeline runs of this workspace');
  listCommand(pipelines, cli);
  showCommand(pipelines, cli);
  logCommand(pipelines, cli);
  cancelCommand(pipelines, cli);
}

function runCommand(program: Command, cli: CliContext): void {
  program
    .command('run')
    .description('run the stages of dvc.yaml that the targets need')
    .argument('[targets...]', 'stages; without any, all of them')
    .option('--force', 'run every stage, changed or not')
    .option('--dry', 'only say what would run, and why')
    .action(async (targets: string[], options: { force?: boolean; dry?: boolean }) => {
      const body = { folder: process.cwd(), targets, force: options.force === true };
      if (options.dry === true) {
        const plan = await cli.withApi((api) => api.call(planPipeline, { body }));
        cli.out.result(plan, () => {
          for (const line of planLines(plan)) cli.out.line(line);
        });
        return;
      }
      const run = await cli.withApi(
        async (api) => {
          const started = await api.call(startPipeline, { body });
          cli.out.line(`run ${started.id}`);
          return followRun(api, started.id, { out: cli.out, signal: interrupted() });
        },
        // Stages call back over HTTP.
        { listens: true },
      );
      cli.out.result(run, () => printEnd(run, cli));
      // The exit status of a check: it ran, and says no.
      if (run.state !== 'succeeded') cli.endWith(1);
    });
}

function planLines({ stages }: Plan): readonly string[] {
  const width = Math.max(0, ...stages.map(({ name }) => name.length));
  const said = { cached: 'cached', restore: 'restored from the cache', frozen: 'frozen' } as const;
  return stages.map(({ name, action, reasons }) => {
    const why = reasons.join('; ');
    const what = action === 'run' ? `runs: ${why}` : `${said[action]} (${why})`;
    return `  ${name.padEnd(width)}  ${what}`;
  });
}

/** Aborts at the first Ctrl-C; a second one ends the command at once, as usual. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

function printEnd(run: PipelineRun, cli: CliContext): void {
  if (run.state === 'queued' || run.state === 'running') {
    cli.out.line('Left alone: what runs goes on; `millwright up` or another run takes it up.');
    cli.out.line(`  To end it: millwright pipelines cancel ${run.id}`);
  }
  if (run.state === 'cancelled') cli.out.line('The run was cancelled.');
  if (run.error === null) return;
  cli.out.line(run.error.message);
  const { hint } = run.error;
  if (hint !== undefined) {
    cli.out.line(`  ${hint.replace('RUN STAGE', `${run.id} ${failedStage(run)}`)}`);
  }
}

function failedStage(run: PipelineRun): string {
  return run.steps.find(({ state }) => state === 'failed')?.stage ?? 'STAGE';
}

function listCommand(pipelines: Command, cli: CliContext): void {
  pipelines
    .command('ls')
    .description('list runs, newest first')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ limit }: { limit: number }) => {
      const query = { limit };
      const page = await cli.withApi((api) => api.call(listPipelineRuns, { query }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line('No runs yet. In a folder with a dvc.yaml: millwright run');
          return;
        }
        cli.out.table(
          ['run', 'state', 'targets', 'began', 'folder'],
          page.items.map((run) => [
            run.id,
            run.state,
            run.targets.join(' '),
            run.createdAt,
            run.folder,
          ]),
        );
      });
    });
}

function showCommand(pipelines: Command, cli: CliContext): void {
  pipelines
    .command('show')
    .description('show a run with its stages')
    .argument('<run>', 'id of the run')
    .action(async (id: string) => {
      const run = await cli.withApi((api) => api.call(getPipelineRun, { params: { run: id } }));
      cli.out.result(run, () => {
        cli.out.line(`${run.id}   ${run.state}   ${run.folder}   since ${run.createdAt}`);
        cli.out.table(
          ['stage', 'state', 'what', 'attempts', 'outputs'],
          run.steps.map((step) => [
            step.stage,
            step.state,
            stepLine(step),
            step.attempts.length,
            step.outputs.map((output) => output.path).join(' '),
          ]),
        );
        if (run.error !== null) cli.out.line(run.error.message);
      });
    });
}

function logCommand(pipelines: Command, cli: CliContext): void {
  pipelines
    .command('log')
    .description('print the log of a stage')
    .argument('<run>', 'id of the run')
    .argument('<stage>', 'stage')
    .option('--attempt <n>', 'which attempt (default: the newest)', wholeNumber)
    .option('--follow', 'wait for more until the stage is over')
    .action(async (id: string, stage: string, options: { attempt?: number; follow?: boolean }) => {
      const { attempt, follow = false } = options;
      const params = { run: id, stage };
      const text = await cli.withApi(async (api) => {
        let whole = '';
        for (let offset = 0; ;) {
          const query = { offset, ...(attempt === undefined ? {} : { attempt }) };
          const page = await api.call(getStageLog, { params, query });
          offset = page.nextOffset;
          if (cli.out.isJson) whole += page.text;
          else if (page.text !== '') cli.out.line(page.text.replace(/\n$/, ''));
          if (page.text !== '') continue;
          if (page.isCapped) cli.out.line('(the log ends here: it reached its limit)');
          if (page.isComplete || !follow) return whole;
          await sleep(FOLLOW_MS);
        }
      });
      if (cli.out.isJson) cli.out.json({ text });
    });
}

function cancelCommand(pipelines: Command, cli: CliContext): void {
  pipelines
    .command('cancel')
    .description('stop a run with the processes of its stage')
    .argument('<run>', 'id of the run')
    .action(async (id: string) => {
      const params = { run: id };
      const run = await cli.withApi(
        async (api) => {
          await api.call(cancelPipelineRun, { params });
          return followRun(api, id, { out: cli.out });
        },
        { listens: true },
      );
      cli.out.result(run, () => {
        cli.out.line(`${run.id}   ${run.state}`);
      });
    });
}
