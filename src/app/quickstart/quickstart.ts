import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Listr } from 'listr2';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import { getLogStatus } from '../../capabilities/predictions/contract.ts';
import { printTrace } from '../../capabilities/serving/print-trace.ts';
import type { Output } from '../../platform/cli/output.ts';
import { HttpApi, socketTransport } from '../../platform/cli/http-api.ts';
import type { Config } from '../../platform/config/config.ts';
import { createLog } from '../../platform/log/log.ts';
import { sleep, systemClock } from '../../platform/system.ts';
import { realMachine } from '../machine.ts';
import { createApp, type App } from '../create-app.ts';
import { stopSignal } from '../stop-signal.ts';
import { FlightFiles } from './flight-files.ts';
import { makeFlightsProject } from './flights-project.ts';
import { ENDPOINT, FlightsStory } from './flights-story.ts';
import { runReplay } from './replay-child.ts';
import { emptyReport, type QuickstartReport } from './quickstart-report.ts';

/** January and February are history when the story begins. */
const BEGINS = present(parseInstant('2001-03-01T00:00:00Z'), 'the beginning');
/** The flights end with June. */
export const ENDS = present(parseInstant('2001-07-01T00:00:00Z'), 'the end');

/** The flush interval with room; after it every answered request is in its table. */
const FLUSH_WAIT_MS = 30_000;
const FLUSH_LOOK_MS = 100;

interface Story {
  readonly url: string;
  readonly api: HttpApi;
  readonly folder: string;
  readonly tell: FlightsStory;
  readonly report: QuickstartReport;
  /** The first minute to be replayed. */
  begins: Micros;
  readonly until: Micros;
}

