import type { FastifyInstance } from 'fastify';
import type { Log } from '../../platform/log/log.ts';
import { mountMlflow } from '../../platform/http/mlflow-scope.ts';
import type { ModelCatalog } from './catalog.ts';
import { modelCalls } from './mlflow-models.ts';
import { versionCalls } from './mlflow-versions.ts';

/** MLflow's model registry API, for unmodified clients. */
export function mlflowRegistry(catalog: ModelCatalog, log: Log): (http: FastifyInstance) => void {
  return (http) => mountMlflow(http, log, [...modelCalls(catalog), ...versionCalls(catalog)]);
}
