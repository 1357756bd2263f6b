import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerModel } from '../../src/capabilities/registry/contract.ts';
import {
  deploy,
  getEndpoint,
  putEndpoint,
  split,
} from '../../src/capabilities/serving/contract.ts';
import { getStatus } from '../../src/capabilities/workspace/contract.ts';
import { HttpApi } from '../../src/platform/cli/http-api.ts';
import { socketTransport } from '../../src/platform/cli/socket-transport.ts';
import { ROOT } from '../../scripts/run.ts';
import type { Forest } from './forest.ts';
import { answers, freePort, start, type Running } from './running.ts';

export interface Millwright extends Running {
  readonly url: string;
  readonly api: HttpApi;
  enginePid(): Promise<number>;
  inferUrl(endpoint: string): string;
}

const FLUSH_POLL_MS = 200;

/** The program's entry file: `source` runs the TypeScript, `built` what `npm run build` made. */
export const ENTRIES = {
  source: join(ROOT, 'src', 'app', 'main.ts'),
  built: join(ROOT, 'dist', 'server', 'app', 'main.js'),
} as const;

/** `millwright up` on a state folder, ready. */
export async function startMillwright(options: {
  readonly folder: string;
  readonly core: number | null;
  /** A module to load into the main process first, with a channel to this one. */
  readonly preload?: string;
}): Promise<Millwright> {
  const { folder, core, preload } = options;
  const port = await freePort();
  const up = [ENTRIES.source, '--state', folder, 'up', '--port', String(port)];
  const running = start({
    command: process.execPath,
    args: preload === undefined ? up : ['--import', preload, ...up],
    core,
    ipc: preload !== undefined,
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/health`);
  return { ...running, url, ...clientOf(url) };
}

/** The native API of a server, and the addresses of its endpoints. */
export function clientOf(url: string): Pick<Millwright, 'api' | 'enginePid' | 'inferUrl'> {
  const api = new HttpApi(socketTransport(url), { actor: 'bench' });
  return {
    api,
    enginePid: async () => (await api.call(getStatus, {})).engine.pid!,
    inferUrl: (endpoint) => `${url}/v2/models/${endpoint}/infer`,
  };
}

/** Registers both forests; `forest` serves the first, `forest_canary` both at 90 to 10 percent. */
export async function deployForest(api: HttpApi, forest: Forest): Promise<void> {
  for (const name of ['forest-1', 'forest-2']) {
    const bytes = createReadStream(forest.file(name));
    await api.call(registerModel, { params: { model: 'forest' }, query: {} }, { bytes });
  }
  const spec = { model: 'forest', key: null, durability: 'async' } as const;
  await api.call(putEndpoint, { params: { endpoint: 'forest' }, body: { ...spec, sticky: null } });
  await api.call(deploy, { params: { endpoint: 'forest' }, body: { version: 1, reason: '' } });
  await api.call(putEndpoint, {
    params: { endpoint: 'forest_canary' },
    body: { ...spec, sticky: 'customer' },
  });
  await api.call(split, {
    params: { endpoint: 'forest_canary' },
    body: {
      arms: [
        { name: 'stable', version: 1, weight: 9000 },
        { name: 'canary', version: 2, weight: 1000 },
      ],
      reason: '',
    },
  });
}

/** Throws unless every model of the endpoint runs on the main thread, as cheap ones should. */
export async function assertOnMain(api: HttpApi, endpoint: string): Promise<void> {
  const { warm } = await api.call(getEndpoint, { params: { endpoint } });
  if (warm.length > 0 && warm.every(({ placement }) => placement === 'main')) return;
  throw new Error(`${endpoint} does not run on the main thread: ${JSON.stringify(warm)}`);
}

/** Resolves when every answered request is in its table. */
export async function flushed(millwright: Millwright): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${millwright.url}/metrics`)).text();
    const total = (name: string): number =>
      [...text.matchAll(new RegExp(`^millwright_${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))]
        .map(([, count]) => Number(count))
        .reduce((sum, count) => sum + count, 0);
    if (total('predictions_flushed_total') >= total('requests_total')) return;
    await sleep(FLUSH_POLL_MS);
  }
}
