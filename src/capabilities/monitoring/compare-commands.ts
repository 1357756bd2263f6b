import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import type { Cell } from '../../platform/cli/output.ts';
import {
  compareOnLog,
  compareOnRows,
  type Compared,
  type ComparedFigures,
  type Comparison,
} from './compare-contract.ts';

interface CompareOptions {
  readonly from?: string;
  readonly until?: string;
  readonly at?: string;
  readonly rows?: string;
  readonly weekly?: boolean;
  readonly base?: string;
}

export function compareCommands(program: Command, cli: CliContext): void {
  program
    .command('compare')
    .description('score versions on the same labelled rows: logged requests, or a training set')
    .argument('<name>', 'endpoint; with --rows the model')
    .argument('<versions...>', 'versions, and served for what was answered')
    .option('--from <instant>', 'rows with T from here on')
    .option('--until <instant>', 'rows with T before here')
    .option('--at <instant>', 'labels that had occurred by then (default: now)')
    .option('--rows <set@version>', 'rows of a training set, such as late_train@3')
    .option('--base <version>', 'what the others are compared with (default: the first)')
    .option('--weekly', 'figures by week instead of by day')
    .action(async (name: string, words: string[], options: CompareOptions) => {
      const compared = await cli.withApi((api) => {
        const asked = askedOf(words, options);
        const { from, until, at, rows } = options;
        if (rows !== undefined) {
          const body = {
            ...asked,
            ...setOf(rows),
            ...(from === undefined ? {} : { from }),
            ...(until === undefined ? {} : { until }),
          };
          return api.call(compareOnRows, { params: { model: name }, body });
        }
        if (from === undefined || until === undefined) {
          throw new AppError('INVALID_INPUT', 'Which requests is not said.', {
            hint: 'Give --from and --until, or --rows of a training set.',
          });
        }
        const body = { ...asked, from, until, ...(at === undefined ? {} : { at }) };
        return api.call(compareOnLog, { params: { endpoint: name }, body });
      });
      cli.out.result(compared, () => {
        printComparison(compared, cli);
      });
    });
}

function askedOf(words: readonly string[], { weekly, base }: CompareOptions) {
  return {
    versions: words.map(versionOf),
    per: weekly === true ? ('week' as const) : ('day' as const),
    ...(base === undefined ? {} : { base: versionOf(base) }),
  };
}

function versionOf(text: string): Compared {
  if (text === 'served') return text;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new AppError('INVALID_INPUT', `${text} is no version.`, {
    hint: 'Write numbers of versions, and served for what was answered.',
  });
}

function setOf(text: string): { trainingSet: string; trainingVersion: number } {
  const [, trainingSet, version] = /^([a-z][a-z0-9_]*)@v?([1-9]\d{0,8})$/.exec(text) ?? [];
  if (trainingSet !== undefined) return { trainingSet, trainingVersion: Number(version) };
  throw new AppError('INVALID_INPUT', `${text} is no version of a training set.`, {
    hint: 'Write its name and version, such as late_train@3.',
  });
}

function printComparison(compared: Comparison, cli: CliContext): void {
  const { model, rows, positives, days, base, versions, periods, leftOut } = compared;
  const from = compared.endpoint ?? setText(compared);
  cli.out.line(`${model} on ${from}   ${compared.from} to ${compared.until}`);
  cli.out.line(`  ${rows} rows of ${days} days, ${positives} positive; left out: ${left(leftOut)}`);
  cli.out.table(
    ['version', 'auc', 'log-loss', 'brier', 'mae', 'rmse', 'mean score', 'missing'],
    versions.map((one) => [one.version, ...cells(one), figure(one.meanScore), one.missing]),
  );
  for (const { version, improvements } of versions) {
    for (const { metric, value, lower, upper, level } of improvements) {
      const bounds =
        lower === null || upper === null
          ? 'too few days for bounds'
          : `${signed(lower)} to ${signed(upper)}, each at ${level * 100} %`;
      cli.out.line(`  ${version} over ${base} in ${metric}: ${signed(value)}   (${bounds})`);
    }
  }
  const names = versions.map(({ version }) => version);
  cli.out.table(
    ['from', 'rows', 'positive', ...names.flatMap((name) => [`${name} auc`, `${name} log-loss`])],
    periods.map((period) => [
      period.from.slice(0, 10),
      period.rows,
      period.positives,
      ...period.versions.flatMap(({ auc, logLoss }) => [figure(auc), figure(logLoss)]),
    ]),
  );
}

function setText({ trainingSet }: Comparison): string {
  return trainingSet === null ? '' : `${trainingSet.name}@${trainingSet.version}`;
}

function left(leftOut: Comparison['leftOut']): string {
  const some = Object.entries(leftOut).filter(([, count]) => count > 0);
  return some.length === 0 ? 'none' : some.map(([why, count]) => `${count} ${why}`).join(', ');
}

function cells({ auc, logLoss, brier, mae, rmse }: ComparedFigures): Cell[] {
  return [auc, logLoss, brier, mae, rmse].map(figure);
}

function figure(value: number | null): string {
  return value === null ? '' : value.toFixed(4);
}

function signed(value: number | null): string {
  if (value === null) return 'undefined';
  return `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
}
