import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Listr } from 'listr2';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { getLogStatus } from '../../capabilities/predictions/contract.ts';
import { printTrace } from '../../capabilities/serving/print-trace.ts';
import type { Output } from '../../platform/cli/output.ts';
import { HttpApi, socketTransport } from '../../platform/cli/http-api.ts';
import type { Config } from '../../platform/config/config.ts';
import { createLog } from '../../platform/log/log.ts';
import { sleep, systemClock } from '../../platform/system.ts';
import { realMachine } from '../machine.ts';
import { createApp, type App } from '../create-app.ts';
import { packageFolder } from '../program.ts';
import { stopSignal } from '../stop-signal.ts';
import { IrisStory, type Answer, type Flower } from './iris-story.ts';

/** What the quickstart measured; `--json` writes it. */
export interface QuickstartReport {
  readonly phases: { readonly name: string; readonly seconds: number }[];
  requests: number;
  answered: number;
  logged: number;
  labelled: number;
  readonly versions: {
    readonly version: number;
    readonly requests: number;
    readonly correct: number;
  }[];
}

const NOT_YET =
  'Not built yet: features, pipelines, tracking, monitoring and the retraining loop. This thread is their ground.';
/** The flush interval with room; after it every answered request is in its table. */
const FLUSH_WAIT_MS = 20_000;
const FLUSH_LOOK_MS = 100;

interface Story {
  readonly app: App;
  readonly url: string;
  readonly tell: IrisStory;
  readonly report: QuickstartReport;
  flowers: readonly Flower[];
  answers: Answer[];
}

/** Runs the story in its own folder; then stays up, or with `isExit` stops. */
export async function quickstart(
  config: Config,
  options: { readonly isExit: boolean; readonly jsonFile: string | null; readonly out: Output },
): Promise<void> {
  const { out } = options;
  const app = await createApp(config, realMachine(createLog({ level: 'warn' })));
  try {
    const url = await listenSomewhere(app);
    const story: Story = {
      app,
      url,
      tell: new IrisStory({
        api: new HttpApi(socketTransport(url), { actor: 'quickstart' }),
        url,
        folder: path.join(packageFolder, 'examples', 'iris'),
      }),
      report: { phases: [], requests: 0, answered: 0, logged: 0, labelled: 0, versions: [] },
      flowers: [],
      answers: [],
    };
    await run(story, config);
    await summarise(story, out);
    if (options.jsonFile !== null) {
      await writeFile(options.jsonFile, `${JSON.stringify(story.report, null, 2)}\n`);
    }
    if (options.isExit) return;
    out.line(
      `→ ${url}        (Ctrl-C stops; \`millwright up\` in ${folderOf(config)} brings it back)`,
    );
    await stopSignal();
  } finally {
    await app.stop();
  }
}

/** The usual port, or any other when it is taken: a first look should not fail over that. */
async function listenSomewhere(app: App): Promise<string> {
  try {
    return await app.listen();
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'PORT_IN_USE') throw thrown;
    return app.listen(0);
  }
}

async function run(story: Story, config: Config): Promise<void> {
  const { tell, report } = story;
  const phase = (name: string, action: () => Promise<string>) => ({
    title: name,
    task: async (_: unknown, task: { title: string }): Promise<void> => {
      const start = systemClock.elapsed();
      const told = await action();
      const seconds = (systemClock.elapsed() - start) / 1000;
      report.phases.push({ name, seconds: Math.round(seconds * 1000) / 1000 });
      task.title = `${name.padEnd(10)} ${told.padEnd(84)} ${seconds.toFixed(1)} s`;
    },
  });
  const list = new Listr(
    [
      phase('workspace', async () => `${folderOf(config)} (live clock)`),
      phase('data', async () => {
        story.flowers = await tell.readFlowers();
        const table = await tell.load(story.flowers);
        return `${table.rows} measured flowers → table iris.measurements@v${table.version} (Delta Lake)`;
      }),
      phase('models', async () => {
        const versions = await tell.register();
        return versions.map((one) => `v${one.version} ${one.description}`).join(', ');
      }),
      phase('deploy', async () => {
        const [first] = await tell.register();
        const route = await tell.deploy(present(first, 'version 1'), 'quickstart');
        return `iris → version ${route.arms[0]?.version} (${route.arms[0]?.name}), route revision ${route.revision}`;
      }),
      phase('predict', async () => predict(story)),
      phase('switch', async () => switchUnderLoad(story)),
      phase('rollback', async () => rollBack(story)),
      phase('labels', async () => label(story)),
      phase('log', async () => awaitFlush(story)),
    ],
    { rendererOptions: { collapseSubtasks: false } },
  );
  await list.run();
}

