import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import type { Cell } from '../../platform/cli/output.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import {
  committedBy,
  diffTable,
  tableHistory,
  type Column,
  type Commit,
  type TableDifference,
} from './contract.ts';
import { parseTable, TABLE_HELP } from './parse-table.ts';

/** What a table was, and how its versions differ. */
export function versionCommands(tables: Command, cli: CliContext): void {
  historyCommand(tables, cli);
  diffCommand(tables, cli);
}

function historyCommand(tables: Command, cli: CliContext): void {
  tables
    .command('history')
    .description('list the commits of a table, newest first')
    .argument('<table>', TABLE_HELP)
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (table: string, { limit }: { limit: number }) => {
      const query = { limit };
      const params = parseTable(table);
      const page = await cli.withApi((api) => api.call(tableHistory, { params, query }));
      cli.out.result(page.items, () =>
        cli.out.table(
          ['version', 'at', 'operation', 'by', 'rows +', 'rows -', 'files +', 'files -'],
          page.items.map((commit) => [
            commit.version,
            commit.committedAt,
            operationText(commit),
            committedBy(commit),
            commit.rowsAdded,
            commit.rowsRemoved ?? 'not counted',
            commit.filesAdded,
            commit.filesRemoved,
          ]),
        ),
      );
    });
}

function operationText({ operation, changesRows, changesColumns }: Commit): string {
  return changesRows || changesColumns ? operation : `${operation} (no change)`;
}

function diffCommand(tables: Command, cli: CliContext): void {
  tables
    .command('diff')
    .description('how a version differs from an older one: columns, and rows with some of them')
    .argument('<table>', TABLE_HELP)
    .option('--from <version>', 'the older version; default: the one before', wholeNumber)
    .option('--to <version>', 'the newer version; default: the newest', wholeNumber)
    .option('--limit <n>', 'rows shown of each side', wholeNumber, 10)
    .action(async (table: string, options: { from?: number; to?: number; limit: number }) => {
      const { from, to, limit } = options;
      const params = parseTable(table);
      const query = {
        limit,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      };
      const found = await cli.withApi((api) => api.call(diffTable, { params, query }));
      cli.out.result(found, () => {
        printDifference(found, `${params.namespace}.${params.name}`, cli);
      });
    });
}

function printDifference(found: TableDifference, table: string, { out }: CliContext): void {
  const { from, to, rowsAdded, rowsRemoved, notCompared } = found;
  out.line(`${table}   version ${from} → ${to}   ${rowsAdded} rows added, ${rowsRemoved} removed`);
  if (notCompared !== null) out.line(`  rows were not compared: ${notCompared}`);
  const { added, removed, changed } = found.columns;
  if (added.length + removed.length + changed.length === 0) out.line('  columns: no change');
  for (const column of added) out.line(`  column added    ${columnText(column)}`);
  for (const column of removed) out.line(`  column removed  ${columnText(column)}`);
  for (const change of changed) {
    out.line(`  column changed  ${columnText(change.from)} → ${columnText(change.to)}`);
  }
  const rows = [...signed('+', found.addedRows), ...signed('-', found.removedRows)];
  if (rows.length === 0) return;
  out.table(['', ...found.rowColumns.map(({ name }) => name)], rows);
  const more = rowsAdded + rowsRemoved - rows.length;
  if (more > 0) out.line(`and ${more} more (--limit shows more of them)`);
}

function signed(sign: string, rows: readonly (readonly unknown[])[]): Cell[][] {
  return rows.map((row) => [sign, ...(row as readonly Cell[])]);
}

function columnText({ name, type, nullable }: Column): string {
  return `${name}:${type}${nullable ? '' : '!'}`;
}
