import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { getLogStatus, listPredictions, postLabels } from './contract.ts';

export function predictionsCommands(program: Command, cli: CliContext): void {
  const predictions = program.command('predictions').description('answered requests');

  predictions
    .command('ls')
    .description('recently answered requests of an endpoint, newest first')
    .argument('<endpoint>', 'endpoint')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (endpoint: string, { limit }: { limit: number }) => {
      const page = await cli.withApi((api) =>
        api.call(listPredictions, { params: { endpoint }, query: { limit } }),
      );
      cli.out.result(page.items, () =>
        cli.out.table(
          ['request', 'at', 'version', 'revision', 'status', 'us', 'key'],
          page.items.map((request) => [
            request.requestId,
            request.now,
            request.modelVersion,
            request.routeRevision,
            request.status,
            request.totalUs,
            request.key,
          ]),
        ),
      );
    });

  predictions
    .command('log')
    .description('how far the prediction log is: answered, journaled, flushed')
    .action(async () => {
      const status = await cli.withApi((api) => api.call(getLogStatus, {}));
      cli.out.result(status, () => {
        cli.out.line(
          `since start: ${status.answered} answered, ${status.journaled} journaled, ${status.flushed} put into tables`,
        );
        if (status.quarantined > 0) {
          cli.out.line(`${status.quarantined} refused by their tables: see quarantine.ENDPOINT`);
        }
        cli.out.line(
          `journal: ${status.unflushedBytes} of ${status.unflushedBytesMax} bytes (${status.room})`,
        );
        if (status.lastFlushError !== null)
          cli.out.line(`last flush failed: ${status.lastFlushError}`);
      });
    });

  program
    .command('label')
    .description('attach the known outcome to an answered request')
    .argument('<endpoint>', 'endpoint')
    .argument('<value>', 'the outcome: a number, true, false or text')
    .option('--request <id>', 'the request, by id')
    .option('--key <key>', "the request, by the endpoint's business key")
    .action(
      async (endpoint: string, value: string, options: { request?: string; key?: string }) => {
        const address = {
          ...(options.request === undefined ? {} : { requestId: options.request }),
          ...(options.key === undefined ? {} : { key: options.key }),
        };
        const labels = [{ endpoint, value: parseValue(value), ...address }];
        const reply = await cli.withApi((api) => api.call(postLabels, { body: { labels } }));
        cli.out.result(reply, () => cli.out.line('label stored'));
      },
    );
}

function parseValue(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text;
}
