import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import prettier from 'prettier';
import { ERRORS } from '../src/base/errors.ts';
import type { Route } from '../src/base/route.ts';
import * as auth from '../src/capabilities/auth/contract.ts';
import * as features from '../src/capabilities/features/contract.ts';
import * as monitoring from '../src/capabilities/monitoring/contract.ts';
import * as loop from '../src/capabilities/loop/contract.ts';
import * as maturity from '../src/capabilities/maturity/contract.ts';
import * as predictions from '../src/capabilities/predictions/contract.ts';
import * as registry from '../src/capabilities/registry/contract.ts';
import * as serving from '../src/capabilities/serving/contract.ts';
import * as sql from '../src/capabilities/sql/contract.ts';
import * as tables from '../src/capabilities/tables/contract.ts';
import * as tracking from '../src/capabilities/tracking/contract.ts';
import * as backup from '../src/capabilities/workspace/backup-contract.ts';
import * as workspace from '../src/capabilities/workspace/contract.ts';
import { createProgram } from '../src/app/cli.ts';
import { configSchemaText } from '../src/app/config-schema.ts';
import { programVersion } from '../src/app/program.ts';
import { openApi } from '../src/platform/http/openapi.ts';
import { ROOT } from './run.ts';

/** `npm run generate`: writes docs/reference from the code. `--check` only tells what is stale. */

const contracts = [
  workspace,
  backup,
  tables,
  sql,
  features,
  tracking,
  registry,
  predictions,
  monitoring,
  serving,
  loop,
  maturity,
  auth,
];

function routes(): readonly Route[] {
  return contracts.flatMap((contract) => Object.values(contract).filter(isRoute));
}

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && 'reply' in value && 'path' in value;
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status }]) => `| \`${code}\` | ${status} |`);
  return [
    '# Errors',
    '',
    'Every failure of the native API is `{"error": {"code", "message", "hint"?, "details"?}}`. The codes are',
    'stable; messages are for people. On the command line a failure exits with status 2.',
    '',
    '| code | HTTP status |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function commandTable(): string {
  const sections: string[] = ['# Command line', ''];
  const visit = (command: ReturnType<typeof createProgram>, path: readonly string[]): void => {
    const names = [...path, command.name()];
    // The reader's terminal must not shape the file.
    command.configureHelp({ helpWidth: 88 });
    if (command.commands.length === 0 || command.registeredArguments.length > 0) {
      sections.push(`## ${names.join(' ')}`, '', '```', helpOf(command), '```', '');
    }
    for (const child of command.commands) visit(child, names);
  };
  visit(createProgram(), []);
  return sections.join('\n');
}

/** Also what is added to the help: its examples. */
function helpOf(command: ReturnType<typeof createProgram>): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) });
  command.outputHelp();
  return text.trim();
}

const documents: Readonly<Record<string, string>> = {
  'docs/reference/openapi.json': `${JSON.stringify(openApi(routes(), programVersion), null, 2)}\n`,
  'docs/reference/millwright.schema.json': configSchemaText(),
  'docs/reference/errors.md': await prettier.format(errorTable(), { parser: 'markdown' }),
  'docs/reference/cli.md': await prettier.format(commandTable(), { parser: 'markdown' }),
};

const isCheck = process.argv.includes('--check');
const stale = Object.entries(documents).filter(([name, text]) => {
  const file = join(ROOT, name);
  return !existsSync(file) || readFileSync(file, 'utf8') !== text;
});
for (const [name, text] of stale) {
  if (isCheck) {
    process.stderr.write(`${name} is stale: run npm run generate\n`);
    continue;
  }
  mkdirSync(dirname(join(ROOT, name)), { recursive: true });
  writeFileSync(join(ROOT, name), text);
  process.stdout.write(`wrote ${name}\n`);
}
if (isCheck && stale.length > 0) process.exitCode = 1;
