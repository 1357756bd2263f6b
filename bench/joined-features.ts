import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { getFeatures, getWatermarks } from '../src/capabilities/features/online-contract.ts';
import { registerModel } from '../src/capabilities/registry/contract.ts';
import { deploy } from '../src/capabilities/serving/contract.ts';
import { appendRows, createTable } from '../src/capabilities/tables/contract.ts';
import { applyDeclared } from '../src/capabilities/workspace/contract.ts';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { budgetOf } from './rig/budgets.ts';
import {
  CONNECTIONS,
  LOAD_CORE,
  measureRound,
  SERVER_CORE,
  type Contender,
  type Measured,
} from './rig/closed-loop.ts';
import { ensureForest, type Forest } from './rig/forest.ts';
import { AIRPORTS, airportOf, landingLines, LANDINGS, SECTIONS } from './rig/live-landings.ts';
import { assertOnMain, flushed, startMillwright, type Millwright } from './rig/millwright.ts';
import { createRun, mlflowCall } from './rig/mlflow-calls.ts';
import { options } from './rig/options.ts';
import { median, round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Findings } from './rig/result.ts';
import { countedRounds, OTHERS_CORES_MAX, repeatRounds } from './rig/rounds.ts';
import { requireWrk, wrkVersion } from './rig/wrk.ts';

/** What windowed features cost a request: the same model asked by keys, and with its vector. */

const ENDPOINT = 'late';
const SERVICE = 'late_v1';
const KEYS = 200;

const TITLES: Readonly<Record<string, string>> = {
  raw: 'vector of 24 numbers sent along (late.raw)',
  joined: '24 windowed features joined to two keys (late)',
};

