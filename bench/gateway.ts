import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runMain } from '../scripts/progress.mjs';
import { CACHE } from '../scripts/run.ts';
import { assertAgrees } from './rig/agreement.ts';
import { startBareGateway } from './rig/bare-gateway.ts';
import {
  CONNECTIONS,
  LOAD_CORE,
  measureRound,
  SERVER_CORE,
  type Contender,
  type Measured,
} from './rig/closed-loop.ts';
import { ensureForest, inferBody, type Forest } from './rig/forest.ts';
import {
  assertOnMain,
  deployForest,
  flushed,
  startMillwright,
  type Millwright,
} from './rig/millwright.ts';
import { startMlServer } from './rig/mlserver.ts';
import { pythonVersions } from './rig/python.ts';
import { options } from './rig/options.ts';
import { median, round } from './rig/quantile.ts';
import { keepResult, packageVersion, type Budget, type Findings } from './rig/result.ts';
import { countedRounds, OTHERS_CORES_MAX, repeatRounds } from './rig/rounds.ts';
import { requireWrk, wrkVersion } from './rig/wrk.ts';

/** Requests a second and CPU a request of the gateway beside MLServer, one core each. */

const TITLES: Readonly<Record<string, string>> = {
  mlserver: 'MLServer, parallel_workers=0',
  bare: 'Millwright gateway, no log',
  logged: 'Millwright, full log',
  canary: 'Millwright, full log, 10 % canary by sticky key',
};

const MLSERVER_PARTS = [
  'mlserver',
  'onnxruntime',
  'uvicorn',
  'uvloop',
  'httptools',
  'fastapi',
  'pydantic',
  'numpy',
];

async function measure(on: {
  readonly forest: Forest;
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly patience: number;
}): Promise<Findings> {
  const { forest, folder, rounds, seconds, patience } = on;
  const model = forest.file('forest-1');
  const mlserver = await startMlServer({ model, folder: join(folder, 'ml'), core: SERVER_CORE });
  const bare = await startBareGateway({ model, core: SERVER_CORE });
  const millwright = await startMillwright({ folder: join(folder, 'mw'), core: SERVER_CORE });
  try {
    await deployForest(millwright.api, forest);
    await assertOnMain(millwright.api, 'forest');
    await assertOnMain(millwright.api, 'forest_canary');
    const settle = (): Promise<void> => flushed(millwright);
    const bodies = [...forest.rows.keys()].map((row) => inferBody(forest, row));
    const [logged, canary] = ['forest', 'forest_canary'].map((name) => millwright.inferUrl(name));
    const contenders: readonly Contender[] = [
      { name: 'mlserver', ...mlserver, bodies, settle: async () => undefined },
      { name: 'bare', ...bare, bodies, settle: async () => undefined },
      { name: 'logged', ...millwright, inferUrl: logged!, bodies, settle },
      { name: 'canary', ...millwright, inferUrl: canary!, bodies, settle },
    ];
    const agreement = await agreementOf(contenders, { forest, millwright });
    const measured = await repeatRounds({ rounds, patience }, (number) =>
      measureRound(contenders, { number, seconds }),
    );
    return findings({ forest, rounds: measured, seconds, agreement, mlserver: mlserver.settings });
  } finally {
    await Promise.all([mlserver.stop(), bare.stop(), millwright.stop()]);
  }
}

/** Largest difference of a probability to ONNX Runtime in Python, a contender each. */
async function agreementOf(
  contenders: readonly Contender[],
  on: { readonly forest: Forest; readonly millwright: Millwright },
): Promise<Readonly<Record<string, number>>> {
  const { forest, millwright } = on;
  const agreement: Record<string, number> = {};
  for (const { name, inferUrl } of contenders) {
    // The canary answers some rows with its other model: its versions are compared one by one.
    if (name === 'canary') continue;
    agreement[name] = await assertAgrees(inferUrl, forest, 'forest-1');
  }
  for (const version of [1, 2]) {
    const url = `${millwright.url}/v2/models/forest_canary/versions/${version}/infer`;
    agreement[`canary v${version}`] = await assertAgrees(url, forest, `forest-${version}`);
  }
  return agreement;
}

