import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { cureOf, troubleText } from '../../platform/engine/trouble.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { declarationCommands } from './declaration-commands.ts';
import { advanceClock, getStatus, listEvents } from './contract.ts';

const BYTES_PER_MB = 1_000_000;

export function workspaceCommands(program: Command, cli: CliContext): void {
  program
    .command('status')
    .description('the workspace, its clocks and its processes')
    .action(async () => {
      const status = await cli.withApi((api) => api.call(getStatus, {}));
      cli.out.result(status, () => {
        const { engine } = status;
        cli.out.line(`${status.name} (Millwright ${status.version})   ${status.stateFolder}`);
        cli.out.line(`  clock    ${status.clock}   now ${status.now}   wall ${status.wall}`);
        cli.out.line(
          `  main     pid ${status.pid}, ${Math.round(status.residentBytes / BYTES_PER_MB)} MB, ` +
            status.database,
        );
        cli.out.line(
          `  engine   ${engine.state}, pid ${engine.pid ?? '-'}, ${engine.restarts} restarts`,
        );
        if (engine.trouble !== undefined) {
          cli.out.line(`           ${troubleText(engine.trouble)}`);
          cli.out.line(`           → ${cureOf(engine.trouble)}`);
        }
      });
    });

  program
    .command('events')
    .description('what happened, newest first')
    .option('--subject <subject>', 'only of one thing, such as endpoint/late')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ subject, limit }: { subject?: string; limit: number }) => {
      const query = { limit, ...(subject === undefined ? {} : { subject }) };
      const page = await cli.withApi((api) => api.call(listEvents, { query }));
      cli.out.result(page.items, () =>
        cli.out.table(
          ['seq', 'at', 'what', 'of', 'by'],
          page.items.map((event) => [event.seq, event.now, event.kind, event.subject, event.actor]),
        ),
      );
    });

  declarationCommands(program, cli);

  program
    .command('clock')
    .description('the domain clock of a replay workspace')
    .command('advance')
    .description('move it forward; what falls due on the way happens first')
    .argument('<to>', 'RFC 3339 time with zone, such as 2001-03-01T00:00:00Z')
    .action(async (to: string) => {
      // What is due on the way may run stages, which call back.
      const moved = await cli.withApi((api) => api.call(advanceClock, { body: { to } }), {
        listens: true,
      });
      cli.out.result(moved, () => cli.out.line(`now ${moved.now}   (${moved.fired} timers fired)`));
    });
}
