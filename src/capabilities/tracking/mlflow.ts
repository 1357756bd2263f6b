import type { FastifyInstance } from 'fastify';
import type { Log } from '../../platform/log/log.ts';
import { mountMlflow, refuseOtherCalls } from '../../platform/http/mlflow-scope.ts';
import { artifactCalls, serveArtifacts, serveRunArtifact } from './mlflow-artifacts.ts';
import { experimentCalls } from './mlflow-experiments.ts';
import { loggedModelCalls } from './mlflow-logged-models.ts';
import { loggingCalls } from './mlflow-logging.ts';
import { runCalls } from './mlflow-runs.ts';
import type { TrackingService } from './service.ts';

/** MLflow's tracking API over the same service as the native one, for unmodified clients. */
export function mlflowTracking(
  service: TrackingService,
  log: Log,
): readonly ((http: FastifyInstance) => void)[] {
  return [
    (http) =>
      mountMlflow(http, log, [
        ...experimentCalls(service),
        ...runCalls(service),
        ...loggingCalls(service),
        ...artifactCalls(service),
        ...loggedModelCalls(service),
      ]),
    (http) => serveArtifacts(http, service, log),
    (http) => serveRunArtifact(http, service),
    (http) => refuseOtherCalls(http, log),
  ];
}