async function predict(story: Story): Promise<string> {
  story.answers.push(...(await ask(story, story.flowers)));
  return `${story.answers.length} requests answered by version 1`;
}

async function ask(story: Story, flowers: readonly Flower[]): Promise<readonly Answer[]> {
  story.report.requests += flowers.length;
  const answers = await story.tell.ask(flowers);
  story.report.answered += answers.length;
  return answers;
}

async function switchUnderLoad(story: Story): Promise<string> {
  const [, second] = await story.tell.register();
  const repeated = Array.from({ length: 10 }, () => story.flowers).flat();
  const [answers, route] = await Promise.all([
    ask(story, repeated),
    story.tell.deploy(present(second, 'version 2'), 'better on paper'),
  ]);
  story.answers.push(...answers);
  const byVersion = (version: number): number =>
    answers.filter((answer) => answer.version === version).length;
  return `${route.arms[0]?.name} → version 2 while ${answers.length} requests ran: v1 ${byVersion(1)}, v2 ${byVersion(2)}, failed 0`;
}

async function rollBack(story: Story): Promise<string> {
  const start = systemClock.elapsed();
  const route = await story.tell.rollback('trying it out');
  const ms = systemClock.elapsed() - start;
  story.answers.push(...(await ask(story, story.flowers)));
  return `revision ${route.revision} restores ${route.restores} in ${ms.toFixed(0)} ms, version ${route.arms[0]?.version} answers again`;
}

async function label(story: Story): Promise<string> {
  await story.tell.label(story.answers);
  story.report.labelled = story.answers.length;
  const versions = [...new Set(story.answers.map(({ version }) => version))].sort((a, b) => a - b);
  for (const version of versions) {
    const mine = story.answers.filter((answer) => answer.version === version);
    const correct = mine.filter((answer) => answer.label === answer.species).length;
    story.report.versions.push({ version, requests: mine.length, correct });
  }
  const shares = story.report.versions.map(
    ({ version, requests, correct }) =>
      `v${version} right on ${((100 * correct) / requests).toFixed(1)} % of ${requests}`,
  );
  return shares.join(', ');
}

async function awaitFlush(story: Story): Promise<string> {
  const api = new HttpApi(socketTransport(story.url), { actor: 'quickstart' });
  const deadline = systemClock.elapsed() + FLUSH_WAIT_MS;
  for (;;) {
    const status = await api.call(getLogStatus, {});
    story.report.logged = status.flushed;
    if (status.flushed >= status.answered) {
      return `answered ${status.answered} = logged ${status.flushed} in table predictions.iris`;
    }
    if (systemClock.elapsed() > deadline) {
      throw new AppError(
        'TIMED_OUT',
        `Only ${status.flushed} of ${status.answered} are in the table.`,
      );
    }
    await sleep(FLUSH_LOOK_MS);
  }
}

async function summarise(story: Story, out: Output): Promise<void> {
  const last = present(story.answers.at(-1), 'an answer');
  out.line('');
  out.line(`$ millwright trace ${last.requestId}`);
  printTrace(await story.tell.trace(last.requestId), out);
  out.line('');
  out.line(NOT_YET);
}

function folderOf(config: Config): string {
  return path.relative(process.cwd(), path.dirname(config.stateFolder)) || '.';
}
