import type { Command } from 'commander';
import type { CliContext } from '../../platform/cli/context.ts';
import { wholeNumber } from '../../platform/cli/whole-number.ts';
import {
  approveLoop,
  challengeLoop,
  getLoop,
  listDecisions,
  listLoops,
  resumeLoop,
  stopLoop,
  triggerLoop,
  whyLoop,
  type Decision,
  type Loop,
} from './contract.ts';

export function loopCommands(program: Command, cli: CliContext): void {
  const loop = program.command('loop').description('the closed loop: retrain, gate, guard');
  listCommand(loop, cli);
  statusCommand(loop, cli);
  decisionsCommand(loop, cli);
  whyCommand(loop, cli);
  triggerCommand(loop, cli);
  challengeCommand(loop, cli);
  stopCommand(loop, cli);
  resumeCommand(loop, cli);
  approveCommand(loop, cli);
}

function listCommand(loop: Command, cli: CliContext): void {
  loop
    .command('ls')
    .description('list loops')
    .option('--limit <n>', 'how many', wholeNumber, 100)
    .action(async ({ limit }: { limit: number }) => {
      const page = await cli.withApi((api) => api.call(listLoops, { query: { limit } }));
      cli.out.result(page.items, () => {
        if (page.items.length === 0) {
          cli.out.line('No loops yet. Declare one in the section loops of millwright.yaml.');
          return;
        }
        cli.out.table(
          ['loop', 'endpoint', 'champion', 'state', 'autonomy'],
          page.items.map((one) => [
            one.name,
            one.endpoint,
            one.champion === null ? '' : `v${one.champion.version}`,
            stateOf(one),
            one.spec.autonomy,
          ]),
        );
      });
    });
}

function statusCommand(loop: Command, cli: CliContext): void {
  loop
    .command('status')
    .description('what a loop does now, with its last decisions')
    .argument('<name>', 'loop')
    .action(async (name: string) => {
      const params = { loop: name };
      const [found, decisions] = await cli.withApi(async (api) => [
        await api.call(getLoop, { params }),
        await api.call(listDecisions, { params, query: { limit: LAST_DECISIONS } }),
      ]);
      cli.out.result({ ...found, decisions: decisions.items }, () => {
        printStatus(found, cli);
        for (const decision of decisions.items) printDecision(decision, cli);
      });
    });
}

const LAST_DECISIONS = 5;

function stateOf({ instance, stopped, cooldownUntil }: Loop): string {
  if (instance !== null) return instance.state;
  if (stopped !== null) return stopped.until === null ? 'stopped' : 'frozen';
  return cooldownUntil === null ? 'idle' : 'cooling';
}

function printStatus(loop: Loop, cli: CliContext): void {
  const { champion, retrains, cooldownUntil, stopped, instance, policy } = loop;
  const parts = [
    champion === null ? 'no champion' : `champion v${champion.version} since ${champion.since}`,
    stateOf(loop),
    ...(cooldownUntil === null ? [] : [`cooldown until ${cooldownUntil}`]),
    `budget ${retrains.used} of ${retrains.of} retrains in ${retrains.per}`,
  ];
  cli.out.line(`${loop.name}   ${parts.join(' · ')}   policy ${policy}`);
  if (stopped !== null) {
    const until = stopped.until === null ? '' : ` until ${stopped.until}`;
    cli.out.line(`  stopped${until} by ${stopped.by}: ${stopped.reason}`);
  }
  if (instance === null) return;
  const { challenger, pipelineRun, evaluation } = instance;
  const made = challenger === null ? 'no challenger yet' : `challenger v${challenger}`;
  const run = pipelineRun === null ? '' : ` from ${pipelineRun}`;
  cli.out.line(`  ${made}${run}; gate on ${evaluation.from} to ${evaluation.until}`);
}

function printDecision({ at, kind, reason, actor }: Decision, cli: CliContext): void {
  cli.out.line(`  ${at}  ${kind}  ${reason}${actor === 'loop' ? '' : ` (${actor})`}`);
}

