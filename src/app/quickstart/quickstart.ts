import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Listr } from 'listr2';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import { printTrace } from '../../capabilities/serving/print-trace.ts';
import type { Output } from '../../platform/cli/output.ts';
import { HttpApi } from '../../platform/cli/http-api.ts';
import { socketTransport } from '../../platform/cli/socket-transport.ts';
import type { Config } from '../../platform/config/config.ts';
import { createLog } from '../../platform/log/log.ts';
import { systemClock } from '../../platform/system.ts';
import { realMachine } from '../machine.ts';
import { createApp, type App } from '../create-app.ts';
import { stopSignal } from '../stop-signal.ts';
import { declare, deployFirst, load, prepare, train, version } from './beginning.ts';
import { makeFlightsProject } from './flights-project.ts';
import { FlightsStory } from './flights-story.ts';
import { emptyReport } from './quickstart-report.ts';
import { compare, flush, label, level, verify } from './reckoning.ts';
import { replay } from './replaying.ts';
import { reportHtml } from './report-html.ts';
import { reportLines } from './report-table.ts';
import { shown, type Phase, type Story } from './story.ts';

/** Runs the story in its own folder; then stays up, or with `isExit` stops. */
export async function quickstart(
  config: Config,
  options: {
    readonly isExit: boolean;
    readonly jsonFile: string | null;
    readonly until: Micros;
    readonly out: Output;
  },
): Promise<void> {
  const { out } = options;
  const folder = path.dirname(config.stateFolder);
  await mkdir(folder, { recursive: true });
  await makeFlightsProject(folder);
  const app = await createApp(config, realMachine(createLog({ level: 'warn' })));
  try {
    const url = await listenSomewhere(app);
    const api = new HttpApi(socketTransport(url), { actor: 'quickstart', token: app.ownPass });
    const tell = new FlightsStory({ api, folder });
    const story: Story = {
      url,
      token: app.ownPass,
      api,
      folder,
      tell,
      report: emptyReport(),
      until: options.until,
    };
    await run(story);
    await summarise(story, out);
    if (options.jsonFile !== null) {
      await writeFile(options.jsonFile, `${JSON.stringify(story.report, null, 2)}\n`);
    }
    if (options.isExit) return;
    out.line(
      `→ ${url}        (Ctrl-C stops; \`millwright up\` in ${shown(folder)} brings it back)`,
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

const PHASES: readonly (readonly [string, Phase])[] = [
  ['workspace', version],
  ['prepare', prepare],
  ['data', load],
  ['features', declare],
  ['train', train],
  ['deploy', deployFirst],
  ['replay', replay],
  ['log', flush],
  ['labels', label],
  ['verify', verify],
  ['compare', compare],
  ['level', level],
];
/** Lines of what happened that stay visible under a phase. */
const LINES_SHOWN = 200;

async function run(story: Story): Promise<void> {
  const { report } = story;
  const list = new Listr(
    PHASES.map(([name, phase]) => ({
      title: name,
      task: async (_: unknown, task: { title: string; output: string }): Promise<void> => {
        const start = systemClock.elapsed();
        const told = await phase(story, {
          now: (text) => {
            task.title = `${name.padEnd(10)} ${text}`;
          },
          line: (text) => {
            task.output = text;
          },
        });
        const seconds = (systemClock.elapsed() - start) / 1000;
        const installing = report.phases.find((one) => one.name === 'environment');
        const own = name === 'prepare' ? seconds - (installing?.seconds ?? 0) : seconds;
        report.phases.push({ name, seconds: Math.round(own * 1000) / 1000 });
        task.title = `${name.padEnd(10)} ${told.padEnd(92)} ${own.toFixed(1)} s`;
      },
      rendererOptions: { outputBar: LINES_SHOWN, persistentOutput: true },
    })),
    { rendererOptions: { collapseSubtasks: false } },
  );
  await list.run();
}

async function summarise({ tell, report, folder }: Story, out: Output): Promise<void> {
  await writeFile(path.join(folder, 'report.html'), reportHtml(report));
  out.line('');
  for (const line of reportLines(report, shown(folder))) out.line(line);
  const last = await tell.newestRequest();
  out.line('');
  out.line(`$ millwright trace ${last}`);
  printTrace(await tell.trace(last), out);
}
