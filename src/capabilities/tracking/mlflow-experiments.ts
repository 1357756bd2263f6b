import { z } from 'zod';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { parseOrderBy } from '../../formats/mlflow/order-by.ts';
import { decodeToken, encodeToken } from '../../formats/mlflow/page-token.ts';
import { Int64, KeyValue, repeated, Text, ViewType } from '../../formats/mlflow/scalars.ts';
import { EXPERIMENTS, EXPERIMENTS_ORDER } from '../../formats/mlflow/search-specs.ts';
import { mlflowCall, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import { list, writeExperiment } from './mlflow-wire.ts';
import type { TrackingService } from './service.ts';

const PATH = '2.0/mlflow/experiments';
const ById = z.object({ experiment_id: Text });

const Search = z.object({
  max_results: Int64.pipe(z.number().int().min(1).max(50_000)).default(1000),
  page_token: Text.optional(),
  filter: Text.optional(),
  order_by: repeated(Text),
  view_type: ViewType.default('ACTIVE_ONLY'),
});

export function experimentCalls({ experiments }: TrackingService): readonly MlflowCall[] {
  const search = async (message: z.output<typeof Search>): Promise<unknown> => {
    const { max_results: limit, page_token: token } = message;
    const place = decodeToken(token, z.object({ o: z.number().int().min(0) }));
    const offset = place?.o ?? 0;
    const found = await experiments.search({
      clauses: parseFilter(message.filter, EXPERIMENTS),
      orders: parseOrderBy(message.order_by, EXPERIMENTS_ORDER),
      view: message.view_type,
      offset,
      limit: limit + 1,
    });
    return {
      ...list('experiments', found.slice(0, limit).map(writeExperiment)),
      ...(found.length > limit ? { next_page_token: encodeToken({ o: offset + limit }) } : {}),
    };
  };
  return [
    mlflowCall(
      'POST',
      `${PATH}/create`,
      z.object({ name: Text, artifact_location: Text.optional(), tags: repeated(KeyValue) }),
      async ({ name, artifact_location: artifactLocation, tags }) => ({
        experiment_id: String(await experiments.create({ name, artifactLocation, tags })),
      }),
    ),
    mlflowCall('GET', `${PATH}/get`, ById, async ({ experiment_id: id }) => ({
      experiment: writeExperiment(await experiments.get(id)),
    })),
    mlflowCall(
      'GET',
      `${PATH}/get-by-name`,
      z.object({ experiment_name: Text }),
      async ({ experiment_name: name }) => ({
        experiment: writeExperiment(await experiments.getByName(name)),
      }),
    ),
    mlflowCall('POST', `${PATH}/search`, Search, search),
    mlflowCall('GET', `${PATH}/search`, Search, search),
    mlflowCall('POST', `${PATH}/delete`, ById, ({ experiment_id: id }) => experiments.delete(id)),
    mlflowCall('POST', `${PATH}/restore`, ById, ({ experiment_id: id }) => experiments.restore(id)),
    mlflowCall(
      'POST',
      `${PATH}/update`,
      ById.extend({ new_name: Text }),
      ({ experiment_id: id, new_name: name }) => experiments.rename(id, name),
    ),
    mlflowCall(
      'POST',
      `${PATH}/set-experiment-tag`,
      ById.extend(KeyValue.shape),
      ({ experiment_id: id, key, value }) => experiments.setTag(id, { key, value }),
    ),
    mlflowCall(
      'POST',
      `${PATH}/delete-experiment-tag`,
      ById.extend({ key: Text }),
      ({ experiment_id: id, key }) => experiments.deleteTag(id, key),
    ),
  ];
}