async function findings(from: {
  readonly forest: Forest;
  readonly rounds: readonly Measured[];
  readonly seconds: number;
  readonly agreement: Readonly<Record<string, number>>;
  readonly mlserver: Readonly<Record<string, unknown>>;
}): Promise<Findings> {
  const { forest, rounds, seconds, agreement, mlserver } = from;
  const { rows: _, models, ...made } = forest;
  const { rounds: kept, about } = countedRounds(rounds);
  const names = [...new Set(kept.map((one) => one.contender))];
  const of = (name: string, what: keyof Measured): number =>
    median(kept.filter((one) => one.contender === name).map((one) => Number(one[what])));
  const times = (name: string): number => round(ratioToMlServer(kept, name), 2);
  const table = names.map((name) => ({
    server: TITLES[name]!,
    'requests/s': Math.round(of(name, 'requestsPerSecond')),
    'times MLServer': times(name),
    'CPU us/request': round(of(name, 'cpuUs'), 1),
    'engine CPU us/request': round(of(name, 'childrenCpuUs'), 1),
    'p50 ms': round(of(name, 'p50Us') / 1000, 2),
    'p99 ms': round(of(name, 'p99Us') / 1000, 2),
  }));
  const budgets = [
    atLeast('bare', times('bare'), 4),
    atMost('bare', of('bare', 'cpuUs'), 60),
    atLeast('canary', times('canary'), 3),
    atMost('canary', of('canary', 'cpuUs'), 90),
  ];
  return {
    name: 'gateway',
    method:
      `V2 JSON inference of one row of ${forest.features} features by a random forest of ` +
      `${forest.trees} trees of depth ${forest.depth}, the same ONNX bytes in every server. ` +
      `Closed loop of ${CONNECTIONS} connections by wrk on core ${LOAD_CORE}, every server ` +
      `whole on core ${SERVER_CORE}, one after the other in each round, all resident. The first ` +
      `round is dropped, and so are rounds beside which other work took over ${OTHERS_CORES_MAX} ` +
      'cores, as long as enough are left. "times MLServer" is the median of the ratios within a ' +
      'round. CPU is user and system time of the answering process; that of the engine includes ' +
      'putting every record of the round into its table.',
    settings: {
      seconds,
      ...about,
      connections: CONNECTIONS,
      forest: { ...made, ...sizes(models) },
      agreement,
      mlserver,
    },
    versions: {
      ...(await pythonVersions(MLSERVER_PARTS)),
      'onnxruntime-node': packageVersion('onnxruntime-node'),
      fastify: packageVersion('fastify'),
      wrk: await wrkVersion(),
    },
    rounds,
    table,
    budgets,
  };
}

/** Load on the machine swings within minutes; within a round all servers had about the same. */
function ratioToMlServer(rounds: readonly Measured[], name: string): number {
  const perRound = Map.groupBy(rounds, (one) => one.round);
  const ratios = [...perRound.values()].map((ones) => {
    const speed = (of: string): number =>
      ones.find((one) => one.contender === of)!.requestsPerSecond;
    return speed(name) / speed('mlserver');
  });
  return median(ratios);
}

function atLeast(name: string, measured: number, times: number): Budget {
  return {
    what: `${TITLES[name]}: requests/s as times MLServer's`,
    limit: `>= ${times}`,
    measured: String(measured),
    isMet: measured >= times,
  };
}

function atMost(name: string, measured: number, us: number): Budget {
  return {
    what: `${TITLES[name]}: CPU us a request`,
    limit: `<= ${us}`,
    measured: String(round(measured, 1)),
    isMet: measured <= us,
  };
}

function sizes(models: Forest['models']): object {
  return Object.fromEntries(
    Object.entries(models).map(([name, { bytes, nodes }]) => [name, { bytes, nodes }]),
  );
}

await runMain(async () => {
  requireWrk();
  const forest = await ensureForest();
  const folder = mkdtempSync(join(CACHE, 'bench-gateway-'));
  try {
    const given = options({ rounds: 7, seconds: 6, patience: 60 });
    await keepResult(() => measure({ forest, folder, ...given }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
