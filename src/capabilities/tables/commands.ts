import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { AppError } from '../../base/errors.ts';
import type { CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import type { Cell } from '../../platform/cli/output.ts';
import {
  appendRows,
  Column,
  committedBy,
  createTable,
  getTable,
  listTables,
  PARQUET_TYPE,
  parquetColumns,
  readRows,
  type ColumnType,
  type Table,
} from './contract.ts';
import { parseTable, TABLE_HELP } from './parse-table.ts';
import { parquetFooter } from './parquet-footer.ts';
import { versionCommands } from './version-commands.ts';

export function tablesCommands(program: Command, cli: CliContext): void {
  const tables = program.command('tables').description('Delta tables of the lake');
  listCommand(tables, cli);
  createCommand(tables, cli);
  showCommand(tables, cli);
  appendCommand(tables, cli);
  rowsCommand(tables, cli);
  versionCommands(tables, cli);
}

function listCommand(tables: Command, cli: CliContext): void {
  tables
    .command('ls')
    .description('list tables')
    .option('--limit <n>', 'how many', wholeNumber, 100)
    .action(async ({ limit }: { limit: number }) => {
      const query = { limit };
      const page = await cli.withApi((api) => api.call(listTables, { query }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line('No tables yet. Create one: millwright tables create lab.rows id:long');
          return;
        }
        cli.out.table(
          ['table', 'version', 'rows', 'files', 'bytes', 'changed', 'by'],
          page.items.map(({ namespace, name, version, rows, files, sizeBytes, lastChange }) => [
            `${namespace}.${name}`,
            version,
            rows,
            files,
            sizeBytes,
            lastChange?.committedAt ?? '',
            lastChange === null ? '' : committedBy(lastChange),
          ]),
        );
      });
    });
}

function createCommand(tables: Command, cli: CliContext): void {
  tables
    .command('create')
    .description('create an empty table, of named columns or those of a Parquet file')
    .argument('<table>', TABLE_HELP)
    .argument('[columns...]', 'name:type each, such as id:long; with a ! behind, never null')
    .option('--from <file>', 'a Parquet file whose columns it gets; its rows are appended apart')
    .action(async (table: string, named: string[], { from }: { from?: string }) => {
      if ((from === undefined) === (named.length === 0)) {
        throw new AppError('INVALID_INPUT', 'A table is made of named columns, or --from a file.', {
          hint: `millwright tables create ${table} id:long, or --from FILE.parquet`,
        });
      }
      const ref = parseTable(table);
      const footer = from === undefined ? null : await parquetFooter(from);
      const created = await cli.withApi(async (api) => {
        const columns =
          footer === null
            ? named.map(parseColumn)
            : (await api.call(parquetColumns, {}, { bytes: footer, contentType: PARQUET_TYPE }))
                .columns;
        return api.call(createTable, { body: { ...ref, columns } });
      });
      cli.out.result(created, () => {
        printTable(created, cli);
        if (from !== undefined) cli.out.line(`next: millwright tables append ${table} ${from}`);
      });
    });
}

function showCommand(tables: Command, cli: CliContext): void {
  tables
    .command('show')
    .description('describe a table')
    .argument('<table>', TABLE_HELP)
    .option('--version <n>', 'as of this version', wholeNumber)
    .action(async (table: string, { version }: { version?: number }) => {
      const query = version === undefined ? {} : { version };
      const params = parseTable(table);
      const found = await cli.withApi((api) => api.call(getTable, { params, query }));
      cli.out.result(found, () => {
        printTable(found, cli);
      });
    });
}

function printTable(table: Table, cli: CliContext): void {
  const { namespace, name, version, rows, files, sizeBytes, createdAt, location } = table;
  cli.out.line(`${namespace}.${name}   version ${version}   since ${createdAt}`);
  cli.out.line(`  ${rows} rows in ${files} files, ${sizeBytes} bytes`);
  cli.out.line(`  ${location}`);
  cli.out.table(
    ['column', 'type', 'null'],
    table.columns.map((column) => [column.name, column.type, column.nullable ? 'yes' : 'never']),
  );
}

function appendCommand(tables: Command, cli: CliContext): void {
  tables
    .command('append')
    .description('append the rows of a file: Parquet, or one JSON object a line')
    .argument('<table>', TABLE_HELP)
    .argument('<file>', '.parquet, else NDJSON; - reads NDJSON from standard input')
    .option('--batch <id>', 'repeating the same id adds nothing')
    .option('--stream <name>', 'a stream whose batches carry rising sequence numbers')
    .option('--sequence <n>', 'the number of this batch in its stream', wholeNumber)
    .action(
      async (
        table: string,
        file: string,
        options: { batch?: string; stream?: string; sequence?: number },
      ) => {
        // Options hold the global ones as well, which the route does not know.
        const { batch, stream, sequence } = options;
        const query = {
          ...(batch === undefined ? {} : { batch }),
          ...(stream === undefined ? {} : { stream }),
          ...(sequence === undefined ? {} : { sequence }),
        };
        const params = parseTable(table);
        const bytes = await openRows(file);
        const contentType = file.endsWith('.parquet') ? PARQUET_TYPE : 'application/x-ndjson';
        const done = await cli.withApi((api) =>
          api.call(appendRows, { params, query }, { bytes, contentType }),
        );
        cli.out.result(done, () => {
          if (done.duplicate) cli.out.line(`already in, since version ${done.version} at least`);
          else cli.out.line(`${done.rows} rows appended: version ${done.version}`);
        });
      },
    );
}

function rowsCommand(tables: Command, cli: CliContext): void {
  tables
    .command('rows')
    .description('print rows')
    .argument('<table>', TABLE_HELP)
    .option('--version <n>', 'as of this version', wholeNumber)
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--offset <n>', 'how many to skip', wholeNumber, 0)
    .action(async (table: string, options: { version?: number; limit: number; offset: number }) => {
      const { version, limit, offset } = options;
      const query = { limit, offset, ...(version === undefined ? {} : { version }) };
      const params = parseTable(table);
      const found = await cli.withApi((api) => api.call(readRows, { params, query }));
      cli.out.result(found, () => {
        cli.out.table(
          found.columns.map((column) => column.name),
          found.rows as Cell[][],
        );
      });
    });
}

function parseColumn(text: string): { name: string; type: ColumnType; nullable: boolean } {
  const end = text.lastIndexOf(':');
  const nullable = !text.endsWith('!');
  const type = text.slice(end + 1, nullable ? undefined : -1);
  const parsed = Column.safeParse({ name: text.slice(0, Math.max(end, 0)), type, nullable });
  if (parsed.success) return parsed.data;
  throw new AppError('INVALID_INPUT', `${text} is no column.`, {
    hint: `Write name:type, such as id:long; types are ${Column.shape.type.options.join(', ')}.`,
  });
}

async function openRows(file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return process.stdin;
  const found = await stat(file).catch(() => null);
  if (found?.isFile() === true) return createReadStream(file);
  throw new AppError('INVALID_INPUT', `${file} is not a file.`, { hint: 'Check the path.' });
}
