import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import type { Api, CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import * as contract from './contract.ts';
import type { RouteRevision } from './contract.ts';
import { printChecks, refusedChecks } from './print-checks.ts';
import { printTrace } from './print-trace.ts';
import { whoServedCommand } from './who-served-command.ts';

export function servingCommands(program: Command, cli: CliContext): void {
  endpointCommands(program, cli);
  changeCommands(program, cli);
  whoServedCommand(program, cli);
  program
    .command('trace')
    .description('explain one answered request: version, route revision and why, model, labels')
    .argument('<request-id>', 'from the x-request-id header of the answer')
    .action(async (requestId: string) => {
      const trace = await cli.withApi((api) =>
        api.call(contract.traceRequest, { params: { requestId } }),
      );
      cli.out.result(trace, () => printTrace(trace, cli.out));
    });
}

function endpointCommands(program: Command, cli: CliContext): void {
  const endpoints = program.command('endpoints').description('where predictions are served');
  createCommand(endpoints, cli);
  listCommand(endpoints, cli);
  revisionsCommand(endpoints, cli);
}

function createCommand(endpoints: Command, cli: CliContext): void {
  endpoints
    .command('create')
    .description('create an endpoint, or change what is named of an existing one')
    .argument('<name>', 'endpoint name: the model name of /v2/models/NAME/infer')
    .requiredOption('--model <model>', 'registered model it serves')
    .option('--service <service>', 'feature service whose inputs requests bring')
    .option('--no-service', 'without features: requests bring the model’s own tensors')
    .option('--key <parameter>', 'request parameter with the business key')
    .option('--no-key', 'without a business key')
    .option('--sticky <parameter>', 'request parameter that keeps a caller on one arm')
    .option('--no-sticky', 'without a sticky key: callers stay on an arm by business key, or not')
    .addOption(
      new Option(
        '--durability <when>',
        'sync survives a power loss before it answers; default of a new one: async',
      ).choices(['async', 'sync'] as const),
    )
    .action(async (endpoint: string, options: CreateOptions) => {
      const { model } = options;
      const created = await cli.withApi(async (api) => {
        const body = { ...(await specOf(api, endpoint)), ...named(options), model };
        return api.call(contract.putEndpoint, { params: { endpoint }, body });
      });
      cli.out.result(created, () => {
        cli.out.line(`endpoint ${endpoint} serves model ${model}`);
        if (created.route === null) cli.out.line(`next: millwright deploy ${endpoint}@VERSION`);
      });
    });
}

function listCommand(endpoints: Command, cli: CliContext): void {
  endpoints
    .command('ls')
    .description('list endpoints and what they serve')
    .action(async () => {
      const page = await cli.withApi((api) => api.call(contract.listEndpoints, { query: {} }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line(
            'No endpoints yet. Create one: millwright endpoints create NAME --model MODEL',
          );
          return;
        }
        cli.out.table(
          ['endpoint', 'model', 'revision', 'arms', 'since'],
          page.items.map(({ name, model, route }) => [
            name,
            model,
            route?.revision ?? '',
            route === null ? 'nothing deployed' : armsText(route),
            route?.wall ?? '',
          ]),
        );
      });
    });
}

function revisionsCommand(endpoints: Command, cli: CliContext): void {
  endpoints
    .command('revisions')
    .description('the route revisions of an endpoint, newest first')
    .argument('<name>', 'endpoint')
    .action(async (endpoint: string) => {
      const page = await cli.withApi((api) =>
        api.call(contract.listRevisions, { params: { endpoint }, query: {} }),
      );
      cli.out.result(page, () => {
        cli.out.table(
          ['revision', 'arms', 'by', 'reason', 'restores', 'at'],
          page.items.map((revision) => [
            revision.revision,
            armsText(revision),
            revision.actor,
            revision.reason,
            revision.restores,
            revision.wall,
          ]),
        );
        cli.out.line(
          page.chainIntact ? 'hash chain intact' : 'HASH CHAIN BROKEN: a revision was altered',
        );
      });
    });
}

interface CreateOptions {
  readonly model: string;
  /** False for `--no-service`, `--no-key` and so on. */
  readonly service?: string | false;
  readonly key?: string | false;
  readonly sticky?: string | false;
  readonly durability?: 'async' | 'sync';
}

/** What the endpoint is like already; nothing for a new one. */
async function specOf(api: Api, endpoint: string): Promise<Partial<contract.EndpointSpec>> {
  try {
    const found = await api.call(contract.getEndpoint, { params: { endpoint } });
    // Whatever a specification consists of, and nothing else of the endpoint.
    return z.object(contract.EndpointSpec.shape).parse(found);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'ENDPOINT_NOT_FOUND') return {};
    throw thrown;
  }
}

/** What the command line names; the rest stays as it is. */
function named(options: CreateOptions): Partial<contract.EndpointSpec> {
  const { service, key, sticky, durability } = options;
  return {
    ...(service === undefined ? {} : { service: service === false ? null : service }),
    ...(key === undefined ? {} : { key: key === false ? null : key }),
    ...(sticky === undefined ? {} : { sticky: sticky === false ? null : sticky }),
    ...(durability === undefined ? {} : { durability }),
  };
}

interface ReasonOption {
  readonly reason: string;
}

