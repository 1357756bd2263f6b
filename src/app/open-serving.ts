import { DeploymentChecks } from '../capabilities/serving/deployment-checks.ts';
import { Gateway } from '../capabilities/serving/gateway.ts';
import { LiveRoutes } from '../capabilities/serving/live-routes.ts';
import { PastRoutes } from '../capabilities/serving/past-routes.ts';
import { RequestExplanations } from '../capabilities/serving/request-explanations.ts';
import { RouteChanges } from '../capabilities/serving/route-changes.ts';
import type { FeatureSource } from '../capabilities/serving/served-features.ts';
import { ServingService } from '../capabilities/serving/service.ts';
import type { ServingStore } from '../capabilities/serving/store.ts';
import type { VersionOrigins } from '../capabilities/serving/version-origin.ts';
import { WarmModels } from '../capabilities/serving/warm-models.ts';
import type { PredictionLog } from '../capabilities/predictions/log.ts';
import type { PredictionsService } from '../capabilities/predictions/service.ts';
import type { RegistryService } from '../capabilities/registry/service.ts';
import type { Platform } from './open-platform.ts';

export interface ServingParts {
  readonly serving: ServingService;
  readonly gateway: Gateway;
  readonly routes: LiveRoutes;
}

/** Endpoints with the routes they had, their models loaded: ready to answer. */
export async function openServing(
  platform: Platform,
  on: {
    readonly store: ServingStore;
    readonly registry: RegistryService;
    readonly predictions: PredictionsService;
    readonly predictionLog: PredictionLog;
    readonly features: FeatureSource;
    readonly origins: VersionOrigins;
  },
  closing: AsyncDisposableStack,
): Promise<ServingParts> {
  const { events, clock, ids, inference, faults, log } = platform;
  const { store, registry, predictions, predictionLog, features, origins } = on;
  const routes = new LiveRoutes();
  const models = new WarmModels({ registry, inference, log });
  const changes = new RouteChanges({
    store,
    routes,
    models,
    registry,
    features,
    checks: new DeploymentChecks({ origins, source: features }),
    events,
    clock,
    ids,
    faults,
    log,
  });
  const explanations = new RequestExplanations({ source: features, origins });
  const past = new PastRoutes({ store, predictions, events, clock });
  const parts = {
    store,
    routes,
    changes,
    registry,
    predictions,
    explanations,
    past,
    events,
    clock,
  };
  const serving = new ServingService(parts);
  closing.defer(() => models.close());
  await serving.start();
  const gateway = new Gateway({ routes, log: predictionLog, inference, clock, ids });
  return { serving, gateway, routes };
}
