import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { micros, MICROS_PER_MS, parseInstant, type Clock, type Micros } from '../base/time.ts';
import { present } from '../base/assert.ts';
import { HttpApi } from '../platform/cli/http-api.ts';
import type { Config } from '../platform/config/config.ts';
import { MemoryKv } from '../platform/kv/memory.ts';
import { silentLog } from '../platform/log/log.ts';
import { createIds } from '../platform/system.ts';
import { InProcessEngine } from './in-process-engine.ts';
import { createApp, type App } from './create-app.ts';
import { injectTransport } from './inject-transport.ts';

/** The machine's clock under a test's control; `elapsed` stays real, because it times real work. */
export class ManualClock implements Clock {
  #wall: Micros;

  constructor(start = '2001-03-01T00:00:00Z') {
    this.#wall = present(parseInstant(start), 'the start');
  }

  now(): Micros {
    return this.#wall;
  }

  wall(): Micros {
    return this.#wall;
  }

  elapsed(): number {
    return performance.now();
  }

  advance(ms: number): void {
    this.#wall = micros(this.#wall + ms * MICROS_PER_MS);
  }
}

export interface TestApp extends AsyncDisposable {
  readonly app: App;
  readonly api: HttpApi;
  readonly clock: ManualClock;
  readonly folder: string;
  readonly config: Config;
}

/**
 * A real app on a folder of its own, without a listener: real SQLite and files. Only the engine's
 * tasks run in this process, with the online store in memory: a restart finds that lost and
 * rebuilds it.
 */
export async function createTestApp(options: Partial<Config> = {}): Promise<TestApp> {
  const folder = options.stateFolder ?? (await mkdtemp(path.join(tmpdir(), 'mw-app-')));
  const config: Config = {
    name: 'test',
    stateFolder: folder,
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    databaseUrl: null,
    logLevel: 'silent',
    webhooks: [],
    journalBytesMax: null,
    clock: null,
    ...options,
  };
  const clock = new ManualClock();
  const app = await createApp(config, {
    clock,
    createIds,
    log: silentLog,
    startEngine: async (state) => {
      const index = new MemoryKv();
      return { engine: new InProcessEngine(state, index), index };
    },
  });
  return {
    app,
    api: new HttpApi(injectTransport(app), { actor: 'test' }),
    clock,
    folder,
    config,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      if (options.stateFolder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
