import { userInfo } from 'node:os';
import path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { AppError, toAppError } from '../base/errors.ts';
import { parseInstant, type Micros } from '../base/time.ts';
import { auth } from '../capabilities/auth/index.ts';
import { lineage } from '../capabilities/lineage/index.ts';
import { loop } from '../capabilities/loop/index.ts';
import { maturity } from '../capabilities/maturity/index.ts';
import { pipelines } from '../capabilities/pipelines/index.ts';
import { features } from '../capabilities/features/index.ts';
import { monitoring } from '../capabilities/monitoring/index.ts';
import { predictions } from '../capabilities/predictions/index.ts';
import { registry } from '../capabilities/registry/index.ts';
import { tracking } from '../capabilities/tracking/index.ts';
import { serving } from '../capabilities/serving/index.ts';
import { sql } from '../capabilities/sql/index.ts';
import { tables } from '../capabilities/tables/index.ts';
import { getStatus } from '../capabilities/workspace/contract.ts';
import { workspace } from '../capabilities/workspace/index.ts';
import type { Api, CliContext } from '../platform/cli/context.ts';
import { createOutput } from '../platform/cli/output.ts';
import { printable } from '../platform/cli/printable.ts';
import { loadConfig, readDeclaration } from '../platform/config/load-config.ts';
import type { Config } from '../platform/config/config.ts';
import { processEnv } from '../platform/system.ts';
import { addExamples } from './command-examples.ts';
import { addFolderCommands } from './folder-commands.ts';
import { programVersion } from './program.ts';
import { quickstart } from './quickstart/quickstart.ts';
import { BEGINS, ENDS } from './quickstart/story.ts';
import { up } from './up.ts';
import { findOwner, withOwner, type Caller } from './with-owner.ts';

/** Exit statuses: 0 done, 1 a check failed, 2 an error, 3 changes wait for approval. */
const EXIT_ERROR = 2;

interface GlobalOptions {
  readonly state?: string;
  readonly config?: string;
  readonly json?: boolean | string;
}

interface QuickstartOptions {
  readonly exit?: boolean;
  readonly json?: string;
  readonly port?: number;
  readonly until?: Micros;
}

interface UpOptions {
  /** The project's folder, when it is not the current one. */
  readonly folder?: string;
  readonly host?: string;
  readonly port?: number;
  readonly log?: string;
  readonly clock?: 'live' | 'replay';
}

/** Runs one command line and returns its exit status. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram((ended) => {
    status = ended;
  });
  try {
    await program.parseAsync(argv);
    return status;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : EXIT_ERROR;
    printError(thrown, argv.includes('--json'));
    return EXIT_ERROR;
  }
}

export function createProgram(endWith: CliContext['endWith'] = () => undefined): Command {
  const program = new Command('millwright')
    .description('MLOps from scripts to a closed loop: one program, one folder')
    .version(programVersion)
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help to see how it is used.');
  // The command that runs: options may stand before or after its name.
  let running: Command = program;
  program.hook('preAction', (_, action) => {
    running = action;
  });
  const options = (): GlobalOptions => running.optsWithGlobals<GlobalOptions>();
  const config = (flags: UpOptions = {}): Config => {
    const { state, config: file } = options();
    const { folder = process.cwd(), host, port, log, clock } = flags;
    return loadConfig({
      folder,
      env: processEnv,
      flags: { state, config: file, host, port, logLevel: log, clock },
    });
  };
  const cli: CliContext = {
    withApi: <T>(action: (api: Api) => Promise<T>, how?: { readonly listens?: boolean }) =>
      withOwner(config(), caller(), action, how),
    declaration: () => readDeclaration(process.cwd(), options().config),
    endWith,
    get out() {
      return createOutput({ isJson: options().json === true, sink: process.stdout });
    },
  };
  addFolderCommands(program, {
    cli,
    config,
    findRunning: () => findOwner(config(), caller()),
    makeWorkspace: (clock) =>
      withOwner(config(clock === undefined ? {} : { clock }), caller(), (api) =>
        api.call(getStatus, {}),
      ),
  });
  addUp(program, config);
  addQuickstart(program, config, cli);
  for (const { commands } of [
    workspace,
    tables,
    sql,
    features,
    tracking,
    registry,
    serving,
    monitoring,
    predictions,
    pipelines,
    loop,
    lineage,
    maturity,
    auth,
  ]) {
    commands(program, cli);
  }
  addGlobalOptions(program);
  addExamples(program);
  return program;
}

/** On the program and on every command, so that nobody has to remember the order. */
function addGlobalOptions(command: Command): void {
  const has = (long: string): boolean => command.options.some((option) => option.long === long);
  command
    .option('--state <folder>', 'state folder (default: .millwright)')
    .option('--config <file>', 'configuration file (default: millwright.yaml, if there is one)');
  if (!has('--json')) command.option('--json', 'print the result as JSON');
  for (const child of command.commands) addGlobalOptions(child);
}

function addQuickstart(
  program: Command,
  config: (flags: UpOptions) => Config,
  cli: CliContext,
): void {
  program
    .command('quickstart')
    .description('see it work: real flights from a raw file to a served, explained prediction')
    .option('--exit', 'stop at the end instead of staying up')
    .option('--json <file>', 'write what was measured to a file')
    .option('--until <day>', 'how far to replay (default: all flights, to 2001-07-01)', parseDay)
    .option('--port <port>', 'port to listen on (default: 7070, or a free one)', parsePort)
    .action(async (options: QuickstartOptions) => {
      const folder = path.resolve('millwright-quickstart');
      const { port } = options;
      const flags = { folder, clock: 'replay' as const, ...(port === undefined ? {} : { port }) };
      await quickstart(config(flags), {
        isExit: options.exit === true,
        jsonFile: options.json ?? null,
        until: options.until ?? ENDS,
        out: cli.out,
      });
    });
}

function addUp(program: Command, config: (flags: UpOptions) => Config): void {
  program
    .command('up')
    .description('run Millwright on this folder until Ctrl-C')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port to listen on (default: 7070)', parsePort)
    .addOption(
      new Option('--clock <kind>', 'clock of a new workspace; irreversible').choices([
        'live',
        'replay',
      ] as const),
    )
    .addOption(new Option('--log <level>', 'how much to log').choices(LOG_LEVELS))
    .action(async (flags: UpOptions) => {
      await up(config(flags), process.stdout);
    });
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new AppError('INVALID_INPUT', `${text} is not a port.`, {
    hint: 'Give a number from 0 to 65535; 0 takes any free port.',
  });
}

function parseDay(text: string): Micros {
  const day = parseInstant(`${text}T00:00:00Z`);
  if (day !== null && day > BEGINS && day <= ENDS) return day;
  const what = day === null ? 'is not a day' : 'is not within the flights that are replayed';
  throw new AppError('INVALID_INPUT', `${text} ${what}.`, {
    hint: 'Give a day from 2001-03-02 to 2001-07-01.',
  });
}

function caller(): Caller {
  const token = processEnv['MILLWRIGHT_TOKEN'];
  return { actor: actor(), ...(token === undefined || token === '' ? {} : { token }) };
}

function actor(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return 'cli';
  }
}

function printError(thrown: unknown, isJson: boolean): void {
  const error = toAppError(thrown);
  if (isJson) {
    process.stderr.write(`${JSON.stringify({ error: error.toBody() }, null, 2)}\n`);
    return;
  }
  process.stderr.write(`error: ${printable(error.message)}\n`);
  if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
  if (error.code === 'INTERNAL' && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack ?? thrown.message}\n`);
  }
}
