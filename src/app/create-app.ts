import type { FastifyInstance } from 'fastify';
import { AppError } from '../base/errors.ts';
import { auth } from '../capabilities/auth/index.ts';
import { serveSessions } from '../capabilities/auth/routes.ts';
import { lineage } from '../capabilities/lineage/index.ts';
import { maturity } from '../capabilities/maturity/index.ts';
import { pipelines } from '../capabilities/pipelines/index.ts';
import { features } from '../capabilities/features/index.ts';
import { exclusionsRoutes } from '../capabilities/features/exclusions-routes.ts';
import { onlineFeaturesRoutes } from '../capabilities/features/online-routes.ts';
import { serveTrainingSets } from '../capabilities/features/routes.ts';
import { predictions } from '../capabilities/predictions/index.ts';
import { compareRoutes } from '../capabilities/monitoring/compare-routes.ts';
import { loop } from '../capabilities/loop/index.ts';
import { monitoring } from '../capabilities/monitoring/index.ts';
import { labelRoutes } from '../capabilities/predictions/label-routes.ts';
import { mlflowRegistry } from '../capabilities/registry/mlflow.ts';
import { registry } from '../capabilities/registry/index.ts';
import { serving } from '../capabilities/serving/index.ts';
import { sql } from '../capabilities/sql/index.ts';
import { oipRoutes } from '../capabilities/serving/oip.ts';
import { tables } from '../capabilities/tables/index.ts';
import { EVENT_STREAM_PATH } from '../capabilities/workspace/contract.ts';
import { tracking } from '../capabilities/tracking/index.ts';
import { mlflowTracking } from '../capabilities/tracking/mlflow.ts';
import { workspace } from '../capabilities/workspace/index.ts';
import type { Config } from '../platform/config/config.ts';
import { allowedHosts, assertLoopback } from '../platform/http/guards.ts';
import { Idempotency } from '../platform/http/idempotency.ts';
import { openApi } from '../platform/http/openapi.ts';
import { serveEvents } from '../platform/http/serve-events.ts';
import { createHttp } from '../platform/http/server.ts';
import { staticUi } from '../platform/http/static-ui.ts';
import { sendEvents } from '../platform/outbox/event-webhooks.ts';
import { StateCuts } from './backup/state-cuts.ts';
import { serveMetrics } from './metrics.ts';
import { openPlatform, type Machine, type Platform } from './open-platform.ts';
import { packageFolder, programVersion } from './program.ts';
import { startServices, type Services } from './services.ts';

export interface App {
  readonly http: FastifyInstance;
  readonly platform: Platform;
  /** What this process, and the ones it starts, call its own API with. */
  readonly ownPass: string;
  /** Listens on the configured address (or another port) and announces it; returns the URL. */
  listen(port?: number): Promise<string>;
  /** Stops in reverse order of starting: requests under way finish, the journal is flushed. */
  stop(): Promise<void>;
}

/** Builds the whole program on its state folder: the only place that wires parts together. */
export async function createApp(config: Config, machine: Machine): Promise<App> {
  const closing = new AsyncDisposableStack();
  try {
    const platform = await openPlatform(config, machine, closing);
    const services = await startServices(platform, closing);
    const { timers, outbox, events } = platform;
    await sendEvents(config.webhooks, { events, outbox });
    const http = await mountAll(config, platform, services);
    closing.defer(() => http.close());
    timers.start();
    outbox.start();
    return {
      http,
      platform,
      ownPass: services.auth.ownPass,
      listen: async (port = config.port) => {
        if (!services.auth.isRequired) assertLoopback(config.host);
        const url = await listen(http, { host: config.host, port, platform });
        await services.pipelines.listening(url);
        return url;
      },
      stop: () => closing.disposeAsync(),
    };
  } catch (thrown) {
    await closing.disposeAsync();
    throw thrown;
  }
}

async function mountAll(
  config: Config,
  platform: Platform,
  services: Services,
): Promise<FastifyInstance> {
  const { db, clock, timers, events, log, connections } = platform;
  const { gateway, routes } = services;
  const mounted = [
    ...workspace.routes({ ...services, cuts: new StateCuts(platform) }),
    ...tables.routes(services.tables),
    ...sql.routes(services.sql),
    ...features.routes(services.features),
    ...onlineFeaturesRoutes(services.onlineFeatures),
    ...exclusionsRoutes(services.exclusions),
    ...tracking.routes(services.tracking),
    ...registry.routes(services.registry),
    ...predictions.routes(services.predictions),
    ...labelRoutes(services.labels),
    ...monitoring.routes(services.monitoring),
    ...compareRoutes(services.compare),
    ...serving.routes(services.serving),
    ...pipelines.routes(services.pipelines),
    ...loop.routes(services.loops),
    ...lineage.routes(services.lineage),
    ...maturity.routes(services.maturity),
    ...auth.routes(services.auth),
  ];
  const idempotency = new Idempotency({ db, clock, timers });
  await idempotency.start();
  const document = openApi(
    mounted.map(({ route }) => route),
    programVersion,
  );
  return createHttp({
    log,
    clock,
    allowedHosts: allowedHosts(config.host, config.allowedHosts),
    access: services.auth,
    connections,
    routes: mounted,
    idempotency,
    plugins: [
      oipRoutes({ gateway, routes, predictionLog: services.log, clock, log, programVersion }),
      ...mlflowTracking(services.tracking, log),
      mlflowRegistry(services.catalog, log),
      (scope) => {
        scope.get('/api/v1/openapi.json', () => document);
      },
      (scope) => serveMetrics(scope, { platform, ...services }),
      (scope) => serveTrainingSets(scope, services.features),
      (scope) => serveSessions(scope, services.auth),
      (scope) => serveEvents(scope, { path: EVENT_STREAM_PATH, events }),
      (scope) => staticUi(scope, `${packageFolder}/dist/web`),
    ],
  });
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
