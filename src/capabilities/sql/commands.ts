import { InvalidArgumentError, type Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import type { Cell } from '../../platform/cli/output.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import {
  runSql,
  SQL_ROWS_DEFAULT,
  SQL_ROWS_MAX,
  type SqlAnswer,
  type TableAt,
} from './contract.ts';

interface Options {
  readonly limit: number;
  readonly asOf?: readonly TableAt[];
  readonly csv?: boolean;
}

export function sqlCommands(program: Command, cli: CliContext): void {
  program
    .command('sql')
    .description('ask the tables in SQL, read-only: namespaces are schemas')
    .argument('<query>', 'one SELECT in the dialect of DuckDB')
    .option('--limit <n>', `rows at most, up to ${SQL_ROWS_MAX}`, wholeNumber, SQL_ROWS_DEFAULT)
    .option('--as-of <table@version>', 'read this table at that version; repeatable', tableAt)
    .option('--csv', 'print CSV')
    .action(async (sql: string, { limit, asOf = [], csv = false }: Options) => {
      const body = { sql, limit, asOf: [...asOf] };
      const answer = await cli.withApi((api) => api.call(runSql, { body }));
      cli.out.result(answer, () => {
        if (csv) printCsv(answer, limit, cli);
        else printTable(answer, limit, cli);
      });
    });
}

function printTable({ columns, rows, isCut, tables }: SqlAnswer, limit: number, cli: CliContext) {
  cli.out.table(
    columns.map(({ name }) => name),
    rows.map((row) => row.map(toCell)),
  );
  const read = tables.map(({ namespace, name, version }) => `${namespace}.${name}@${version}`);
  const more = isCut ? `the first ${limit} rows; --limit shows more` : `${rows.length} rows`;
  cli.out.line(read.length === 0 ? more : `${more}   read ${read.join(', ')}`);
}

/** A file that silently lacks rows is worse than none. */
function printCsv({ columns, rows, isCut }: SqlAnswer, limit: number, cli: CliContext): void {
  if (isCut) {
    throw new AppError('QUERY_LIMIT', `The answer has more than ${limit} rows.`, {
      hint: `Raise --limit, to ${SQL_ROWS_MAX} at most, or write LIMIT ${limit} into the query.`,
      details: { limit: 'rows' },
    });
  }
  cli.out.csv(
    columns.map(({ name }) => name),
    rows.map((row) => row.map(toCell)),
  );
}

function toCell(value: unknown): Cell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as Cell);
}

function tableAt(text: string, former: readonly TableAt[] = []): readonly TableAt[] {
  const match = /^(?:([a-z][a-z0-9_]*)\.)?([a-z][a-z0-9_]*)@v?(\d+)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError('Expected TABLE@VERSION, such as predictions.late@12.');
  }
  const [, namespace = 'default', name, version] = match;
  return [...former, { namespace, name: name!, version: Number(version) }];
}