function decisionsCommand(loop: Command, cli: CliContext): void {
  loop
    .command('decisions')
    .description('what a loop decided and why, newest first')
    .argument('<name>', 'loop')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--instance <id>', 'only those of one instance')
    .action(async (name: string, options: { limit: number; instance?: string }) => {
      const { limit, instance } = options;
      const query = { limit, ...(instance === undefined ? {} : { instance }) };
      const params = { loop: name };
      const page = await cli.withApi((api) => api.call(listDecisions, { params, query }));
      cli.out.result(page.items, () => {
        for (const decision of page.items) printDecision(decision, cli);
      });
    });
}

function whyCommand(loop: Command, cli: CliContext): void {
  loop
    .command('why')
    .description('why a loop did what it did last, and why it does nothing now')
    .argument('<name>', 'loop')
    .action(async (name: string) => {
      const why = await cli.withApi((api) => api.call(whyLoop, { params: { loop: name } }));
      cli.out.result(why, () => {
        for (const line of why.sentences) cli.out.line(line);
      });
    });
}

function triggerCommand(loop: Command, cli: CliContext): void {
  loop
    .command('trigger')
    .description('ask for a new version now')
    .argument('<name>', 'loop')
    .requiredOption('--reason <text>', 'why; recorded with the decision')
    .option('--pipeline <stage>', 'another stage than the declared one')
    .action(async (name: string, options: { reason: string; pipeline?: string }) => {
      const { reason, pipeline } = options;
      const body = { reason, ...(pipeline === undefined ? {} : { pipeline }) };
      await decided(cli, (api) => api.call(triggerLoop, { params: { loop: name }, body }));
    });
}

function challengeCommand(loop: Command, cli: CliContext): void {
  loop
    .command('challenge')
    .description('put an existing version before the gate')
    .argument('<name>', 'loop')
    .argument('<version>', 'version of the endpoint’s model', wholeNumber)
    .option('--reason <text>', 'why; recorded with the decision')
    .option('--override <text>', 'roll out even when the gate rejects it, for this recorded reason')
    .action(
      async (name: string, version: number, options: { reason?: string; override?: string }) => {
        const { reason, override } = options;
        const body = {
          version,
          ...(reason === undefined ? {} : { reason }),
          ...(override === undefined ? {} : { override }),
        };
        await decided(cli, (api) => api.call(challengeLoop, { params: { loop: name }, body }));
      },
    );
}

function stopCommand(loop: Command, cli: CliContext): void {
  loop
    .command('stop')
    .description('let a loop begin nothing more, until resumed or for a time')
    .argument('<name>', 'loop')
    .requiredOption('--reason <text>', 'why; recorded with the decision')
    .option('--until <time>', 'a freeze that ends by itself, such as 2001-05-02T00:00:00Z')
    .action(async (name: string, options: { reason: string; until?: string }) => {
      const { reason, until } = options;
      const body = { reason, ...(until === undefined ? {} : { until }) };
      await decided(cli, (api) => api.call(stopLoop, { params: { loop: name }, body }));
    });
}

function resumeCommand(loop: Command, cli: CliContext): void {
  loop
    .command('resume')
    .description('let a stopped loop run again; its failures so far are forgiven')
    .argument('<name>', 'loop')
    .requiredOption('--reason <text>', 'why; recorded with the decision')
    .action(async (name: string, { reason }: { reason: string }) => {
      const params = { loop: name };
      await decided(cli, (api) => api.call(resumeLoop, { params, body: { reason } }));
    });
}

function approveCommand(loop: Command, cli: CliContext): void {
  loop
    .command('approve')
    .description('let the version that passed the gate take the traffic')
    .argument('<name>', 'loop')
    .requiredOption('--reason <text>', 'why; recorded with the decision')
    .option('--deny', 'reject it instead', false)
    .action(async (name: string, { reason, deny }: { reason: string; deny: boolean }) => {
      const params = { loop: name };
      await decided(cli, (api) => api.call(approveLoop, { params, body: { reason, deny } }));
    });
}

/** A suppressed wish is an answer, not an error, but a script has to see it. */
async function decided(
  cli: CliContext,
  ask: (api: Parameters<Parameters<CliContext['withApi']>[0]>[0]) => Promise<Decision>,
): Promise<void> {
  const decision = await cli.withApi(ask);
  cli.out.result(decision, () => {
    printDecision(decision, cli);
  });
  if (decision.kind === 'suppressed') cli.endWith(1);
}
