import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import {
  endExclusion,
  listExclusions,
  recordExclusion,
  withdrawExclusion,
  type Exclusion,
} from './exclusions-contract.ts';

export function exclusionsCommands(program: Command, cli: CliContext): void {
  const exclusions = program
    .command('exclusions')
    .description('times whose rows no training set takes');
  listCommand(exclusions, cli);
  recordCommand(exclusions, cli);
  exclusions
    .command('end')
    .description('say when an exclusion that goes on has ended')
    .argument('<exclusion>')
    .argument('<until>', 'RFC 3339 instant')
    .action(async (exclusion: string, until: string) => {
      const params = { exclusion };
      show(await cli.withApi((api) => api.call(endExclusion, { params, body: { until } })), cli);
    });
  exclusions
    .command('withdraw')
    .description('take back an exclusion that was a mistake; it stays on record')
    .argument('<exclusion>')
    .requiredOption('--reason <text>')
    .action(async (exclusion: string, { reason }: { readonly reason: string }) => {
      const params = { exclusion };
      const body = { reason };
      show(await cli.withApi((api) => api.call(withdrawExclusion, { params, body })), cli);
    });
}

function listCommand(exclusions: Command, cli: CliContext): void {
  exclusions
    .command('ls')
    .description('list them, newest first')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(listExclusions, { query: {} }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0)
          cli.out.line('None: training sets take the rows of all times.');
        else
          cli.out.table(
            ['exclusion', 'source', 'from', 'until', 'by', 'reason'],
            page.items.map(cells),
          );
      });
    });
}

interface RecordOptions {
  readonly from: string;
  readonly until?: string;
  readonly source?: string;
  readonly reason: string;
}

function recordCommand(exclusions: Command, cli: CliContext): void {
  exclusions
    .command('add')
    .description('keep the rows of a time out of training sets from now on')
    .requiredOption('--from <instant>', 'rows with T from here on')
    .option('--until <instant>', 'to before here; without it, until it is ended')
    .option('--source <name>', 'only of training sets over this source')
    .requiredOption('--reason <text>')
    .action(async ({ from, until, source, reason }: RecordOptions) => {
      const body = {
        from,
        reason,
        ...(until === undefined ? {} : { until }),
        ...(source === undefined ? {} : { source }),
      };
      show(await cli.withApi((api) => api.call(recordExclusion, { body })), cli);
    });
}

function show(exclusion: Exclusion, cli: CliContext): void {
  cli.out.result(exclusion, () => {
    const [id, source, from, until, , reason] = cells(exclusion);
    cli.out.line(`${id}   source ${source}   ${from} to ${until}   ${reason}`);
  });
}

function cells(one: Exclusion): readonly string[] {
  const until = one.withdrawnAt === null ? (one.until ?? 'goes on') : 'withdrawn';
  return [one.id, one.source ?? 'all', one.from, until, one.actor, one.reason];
}