function deployCommand(program: Command, cli: CliContext): void {
  program
    .command('deploy')
    .description('blue/green: check, load and warm a version, then send it all traffic')
    .argument('<name@version>', 'such as late@2: the endpoint late and its version', parseTarget)
    .option('--endpoint <endpoint>', 'endpoint, when it is not named like its model')
    .option('--reason <text>', 'why, for the record', '')
    .action(async (target: Target, options: ReasonOption & { endpoint?: string }) => {
      const { name, version } = target;
      const { reason, endpoint = name } = options;
      // With an endpoint of its own the name is the model's, which the endpoint then has to serve.
      const model = options.endpoint === undefined ? {} : { model: name };
      const body = { version, reason, ...model };
      await refusable(cli, async () => {
        const revision = await cli.withApi((api) =>
          api.call(contract.deploy, { params: { endpoint }, body }),
        );
        cli.out.result(revision, () => {
          printChecks(revision.evidence, cli.out);
          cli.out.line(`${endpoint}: revision ${revision.revision}, ${armsText(revision)}`);
        });
      });
    });
}

/** A change that the checks of versions may refuse: then they are shown, and the status is 1. */
async function refusable(cli: CliContext, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (thrown) {
    const checks = thrown instanceof AppError ? refusedChecks(thrown) : null;
    if (!(thrown instanceof AppError) || checks === null) throw thrown;
    cli.out.result(thrown.toBody(), () => {
      printChecks(checks, cli.out);
      cli.out.line(thrown.message);
      if (thrown.hint !== undefined) cli.out.line(thrown.hint);
    });
    cli.endWith(1);
  }
}

function changeCommands(program: Command, cli: CliContext): void {
  deployCommand(program, cli);

  program
    .command('split')
    .description('share the traffic between versions, in percent; a canary comes last')
    .argument('<endpoint>', 'endpoint')
    .argument('<version=percent...>', 'such as 1=90 2=10', parseShare, [])
    .option('--reason <text>', 'why, for the record', '')
    .action(async (endpoint: string, shares: Share[], { reason }: ReasonOption) => {
      const arms = shares.map(({ version, weight }) => ({ name: `v${version}`, version, weight }));
      await refusable(cli, async () => {
        const revision = await cli.withApi((api) =>
          api.call(contract.split, { params: { endpoint }, body: { arms, reason } }),
        );
        cli.out.result(revision, () => {
          printChecks(revision.evidence, cli.out);
          cli.out.line(`${endpoint}: revision ${revision.revision}, ${armsText(revision)}`);
        });
      });
    });

  program
    .command('rollback')
    .description('send the traffic back to where it went before')
    .argument('<endpoint>', 'endpoint')
    .option('--reason <text>', 'why, for the record; not needed for a drill')
    .option('--to <revision>', 'a former revision; default: the one before', wholeNumber)
    .option('--drill', 'go to the former revision and return at once: an exercise, kept as one')
    .action(async (endpoint: string, options: RollbackOptions) => {
      const { reason, to, drill = false } = options;
      if (drill) {
        if (to !== undefined) throw misused('A drill goes to the revision before, not to another.');
        await refusable(cli, () => runDrill(cli, endpoint, reason ?? ''));
        return;
      }
      if (reason === undefined) throw misused('A rollback needs a reason, for the record.');
      const body = { reason, ...(to === undefined ? {} : { to }) };
      await refusable(cli, async () => {
        const revision = await cli.withApi((api) =>
          api.call(contract.rollback, { params: { endpoint }, body }),
        );
        cli.out.result(revision, () => {
          const { restores } = revision;
          printChecks(revision.evidence, cli.out);
          cli.out.line(`${endpoint}: revision ${revision.revision} restores ${restores}`);
          cli.out.line(`  ${armsText(revision)}`);
        });
      });
    });
}

interface RollbackOptions {
  readonly reason?: string;
  readonly to?: number;
  readonly drill?: boolean;
}

function misused(what: string): AppError {
  const hint = 'millwright rollback NAME --reason "why", or millwright rollback NAME --drill';
  return new AppError('INVALID_INPUT', what, { hint });
}

async function runDrill(cli: CliContext, endpoint: string, reason: string): Promise<void> {
  const drill = await cli.withApi((api) =>
    api.call(contract.drillRollback, { params: { endpoint }, body: { reason } }),
  );
  cli.out.result(drill, () => {
    const { there, back } = drill;
    printChecks(there.evidence, cli.out);
    cli.out.line(`${endpoint}: revision ${there.revision} restored ${there.restores}`);
    cli.out.line(`  ${armsText(there)}`);
    cli.out.line(`${endpoint}: revision ${back.revision} came back to ${back.restores}`);
    cli.out.line(`  ${armsText(back)}`);
  });
}

function armsText(revision: RouteRevision): string {
  return revision.arms
    .map((arm) => `${arm.name} → v${arm.version} ${arm.weight / 100} %`)
    .join(', ');
}

interface Target {
  readonly name: string;
  readonly version: number;
}

function parseTarget(text: string): Target {
  const match = /^([^@]+)@([1-9]\d*)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected NAME@VERSION, such as late@2.');
  return { name: match[1]!, version: Number(match[2]) };
}

interface Share {
  readonly version: number;
  /** Buckets of 10,000. */
  readonly weight: number;
}

function parseShare(text: string, former: Share[]): Share[] {
  const match = /^([1-9]\d*)=(\d{1,3}(?:\.\d{1,2})?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected VERSION=PERCENT, such as 2=10.');
  return [...former, { version: Number(match[1]), weight: Math.round(Number(match[2]) * 100) }];
}
