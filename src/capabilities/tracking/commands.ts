import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { getRun, listExperiments, listRuns, RunId, type Run } from './contract.ts';
import { AppError } from '../../base/errors.ts';

export function trackingCommands(program: Command, cli: CliContext): void {
  addExperiments(program, cli);
  const runs = program.command('runs').description('runs and what they logged');
  runs
    .command('ls')
    .description('list runs, newest first')
    .option('--experiment <id>', 'only of this experiment')
    .option('--filter <expression>', "as in MLflow: metrics.auc > 0.8 and params.lr = '0.1'")
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ experiment, filter, limit }: ListOptions) => {
      const page = await cli.withApi((api) =>
        api.call(listRuns, {
          query: {
            limit,
            ...(experiment === undefined ? {} : { experiment }),
            ...(filter === undefined ? {} : { filter }),
          },
        }),
      );
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          const isAll = filter === undefined && experiment === undefined;
          cli.out.line(
            isAll
              ? 'No runs. Point a script here: export MLFLOW_TRACKING_URI=<this server>'
              : 'No run is like that. See them all with: millwright runs ls',
          );
          return;
        }
        cli.out.table(
          ['run', 'name', 'experiment', 'status', 'started', 'metrics'],
          page.items.map((run) => [
            run.id,
            run.name,
            run.experiment,
            run.status,
            run.startedAt,
            run.metrics.slice(0, 3).map(metricText).join('  '),
          ]),
        );
      });
    });
  runs
    .command('show')
    .description('one run: parameters, metrics, files, registered versions, what it was made of')
    .argument('<run>', 'run_ and 32 hex digits')
    .action(async (written: string) => {
      const id = RunId.safeParse(written);
      if (!id.success) {
        throw new AppError('INVALID_INPUT', `${written.slice(0, 80)} is not the id of a run.`, {
          hint: 'See them with: millwright runs ls',
        });
      }
      const run = await cli.withApi((api) => api.call(getRun, { params: { run: id.data } }));
      cli.out.result(run, () => printRun(cli, run));
    });
}

interface ListOptions {
  readonly experiment?: string;
  readonly filter?: string;
  readonly limit: number;
}

function addExperiments(program: Command, cli: CliContext): void {
  const experiments = program.command('experiments').description('named groups of runs');
  experiments
    .command('ls')
    .description('list experiments, newest first')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(listExperiments, { query: {} }));
      cli.out.result(page.items, () =>
        cli.out.table(
          ['id', 'name', 'artifacts', 'since'],
          page.items.map((item) => [item.id, item.name, item.artifactLocation, item.createdAt]),
        ),
      );
    });
}

function printRun(cli: CliContext, run: Run): void {
  const { out } = cli;
  out.line(`${run.name}   ${run.status}   ${run.startedAt} to ${run.endedAt ?? 'now'}`);
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ['metrics', run.metrics.map(metricText)],
    ['params', run.params.map(({ key, value }) => `${key}=${value}`)],
    ['inputs', run.inputs.map(({ name, digest }) => `${name} (${digest})`)],
    ['artifacts', run.artifacts.map(({ path, isFolder }) => (isFolder ? `${path}/` : path))],
    ['registered', run.registeredVersions.map(({ model, version }) => `${model}@${version}`)],
    ['made of', pinTexts(run.pins)],
  ];
  for (const [name, values] of lines) {
    if (values.length > 0) out.line(`  ${name.padEnd(11)}${values.join('   ')}`);
  }
}

function pinTexts(pins: Run['pins']): readonly string[] {
  if (pins === null) return [];
  const { codeCommit, codeTree, environment, tables, trainingSet, command } = pins;
  return [
    ...(command === null ? [] : [command]),
    ...(codeCommit === null ? [] : [`commit ${codeCommit.slice(0, 12)}`]),
    ...(codeTree === null ? [] : [`tree ${codeTree.slice(0, 12)}`]),
    ...(environment === null ? [] : [`environment ${environment.slice(0, 12)}`]),
    ...(trainingSet === null ? [] : [`${trainingSet.name}@v${trainingSet.version}`]),
    ...tables.map(({ table, version }) => `${table}@v${version}`),
  ];
}

function metricText({ key, value }: Run['metrics'][number]): string {
  return `${key}=${value === null ? 'NaN' : Number(value.toPrecision(6))}`;
}
