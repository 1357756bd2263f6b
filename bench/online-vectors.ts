import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { micros } from '../src/base/time.ts';
import { present } from '../src/base/assert.ts';
import { compile } from '../src/capabilities/features/compile.ts';
import { parseDefinitions } from '../src/capabilities/features/definitions.ts';
import { getWatermarks } from '../src/capabilities/features/online-contract.ts';
import {
  OnlineFeatures,
  type OnlineService,
} from '../src/capabilities/features/online-features.ts';
import { appendRows, createTable } from '../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../src/capabilities/workspace/contract.ts';
import { openLmdbReader } from '../src/platform/kv/lmdb.ts';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import { startFeast, type Feast } from './rig/feast.ts';
import { interleaved, middle, type Numbers, type Series } from './rig/interleaved.ts';
import { SPENDING, spendingLines, spendingSections } from './rig/live-spending.ts';
import { startMillwright, type Millwright } from './rig/millwright.ts';
import { options } from './rig/options.ts';
import { ensureFeast, feastPython, pythonVersions } from './rig/python.ts';
import { quantile, round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';

/** Vectors of online features, one entity and a hundred, beside Feast with SQLite. */

const CUSTOMERS = 1000;

/** Entities x features; reads of a round, of the slower one fewer. */
const SHAPES = [
  { service: 's50', entities: 1, features: 50, reads: 1000, feastReads: 400 },
  { service: 's50', entities: 100, features: 50, reads: 300, feastReads: 100 },
  { service: 's250', entities: 100, features: 250, reads: 100, feastReads: 25 },
] as const;
type Shape = (typeof SHAPES)[number];

/** Over HTTP we answer one entity a request: there is no request for many yet. */
const [ONE] = SHAPES;

async function measure(on: {
  readonly folder: string;
  readonly events: number;
  readonly rounds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { folder, events } = on;
  const state = join(folder, 'mw');
  const millwright = await startMillwright({ folder: state, core: null });
  const feast = await startFeast(join(folder, 'feast'), CUSTOMERS);
  try {
    await fill(millwright, events);
    const kv = await openLmdbReader(join(state, 'online'));
    const services = servicesOver(kv);
    const series = await interleaved(on, {
      ...Object.fromEntries(
        SHAPES.flatMap((shape) => [
          [`millwright ${nameOf(shape)}`, async () => summary(readHere(services, shape))],
          [`feast ${nameOf(shape)}`, async () => summary(await readFeast(feast, shape))],
          [`feast http ${nameOf(shape)}`, async () => summary(await askFeast(feast, shape))],
        ]),
      ),
      [`millwright http ${nameOf(ONE)}`]: async () => summary(await askMillwright(millwright)),
    });
    await kv.close();
    return await findings(series, events);
  } finally {
    await Promise.all([millwright.stop(), feast.stop()]);
  }
}

function nameOf({ entities, features }: Shape): string {
  return `${entities}x${features}`;
}

async function fill({ api }: Millwright, events: number): Promise<void> {
  const { namespace, name, columns } = SPENDING;
  await api.call(createTable, { body: { namespace, name, columns: [...columns] } });
  await api.call(applyDeclared, { body: { declared: spendingSections() } });
  let version = 0;
  for (const lines of spendingLines(events, CUSTOMERS)) {
    const bytes = new TextEncoder().encode(lines);
    ({ version } = await api.call(
      appendRows,
      { params: { namespace, name }, query: {} },
      { bytes },
    ));
  }
  const wait = `${namespace}.${name}@${version}`;
  for (;;) {
    if ((await api.call(getWatermarks, { query: { wait } })).reached) return;
  }
}

type Services = ReadonlyMap<string, OnlineService>;

/** The server's own store, read in this process as its main process reads it. */
function servicesOver(kv: Awaited<ReturnType<typeof openLmdbReader>>): Services {
  const schemas = new Map([[`${SPENDING.namespace}.${SPENDING.name}`, SPENDING.columns]]);
  const compiled = compile(parseDefinitions(spendingSections()), { schemas, zones: {} });
  const online = new OnlineFeatures({ kv });
  return new Map([...compiled.services].map(([name, service]) => [name, online.resolve(service)]));
}

function readHere(services: Services, { service, entities, reads }: Shape): readonly number[] {
  const online = present(services.get(service), 'the service');
  const times: number[] = [];
  for (let read = 0; read < reads; read += 1) {
    const rows = customersOf(read, entities);
    const at = micros(Date.now() * 1000);
    const begin = performance.now();
    for (const customer of rows) online.read({ customer }, at);
    times.push(performance.now() - begin);
  }
  return times;
}

async function readFeast(feast: Feast, { service, entities, feastReads }: Shape) {
  return await feast.read(service, entities, feastReads);
}

async function askFeast({ url }: Feast, { service, entities, feastReads }: Shape) {
  return await ask(`${url}/get-online-features`, feastReads, (read) => ({
    feature_service: service,
    full_feature_names: true,
    entities: { customer: customersOf(read, entities) },
  }));
}

async function askMillwright({ url }: Millwright) {
  return await ask(`${url}/api/v1/features/get`, ONE.reads, (read) => ({
    service: ONE.service,
    inputs: { customer: customersOf(read, 1)[0] },
  }));
}

/**
 * One client that asks again when it has its answer, on a connection of its own: what is measured
 * in process holds this one for seconds, in which servers close connections unnoticed.
 */
async function ask(url: string, count: number, bodyOf: (read: number) => object) {
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let read = 0; read < count; read += 1) {
    const body = JSON.stringify(bodyOf(read));
    const begin = performance.now();
    const { status, answer } = await post(url, body, agent);
    times.push(performance.now() - begin);
    if (status !== 200) throw new Error(`${url}: ${answer.slice(0, 1000)}`);
  }
  agent.destroy();
  return times;
}

function post(
  url: string,
  body: string,
  agent: Agent,
): Promise<{ readonly status: number; readonly answer: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const asked = request(url, { method: 'POST', agent, headers }, (response) => {
      const status = response.statusCode ?? 0;
      resolve(text(response).then((answer) => ({ status, answer })));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function customersOf(read: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `c${(read * 613 + at * 397) % CUSTOMERS}`);
}

function summary(times: readonly number[]): Numbers {
  const sorted = times.toSorted((a, b) => a - b);
  return { 'p50 ms': quantile(sorted, 0.5), 'p99 ms': quantile(sorted, 0.99) };
}

async function findings(series: Series<string>, events: number): Promise<Findings> {
  const p99 = (name: string): number => middle(series[name]!, 'p99 ms');
  const cells = (name: string): string => {
    const rounds = series[name];
    if (rounds === undefined) return 'no such request yet';
    const [p50, most] = [middle(rounds, 'p50 ms'), middle(rounds, 'p99 ms')];
    return `${round(p50, 2)} / ${round(most, 2)}`;
  };
  const http = (program: string): string => `${program} http ${nameOf(ONE)}`;
  return {
    name: 'online-vectors',
    method:
      `Vectors of random ones of ${CUSTOMERS} customers: p50 / p99 in ms. Ours are windows (1 h ` +
      `to 28 days; count, sum, mean, least, greatest) over ${events} events, computed at the ` +
      'time of the read; of Feast, with its SQLite store, they are ready numbers, which is less ' +
      'work. "in process": the store read by its library in one process, Feast with to_dict(); ' +
      '"HTTP": one client; Feast\'s Python server with one worker and no access log, ours by ' +
      'POST /api/v1/features/get, which takes one entity. In turn in each round; medians over ' +
      'the rounds, the first dropped.',
    settings: {
      customers: CUSTOMERS,
      events,
      shapes: SHAPES,
      rounds: series[http('feast')]!.length,
    },
    versions: {
      lmdb: packageVersion('lmdb'),
      ...(await pythonVersions(['feast'], feastPython)),
    },
    rounds: series,
    table: SHAPES.map((shape) => ({
      'entities x features': nameOf(shape),
      'in process': cells(`millwright ${nameOf(shape)}`),
      'Feast in process': cells(`feast ${nameOf(shape)}`),
      HTTP: cells(`millwright http ${nameOf(shape)}`),
      'Feast HTTP': cells(`feast http ${nameOf(shape)}`),
    })),
    budgets: [
      budgetOf('online features of 1 entity x 50, over HTTP: p99 ms', p99(http('millwright')), 2),
      ...SHAPES.slice(1).map((shape) =>
        budgetOf(
          `online features of 100 entities x ${shape.features}, in process: p99 ms`,
          p99(`millwright ${nameOf(shape)}`),
          2,
        ),
      ),
      budgetOf(
        "online features of 1 entity x 50, over HTTP: p99 of Feast's Python server as times ours",
        p99(http('feast')) / p99(http('millwright')),
        1,
      ),
      ...SHAPES.slice(1).map((shape) =>
        budgetOf(
          `online features of 100 entities x ${shape.features}, in process: p99 of Feast as times ours`,
          p99(`feast ${nameOf(shape)}`) / p99(`millwright ${nameOf(shape)}`),
          1,
        ),
      ),
    ],
  };
}

await runMain(async () => {
  await ensureFeast();
  const folder = mkdtempSync(join(CACHE, 'bench-online-vectors-'));
  try {
    const given = options({ events: 200_000, rounds: 5, patience: 60 });
    await keepResult(() => measure({ folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
