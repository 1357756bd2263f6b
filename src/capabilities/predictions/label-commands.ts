import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { catchUpLabels, getLabelStates, type LabelStates } from './label-contract.ts';

export function labelCommands(program: Command, cli: CliContext): void {
  const labels = program.command('labels').description('what became of requests, and its sources');

  labels
    .command('status')
    .description('matched, pending and expired labels of an endpoint, and how late they come')
    .argument('<endpoint>', 'endpoint')
    .option('--from <instant>', 'requests answered from then on (default: seven days before)')
    .option('--until <instant>', 'requests answered before then (default: now)')
    .option('--at <instant>', 'only labels that had occurred by then (default: now)')
    .action(async (endpoint: string, options: { from?: string; until?: string; at?: string }) => {
      const { from, until, at } = options;
      const query = {
        ...(from === undefined ? {} : { from }),
        ...(until === undefined ? {} : { until }),
        ...(at === undefined ? {} : { at }),
      };
      const params = { endpoint };
      const states = await cli.withApi((api) => api.call(getLabelStates, { params, query }));
      cli.out.result(states, () => {
        printStates(states, cli);
      });
    });

  labels
    .command('catch-up')
    .description('join now what was appended to the declared sources')
    .action(async () => {
      const { sources } = await cli.withApi((api) => api.call(catchUpLabels, {}));
      cli.out.result(sources, () => {
        if (sources.length === 0) cli.out.line('No endpoint has a declared label.');
        else {
          cli.out.table(
            ['endpoint', 'label', 'table', 'version', 'rows', 'matched', 'orphans', 'error'],
            sources.map((one) => [
              one.endpoint,
              one.label,
              one.table,
              one.version,
              one.rows,
              one.matched,
              one.orphans,
              one.error,
            ]),
          );
        }
      });
    });
}

function printStates(states: LabelStates, cli: CliContext): void {
  const { source, delays, coverage } = states;
  cli.out.line(`${states.endpoint}   answered ${states.from} to ${states.until}   at ${states.at}`);
  cli.out.line(
    `  ${states.requests} requests: ${states.matched} matched, ${states.pending} pending, ` +
      `${states.expired} expired; ${states.failed} failed ones have no label`,
  );
  if (coverage !== null) {
    cli.out.line(`  coverage ${percent(coverage)} of ${states.mature} mature requests`);
  }
  for (const { seconds, share } of delays) {
    cli.out.line(`    within ${(seconds / 3600).toFixed(1)} h   ${percent(share)}`);
  }
  if (source === null) {
    cli.out.line('  no label is declared for it; labels come by POST /api/v1/labels only');
    return;
  }
  cli.out.line(
    `  source ${source.table}, joined to version ${source.version ?? 'none'}: ${source.rows} rows, ` +
      `${source.orphans} match no request, ${source.corrected} corrections`,
  );
  if (source.error !== null) cli.out.line(`  not joined further: ${source.error}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