async function measure(on: {
  readonly forest: Forest;
  readonly folder: string;
  readonly landings: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { forest, folder, landings, rounds, seconds, patience } = on;
  const millwright = await startMillwright({ folder: join(folder, 'mw'), core: SERVER_CORE });
  try {
    await fillOnlineStore(millwright, landings);
    await deployJoined(millwright, forest);
    const settle = (): Promise<void> => flushed(millwright);
    const contenders: readonly Contender[] = [
      {
        name: 'joined',
        ...millwright,
        inferUrl: millwright.inferUrl(ENDPOINT),
        bodies: keyBodies(),
        settle,
      },
      {
        name: 'raw',
        ...millwright,
        inferUrl: millwright.inferUrl(`${ENDPOINT}.raw`),
        bodies: await rawBodies(millwright),
        settle,
      },
    ];
    const measured = await repeatRounds({ rounds, patience }, (number) =>
      measureRound(contenders, { number, seconds }),
    );
    return await findings(measured, { landings, seconds });
  } finally {
    await millwright.stop();
  }
}

async function fillOnlineStore({ api }: Millwright, landings: number): Promise<void> {
  await api.call(createTable, { body: { ...LANDINGS, columns: [...LANDINGS.columns] } });
  await api.call(applyDeclared, {
    body: {
      declared: { ...SECTIONS, endpoints: { [ENDPOINT]: { model: ENDPOINT, service: SERVICE } } },
    },
  });
  const params = { namespace: LANDINGS.namespace, name: LANDINGS.name };
  let version = 0;
  for (const lines of landingLines(landings)) {
    const bytes = new TextEncoder().encode(lines);
    ({ version } = await api.call(appendRows, { params, query: {} }, { bytes }));
  }
  const wait = `${params.namespace}.${params.name}@${version}`;
  for (;;) {
    if ((await api.call(getWatermarks, { query: { wait } })).reached) return;
  }
}

/** A version that a run made which pins the definition, or it would not be taken. */
async function deployJoined({ api, url }: Millwright, forest: Forest): Promise<void> {
  const inputs = { origin: airportOf(0), destination: airportOf(1) };
  const { definition } = await api.call(getFeatures, { body: { service: SERVICE, inputs } });
  const run = await createRun(url);
  await mlflowCall(url, 'runs/set-tag', {
    run_id: run,
    key: 'millwright.definition',
    value: definition,
  });
  const bytes = createReadStream(forest.file('joined'));
  const query = { run: `run_${run}` };
  await api.call(registerModel, { params: { model: ENDPOINT }, query }, { bytes });
  const params = { endpoint: ENDPOINT };
  await api.call(deploy, { params, body: { version: 1, reason: '' } });
  await assertOnMain(api, ENDPOINT);
}

function pairs(): readonly { readonly origin: string; readonly destination: string }[] {
  return Array.from({ length: KEYS }, (_, index) => ({
    origin: airportOf((index * 613) / KEYS),
    destination: airportOf((index * 397) / KEYS),
  }));
}

function keyBodies(): readonly string[] {
  const input = (name: string, value: string) => ({
    name,
    datatype: 'BYTES',
    shape: [1],
    data: [value],
  });
  return pairs().map(({ origin, destination }) =>
    JSON.stringify({ inputs: [input('origin', origin), input('destination', destination)] }),
  );
}

/** The vectors of the same keys, a missing value as 0: JSON has no NaN. */
async function rawBodies({ api, url }: Millwright): Promise<readonly string[]> {
  const response = await fetch(`${url}/v2/models/${ENDPOINT}.raw`);
  const { inputs } = (await response.json()) as {
    readonly inputs: readonly { readonly name: string }[];
  };
  const [{ name }] = inputs as [{ readonly name: string }];
  const bodies: string[] = [];
  for (const keys of pairs()) {
    const { features } = await api.call(getFeatures, { body: { service: SERVICE, inputs: keys } });
    const data = features.map(({ value }) => value ?? 0);
    bodies.push(
      JSON.stringify({ inputs: [{ name, datatype: 'FP32', shape: [1, data.length], data }] }),
    );
  }
  return bodies;
}

async function findings(
  rounds: readonly Measured[],
  on: { readonly landings: number; readonly seconds: number },
): Promise<Findings> {
  const { rounds: kept, about } = countedRounds(rounds);
  const of = (name: string, what: keyof Measured): number =>
    median(kept.filter((one) => one.contender === name).map((one) => Number(one[what])));
  return {
    name: 'joined-features',
    method:
      `One row, random forest of 100 trees of depth 6 over 24 features, full log. "joined": the ` +
      'request brings two keys, and the features are those of two views of 4 windows (2 h to 30 ' +
      `days) and 3 aggregates over ${on.landings} landings of the last 40 days at ${AIRPORTS} ` +
      'airports, busy ones asked for more often, read at the time of the request and logged. ' +
      '"raw": the same model given the vectors of the same keys. Closed loop of ' +
      `${CONNECTIONS} connections by wrk on core ${LOAD_CORE}, the server whole on core ` +
      `${SERVER_CORE}, in turn. The first round is dropped, and so are rounds beside which other ` +
      `work took over ${OTHERS_CORES_MAX} cores, as long as enough are left. CPU is user and ` +
      'system time of the answering process.',
    settings: { ...on, ...about, connections: CONNECTIONS, keys: KEYS },
    versions: {
      'onnxruntime-node': packageVersion('onnxruntime-node'),
      lmdb: packageVersion('lmdb'),
      wrk: await wrkVersion(),
    },
    rounds,
    table: ['joined', 'raw'].map((name) => ({
      request: TITLES[name]!,
      'requests/s': Math.round(of(name, 'requestsPerSecond')),
      'CPU us/request': round(of(name, 'cpuUs'), 1),
      'engine CPU us/request': round(of(name, 'childrenCpuUs'), 1),
      'p50 ms': round(of(name, 'p50Us') / 1000, 2),
      'p99 ms': round(of(name, 'p99Us') / 1000, 2),
    })),
    budgets: [
      budgetOf(
        'Millwright, full log, 24 windowed features joined: CPU us a request',
        of('joined', 'cpuUs'),
        1,
      ),
    ],
  };
}

await runMain(async () => {
  requireWrk();
  const forest = await ensureForest();
  const folder = mkdtempSync(join(CACHE, 'bench-joined-features-'));
  try {
    const given = options({ rounds: 5, seconds: 6, landings: 300_000, patience: 60 });
    await keepResult(() => measure({ forest, folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
