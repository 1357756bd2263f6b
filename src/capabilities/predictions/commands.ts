import type { Command } from 'commander';
import { PAGE_LIMIT_MAX } from '../../base/page.ts';
import type { Api, CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import { getLogStatus, listPredictions, postLabels, type Prediction } from './contract.ts';

export function predictionsCommands(program: Command, cli: CliContext): void {
  const predictions = program.command('predictions').description('answered requests');

  predictions
    .command('ls')
    .description('recently answered requests of an endpoint, newest first')
    .argument('<endpoint>', 'endpoint')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (endpoint: string, { limit }: { limit: number }) => {
      const items = await cli.withApi((api) => newest(api, endpoint, limit));
      cli.out.result(items, () =>
        cli.out.table(
          ['request', 'at', 'version', 'revision', 'status', 'us', 'key'],
          items.map((request) => [
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

/** Follows pages, which are short when their records are long. */
async function newest(api: Api, endpoint: string, limit: number): Promise<readonly Prediction[]> {
  const items: Prediction[] = [];
  let cursor: string | undefined;
  while (items.length < limit) {
    const wanted = Math.min(limit - items.length, PAGE_LIMIT_MAX);
    const page = await api.call(listPredictions, {
      params: { endpoint },
      query: { limit: wanted, ...(cursor === undefined ? {} : { cursor }) },
    });
    items.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return items;
}

function parseValue(text: string): number | boolean | string {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text;
}
