import type { FastifyInstance } from 'fastify';
import { AppError } from '../base/errors.ts';
import type { Micros } from '../base/time.ts';
import { PredictionLog } from '../capabilities/predictions/log.ts';
import { RequestIndex } from '../capabilities/predictions/request-index.ts';
import { predictions } from '../capabilities/predictions/index.ts';
import { PredictionsService } from '../capabilities/predictions/service.ts';
import { registry } from '../capabilities/registry/index.ts';
import { RegistryService } from '../capabilities/registry/service.ts';
import { RegistryStore } from '../capabilities/registry/store.ts';
import { EVENT_STREAM_PATH } from '../capabilities/workspace/contract.ts';
import { Gateway } from '../capabilities/serving/gateway.ts';
import { serving } from '../capabilities/serving/index.ts';
import { LiveRoutes } from '../capabilities/serving/live-routes.ts';
import { oipRoutes } from '../capabilities/serving/oip.ts';
import { ServingService } from '../capabilities/serving/service.ts';
import { ServingStore } from '../capabilities/serving/store.ts';
import { WarmModels } from '../capabilities/serving/warm-models.ts';
import { tables } from '../capabilities/tables/index.ts';
import { TablesService } from '../capabilities/tables/service.ts';
import { TablesStore } from '../capabilities/tables/store.ts';
import { workspace } from '../capabilities/workspace/index.ts';
import { WorkspaceService, type ProcessFacts } from '../capabilities/workspace/service.ts';
import type { Config } from '../platform/config/config.ts';
import type { Engine } from '../platform/engine/port.ts';
import { assertLoopback } from '../platform/http/guards.ts';
import { serveEvents } from '../platform/http/serve-events.ts';
import { Idempotency } from '../platform/http/idempotency.ts';
import { openApi } from '../platform/http/openapi.ts';
import { createHttp } from '../platform/http/server.ts';
import { sendEvents } from '../platform/outbox/event-webhooks.ts';
import { staticUi } from '../platform/http/static-ui.ts';
import { serveMetrics } from './metrics.ts';
import { openPlatform, type Machine, type Platform } from './open-platform.ts';
import { packageFolder, programVersion } from './program.ts';

export interface App {
  readonly http: FastifyInstance;
  readonly platform: Platform;
  /** Listens on the configured address (or another port) and announces it; returns the URL. */
  listen(port?: number): Promise<string>;
  /** Stops in reverse order of starting: requests under way finish, the journal is flushed. */
  stop(): Promise<void>;
}

/** Builds the whole program on its state folder: the only place that wires parts together. */
export async function createApp(config: Config, machine: Machine): Promise<App> {
  assertLoopback(config.host);
  const closing = new AsyncDisposableStack();
  try {
    const platform = await openPlatform(config, machine, closing);
    const http = await wire(config, platform, closing);
    return {
      http,
      platform,
      listen: (port = config.port) => listen(http, { host: config.host, port, platform }),
      stop: () => closing.disposeAsync(),
    };
  } catch (thrown) {
    await closing.disposeAsync();
    throw thrown;
  }
}

async function wire(
  config: Config,
  platform: Platform,
  closing: AsyncDisposableStack,
): Promise<FastifyInstance> {
  const { db, events, timers, outbox, clock, ids, blobs, inference } = platform;
  const { engine, journal, faults, log } = platform;
  // Each capability sees its own tasks of the one engine.
  const tasks = engine as unknown as Engine<never>;

  const predictionLog = new PredictionLog({ journal, engine: tasks, clock, log });
  const index = new RequestIndex(platform.index);
  const predictionsService = new PredictionsService({
    log: predictionLog,
    journal,
    engine: tasks,
    clock,
    index,
  });
  const tablesService = new TablesService({
    store: new TablesStore(db),
    engine: tasks,
    events,
    clock,
    ids,
  });
  const registryService = new RegistryService({
    store: new RegistryStore(db),
    blobs,
    inference,
    events,
    clock,
    ids,
    faults,
  });
  const models = new WarmModels({ registry: registryService, inference, log });
  const routes = new LiveRoutes();
  const servingService = new ServingService({
    store: new ServingStore(db),
    routes,
    models,
    registry: registryService,
    predictions: predictionsService,
    events,
    clock,
    ids,
    faults,
    log,
  });
  const gateway = new Gateway({ routes, log: predictionLog, clock, ids });
  const workspaceService = new WorkspaceService({
    store: platform.workspaceStore,
    clock,
    events,
    timers,
    facts: processFacts(platform),
  });

  await servingService.start();
  closing.defer(() => models.close());
  predictionLog.start();
  closing.defer(() => predictionLog.close());

  const idempotency = new Idempotency({ db, clock, timers });
  await idempotency.start();
  await sendEvents(config.webhooks, { events, outbox });
  timers.start();
  outbox.start();

  const mounted = [
    ...workspace.routes(workspaceService),
    ...tables.routes(tablesService),
    ...registry.routes(registryService),
    ...predictions.routes(predictionsService),
    ...serving.routes(servingService),
  ];
  const document = openApi(
    mounted.map(({ route }) => route),
    programVersion,
  );
  const http = await createHttp({
    log,
    clock,
    allowedHosts: config.allowedHosts,
    routes: mounted,
    idempotency,
    plugins: [
      oipRoutes({ gateway, routes, clock, log, programVersion }),
      (scope) => scope.get('/api/v1/openapi.json', () => document),
      (scope) => serveMetrics(scope, { platform, log: predictionLog }),
      (scope) => serveEvents(scope, { path: EVENT_STREAM_PATH, events }),
      (scope) => staticUi(scope, `${packageFolder}/dist/web`),
    ],
  });
  closing.defer(() => http.close());
  return http;
}

async function listen(
  http: FastifyInstance,
  on: { readonly host: string; readonly port: number; readonly platform: Platform },
): Promise<string> {
  const { host, port } = on;
  try {
    const url = await http.listen({ host, port });
    on.platform.lock.announce(url);
    return url;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new AppError('PORT_IN_USE', `Port ${port} on ${host} is in use.`, {
        hint: 'Choose another with --port, or 0 for any free one.',
      });
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new AppError('PORT_IN_USE', `Cannot listen on ${host}:${port} (${code}).`, {
        hint: 'Choose a port above 1023 and an address of this machine.',
      });
    }
    throw thrown;
  }
}

function processFacts(platform: Platform): ProcessFacts {
  const { engine, clock } = platform;
  const startedAt: Micros = clock.wall();
  return {
    name: platform.name,
    version: programVersion,
    startedAt,
    stateFolder: platform.folder.root,
    database: platform.db.dialect,
    pid: process.pid,
    residentBytes: () => process.memoryUsage.rss(),
    engine: () => ({ state: engine.state, pid: engine.pid, restarts: engine.restarts }),
  };
}