type Phase = (say: (text: string) => void) => Promise<string>;

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
    const api = new HttpApi(socketTransport(url), { actor: 'quickstart' });
    const tell = new FlightsStory({ api, folder });
    const story: Story = {
      url,
      api,
      folder,
      tell,
      report: emptyReport(),
      begins: BEGINS,
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

async function run(story: Story): Promise<void> {
  const { report } = story;
  const files = { opened: null as FlightFiles | null };
  const opened = async (): Promise<FlightFiles> =>
    (files.opened ??= await FlightFiles.open(path.join(story.folder, 'data')));
  const phases: readonly (readonly [string, Phase])[] = [
    ['workspace', async () => `${shown(story.folder)} (replay clock)`],
    ['prepare', async (say) => prepare(story, say)],
    ['data', async () => load(story, await opened())],
    ['features', async () => declare(story)],
    ['train', async (say) => train(story, say)],
    ['deploy', async () => deployNewest(story)],
    ['replay', async (say) => replay(story, say)],
    ['log', async () => awaitFlush(story)],
    ['labels', async () => label(story)],
    ['verify', async () => verify(story)],
  ];
  const list = new Listr(
    phases.map(([name, phase]) => ({
      title: name,
      task: async (_: unknown, task: { title: string; output: string }): Promise<void> => {
        const start = systemClock.elapsed();
        const told = await phase((text) => {
          task.output = text;
        });
        const seconds = (systemClock.elapsed() - start) / 1000;
        report.phases.push({ name, seconds: Math.round(seconds * 1000) / 1000 });
        task.title = `${name.padEnd(10)} ${told.padEnd(92)} ${seconds.toFixed(1)} s`;
      },
    })),
    { rendererOptions: { collapseSubtasks: false } },
  );
  try {
    await list.run();
  } finally {
    await files.opened?.[Symbol.asyncDispose]();
  }
}

async function prepare({ tell, folder }: Story, say: (text: string) => void): Promise<string> {
  await tell.run('prepare', say);
  const counts = JSON.parse(await readFile(path.join(folder, 'data', 'prepare.json'), 'utf8')) as {
    readonly raw_rows: number;
    readonly departures: number;
  };
  const dropped = counts.raw_rows - counts.departures;
  return `${count(counts.departures)} flights in UTC, ${dropped} with impossible delays dropped`;
}

async function load(story: Story, files: FlightFiles): Promise<string> {
  const { tell } = story;
  const tables = await tell.load(files, BEGINS);
  // Told again, the story goes on where it stopped.
  const now = await tell.now();
  if (now < BEGINS) await tell.advance(BEGINS);
  else story.begins = now;
  const told = Object.entries(tables).map(([name, { rows }]) => `${name} ${count(rows)}`);
  return `January and February → tables ${told.join(', ')} (Delta Lake)`;
}

async function declare({ tell }: Story): Promise<string> {
  const { changes } = await tell.declare();
  await tell.awaitOnline(await tell.newestLandings());
  const service = await tell.service();
  const windows = service.features.filter(({ kind }) => kind === 'window').length;
  const kinds = new Set(changes.map(({ kind }) => kind));
  const what = changes.length === 0 ? 'nothing changed' : `${kinds.size} kinds applied`;
  return (
    `${service.views.length} views, ${windows} windowed features, definition ` +
    `${service.hash.slice(0, 8)}: the same offline and online (${what})`
  );
}

async function train({ tell, report }: Story, say: (text: string) => void): Promise<string> {
  await tell.run('train', say);
  const set = await tell.trainingSet();
  report.training = { rows: set.rows, leftOut: { ...set.leftOut } };
  const version = await tell.newestVersion();
  const run = await tell.runOf(version);
  const auc = run.metrics.find(({ key }) => key === 'auc')?.value;
  return (
    `training set ${set.name}@v${set.version}: ${count(set.rows)} rows (pinned); ` +
    `run ${run.id.slice(0, 12)}…: AUC ${auc?.toFixed(3)} → ${version.model}@${version.version}`
  );
}

async function deployNewest({ tell, report }: Story): Promise<string> {
  const version = await tell.newestVersion();
  const route = await tell.deploy(version, 'quickstart');
  const checks = route.evidence;
  report.checks.push(...checks.map(({ name, result, summary }) => ({ name, result, summary })));
  const golden = checks.find(({ name }) => name === 'golden');
  const arm = present(route.arms[0], 'an arm');
  return `${ENDPOINT} → version ${arm.version} (${arm.name}); ${golden?.summary ?? 'no golden requests'}`;
}

async function replay(story: Story, say: (text: string) => void): Promise<string> {
  const { url, folder, report, begins, until } = story;
  const start = systemClock.elapsed();
  const order = {
    url,
    folder: path.resolve(folder),
    from: formatInstant(begins),
    until: formatInstant(until),
    loadedUntil: formatInstant(BEGINS),
    kilometres: null,
  };
  const { versions } = await runReplay(order, (progress) => {
    const asked = total(progress.versions);
    const perSecond = asked / ((systemClock.elapsed() - start) / 1000);
    say(
      `${progress.at.slice(0, 10)}   ${count(asked)} requests   ${count(Math.round(perSecond))}/s`,
    );
  });
  report.requests = total(versions);
  report.answered = report.requests;
  for (const [version, requests] of Object.entries(versions)) {
    report.versions.push({ version: Number(version), requests });
  }
  return `${count(report.requests)} departures from ${order.from} to ${order.until} asked`;
}

function total(versions: Readonly<Record<string, number>>): number {
  return Object.values(versions).reduce((sum, requests) => sum + requests, 0);
}

async function awaitFlush({ api, report }: Story): Promise<string> {
  const deadline = systemClock.elapsed() + FLUSH_WAIT_MS;
  for (;;) {
    const status = await api.call(getLogStatus, {});
    report.logged = status.flushed;
    if (status.flushed >= status.answered) {
      return `answered ${status.answered} = logged ${status.flushed} in table predictions.${ENDPOINT}`;
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

async function label({ tell, report }: Story): Promise<string> {
  const { matched, pending, expired, coverage } = await tell.labelStates(BEGINS);
  report.labelled = matched;
  const covered = coverage === null ? '' : `, ${(100 * coverage).toFixed(2)} % of the mature ones`;
  return `${count(matched)} outcomes known${covered}; ${pending} to come, ${expired} never came`;
}

async function verify({ tell, report }: Story): Promise<string> {
  const { rows, skipped, logicMismatches } = await tell.verify();
  report.recomputed = rows - skipped;
  report.mismatches = logicMismatches;
  return (
    `${count(rows - skipped)} of ${count(rows)} served vectors recomputed from the tables, ` +
    `mismatches ${logicMismatches}`
  );
}

async function summarise({ tell }: Story, out: Output): Promise<void> {
  const last = await tell.newestRequest();
  out.line('');
  out.line(`$ millwright trace ${last}`);
  printTrace(await tell.trace(last), out);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function shown(folder: string): string {
  return path.relative(process.cwd(), folder) || '.';
}
