import { Option, type Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { shown } from './check-of.ts';
import {
  CheckKind,
  getMonitor,
  listEvaluations,
  listMonitors,
  runMonitor,
  type Check,
  type Evaluation,
} from './contract.ts';

export function monitoringCommands(program: Command, cli: CliContext): void {
  const monitors = program
    .command('monitors')
    .description('what is watched of endpoints, and what was found');
  listCommand(monitors, cli);
  showCommand(monitors, cli);
  historyCommand(monitors, cli);
  runCommand(monitors, cli);
}

function listCommand(monitors: Command, cli: CliContext): void {
  monitors
    .command('ls')
    .description('list monitors and what their newest evaluation found')
    .option('--limit <n>', 'how many', wholeNumber, 100)
    .action(async ({ limit }: { limit: number }) => {
      const page = await cli.withApi((api) => api.call(listMonitors, { query: { limit } }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line('No monitors yet. Declare one in the section monitors of millwright.yaml.');
          return;
        }
        cli.out.table(
          ['monitor', 'state', 'as of', 'alerts', 'next'],
          page.items.map(({ name, latest, next }) => [
            name,
            latest?.state ?? 'not evaluated yet',
            latest?.at ?? '',
            latest?.checks.filter(({ state }) => state === 'alert').length ?? '',
            next ?? 'when asked',
          ]),
        );
      });
    });
}

function showCommand(monitors: Command, cli: CliContext): void {
  monitors
    .command('show')
    .description('the checks of the newest evaluation; exit 1 when one is an alert')
    .argument('<name>', 'monitor')
    .option('--all', 'also every column that is as it was')
    .action(async (monitor: string, { all = false }: { all?: boolean }) => {
      const found = await cli.withApi((api) => api.call(getMonitor, { params: { monitor } }));
      cli.out.result(found, () => {
        if (found.latest === null) {
          cli.out.line(`${monitor} was not evaluated yet; next ${found.next ?? 'when asked'}`);
          return;
        }
        printEvaluation(found.latest, all, cli);
        for (const { version, metric, value, from, until, days } of found.references) {
          cli.out.line(
            `compared with ${metric} ${shown(value)} of version ${version}, ${from} to ${until} (${days} days)`,
          );
        }
      });
      if (found.latest?.state === 'alert') cli.endWith(1);
    });
}

function historyCommand(monitors: Command, cli: CliContext): void {
  monitors
    .command('history')
    .description('former evaluations, newest first')
    .argument('<name>', 'monitor')
    .addOption(new Option('--kind <kind>', 'checks of one kind').choices(CheckKind.options))
    .option('--from <instant>', 'at or after')
    .option('--until <instant>', 'before')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (monitor: string, options: HistoryOptions) => {
      const { kind, from, until, limit } = options;
      const query = {
        limit,
        ...(kind === undefined ? {} : { kind }),
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
      };
      const page = await cli.withApi((api) =>
        api.call(listEvaluations, { params: { monitor }, query }),
      );
      cli.out.result(page.items, () => {
        cli.out.table(
          ['as of', 'state', 'check', 'version', 'value', 'reference', 'of it'],
          page.items.flatMap(rowsOf),
        );
      });
    });
}

interface HistoryOptions {
  readonly kind?: CheckKind;
  readonly from?: string;
  readonly until?: string;
  readonly limit: number;
}

function rowsOf({ at, state, checks }: Evaluation) {
  if (checks.length === 0) return [[at, state, '', '', '', '', '']];
  return checks.map((check) => [
    at,
    state,
    `${check.kind} ${check.subject}`,
    check.version ?? '',
    numberText(check.value),
    numberText(check.reference),
    check.state,
  ]);
}

function runCommand(monitors: Command, cli: CliContext): void {
  monitors
    .command('run')
    .description('evaluate now, as of the last whole period; exit 1 when there is an alert')
    .argument('<name>', 'monitor')
    .option('--at <instant>', 'as of the last whole period before this')
    .action(async (monitor: string, { at }: { at?: string }) => {
      const body = at === undefined ? {} : { at };
      const found = await cli.withApi((api) => api.call(runMonitor, { params: { monitor }, body }));
      cli.out.result(found, () => {
        printEvaluation(found, false, cli);
      });
      if (found.state === 'alert') cli.endWith(1);
    });
}

function printEvaluation(evaluation: Evaluation, all: boolean, cli: CliContext): void {
  const { monitor, at, state, versions, checks, seconds } = evaluation;
  cli.out.line(`${monitor}   ${state}   as of ${at}   (${shown(seconds)} s)`);
  for (const { model, version, requests, errors, p50Us, p99Us } of versions) {
    const speed = p50Us === null ? '' : `, p50 ${p50Us} us, p99 ${p99Us} us`;
    cli.out.line(`  ${model}@${version}: ${requests} requests, ${errors} errors${speed}`);
  }
  const calm = checks.filter(({ kind, state: of }) => kind === 'drift' && of === 'ok');
  const listed = all ? checks : checks.filter((check) => !calm.includes(check));
  for (const check of listed.toSorted(byGravity)) {
    const since = check.since === null ? '' : ` (since ${check.since})`;
    cli.out.line(`  ${check.state}  ${check.kind} ${check.subject}${since}`);
    cli.out.line(`      ${check.explanation}`);
  }
  if (!all && calm.length > 0) cli.out.line(`  ok  drift: ${calm.length} columns as days differ`);
}

const ORDER: readonly Check['state'][] = ['alert', 'warn', 'too_few_labels', 'no_data', 'ok'];

function byGravity(a: Check, b: Check): number {
  return ORDER.indexOf(a.state) - ORDER.indexOf(b.state);
}

function numberText(value: number | null): string {
  return value === null ? '' : shown(value);
}
