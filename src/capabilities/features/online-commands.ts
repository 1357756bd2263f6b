import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import {
  getFeatures,
  getWatermarks,
  rebuildFeatures,
  verifyService,
  type VerifyReport,
} from './online-contract.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `30m`, `6h`, `1d` in seconds. */
function seconds(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const factor = UNIT_SECONDS[unit ?? ''];
  if (factor !== undefined && Number(count) > 0) return Number(count) * factor;
  throw new AppError('INVALID_INPUT', `${text} is no duration.`, {
    hint: 'Write a number and a unit: 30m, 6h, 1d.',
  });
}

/** `features get`, `verify`, `watermarks` and `rebuild`, as subcommands of `features`. */
export function onlineFeaturesCommands(features: Command, cli: CliContext): void {
  getCommand(features, cli);
  verifyCommand(features, cli);
  features
    .command('watermarks')
    .description('how far online features are: version of each source table they show')
    .action(async () => {
      const { items } = await cli.withApi((api) => api.call(getWatermarks, { query: {} }));
      cli.out.result(items, () =>
        cli.out.table(
          ['table', 'version', 'views', 'building', 'error'],
          items.map((it) => [
            it.table,
            it.version,
            it.views.join(', '),
            it.building.join(', '),
            it.error,
          ]),
        ),
      );
    });
  features
    .command('rebuild')
    .description('build the online features anew from the tables, reading the old ones meanwhile')
    .action(async () => {
      const done = await cli.withApi((api) => api.call(rebuildFeatures, {}));
      cli.out.result(done, () => cli.out.line(`${done.views} views are being built`));
    });
}

function getCommand(features: Command, cli: CliContext): void {
  features
    .command('get')
    .description('the vector of a feature service, now or as of a time past')
    .argument('<service>', 'service')
    .option('--key <pairs>', 'keys, such as origin=ORD,destination=LGA')
    .option('--set <pairs>', 'request inputs, such as distance=733')
    .option('--at <time>', 'T, RFC 3339; now unless given')
    .action(
      async (service: string, { key, set, at }: { key?: string; set?: string; at?: string }) => {
        const inputs = { ...pairs(key), ...pairs(set) };
        const body = { service, ...(at === undefined ? {} : { at }) };
        const found = await cli.withApi((api) =>
          api.call(getFeatures, { body: { ...body, inputs } }),
        );
        cli.out.result(found, () => {
          cli.out.line(
            `${found.service} at ${found.at}, definition ${found.definition.slice(0, 12)}`,
          );
          cli.out.table(
            ['feature', 'value', 'age s'],
            found.features.map((it) => [it.name, it.value, it.ageSeconds]),
          );
        });
      },
    );
}

function verifyCommand(features: Command, cli: CliContext): void {
  features
    .command('verify')
    .description(
      'recompute logged vectors from the tables; exit 1 when one differs or none is logged',
    )
    .argument('<service>', 'service')
    .option('--last <duration>', 'vectors of the last 30m, 6h, 1d, ...; all unless given')
    .option('--from <time>', 'from this T on, RFC 3339')
    .option('--until <time>', 'until before this T')
    .option('--endpoint <name>', 'only what this endpoint answered')
    .action(
      async (
        service: string,
        {
          last,
          from,
          until,
          endpoint,
        }: { last?: string; from?: string; until?: string; endpoint?: string },
      ) => {
        const body = {
          service,
          ...(last === undefined ? {} : { lastSeconds: seconds(last) }),
          ...(from === undefined ? {} : { from }),
          ...(until === undefined ? {} : { until }),
          ...(endpoint === undefined ? {} : { endpoint }),
        };
        const report = await cli.withApi((api) => api.call(verifyService, { body }));
        cli.out.result(report, () => printReport(report, cli));
        if (!report.isConsistent) cli.endWith(1);
      },
    );
}

function printReport(report: VerifyReport, cli: CliContext): void {
  const { rows, logicMismatches, freshnessGaps, definitionMismatches } = report;
  if (rows === 0) {
    cli.out.line(
      `Nothing was compared: no vector of ${report.service} is logged in this range. ` +
        'Answers reach their table within ten seconds: try again then, or widen --last, --from ' +
        'or --until.',
    );
    return;
  }
  const compared = report.features.reduce((sum, feature) => sum + feature.compared, 0);
  const partial = report.isPartial ? ', the newest of more' : '';
  cli.out.line(
    `${rows} vectors${partial} · logic ${logicMismatches} of ${compared} · ` +
      `freshness ${freshnessGaps} · definition ${definitionMismatches}`,
  );
  if (report.skipped > 0) cli.out.line(`${report.skipped} vectors could not be recomputed`);
  const differing = report.features.filter((it) => it.logic + it.freshness + it.definition > 0);
  if (differing.length > 0) {
    cli.out.table(
      ['feature', 'compared', 'logic', 'freshness', 'definition', 'max difference'],
      differing.map((it) => [
        it.name,
        it.compared,
        it.logic,
        it.freshness,
        it.definition,
        it.maxDifference,
      ]),
    );
  }
  if (report.examples.length > 0) {
    cli.out.table(
      ['kind', 'request', 'T', 'feature', 'logged', 'recomputed'],
      report.examples.map((it) => [
        it.kind,
        it.requestId,
        it.at,
        it.feature,
        it.logged,
        it.recomputed,
      ]),
    );
  }
}

function pairs(text: string | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  if (text === undefined) return found;
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    if (at <= 0) {
      throw new AppError('INVALID_INPUT', `${pair} is no pair of a name and a value.`, {
        hint: 'Write name=value, several with commas between them.',
      });
    }
    found[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return found;
}
