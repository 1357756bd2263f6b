import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { parseOrderBy } from '../../formats/mlflow/order-by.ts';
import { decodeToken, encodeToken } from '../../formats/mlflow/page-token.ts';
import { Int64, KeyValue, repeated, Text } from '../../formats/mlflow/scalars.ts';
import { REGISTERED_MODELS, REGISTERED_MODELS_ORDER } from '../../formats/mlflow/search-specs.ts';
import { mlflowCall, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import type { ModelCatalog } from './catalog.ts';
import { Named, some, stageOf, versionOf, writeModel, writeVersion } from './mlflow-wire.ts';

const PATH = '2.0/mlflow/registered-models';

const Search = z.object({
  filter: Text.optional(),
  max_results: Int64.pipe(z.number().int().min(1).max(1000)).default(100),
  order_by: repeated(Text),
  page_token: Text.optional(),
});

const Alias = Named.extend({ alias: Text });

export function modelCalls(catalog: ModelCatalog): readonly MlflowCall[] {
  const one = async (name: string) => ({
    registered_model: writeModel(await catalog.model(name), await catalog.latestVersions(name, [])),
  });
  const latest = async (message: { readonly name: string; readonly stages: readonly string[] }) =>
    some(
      'model_versions',
      (await catalog.latestVersions(message.name, message.stages.map(stageOf))).map(writeVersion),
    );
  const Latest = Named.extend({ stages: repeated(Text) });
  return [
    mlflowCall(
      'POST',
      `${PATH}/create`,
      Named.extend({ tags: repeated(KeyValue), description: Text.default('') }),
      async (message) => {
        await catalog.createModel(message);
        return one(message.name);
      },
    ),
    mlflowCall('GET', `${PATH}/get`, Named, ({ name }) => one(name)),
    mlflowCall('GET', `${PATH}/search`, Search, (message) => search(catalog, message)),
    mlflowCall('POST', `${PATH}/rename`, Named.extend({ new_name: Text }), ({ name }) =>
      Promise.reject(
        new AppError(
          'NOT_SUPPORTED',
          `Registered models are not renamed: ${name} keeps its name.`,
          {
            hint: 'Endpoints, requests and lineage refer to it; create another and register there.',
          },
        ),
      ),
    ),
    mlflowCall(
      'PATCH',
      `${PATH}/update`,
      Named.extend({ description: Text.default('') }),
      async ({ name, description }) => {
        await catalog.describeModel(name, description);
        return one(name);
      },
    ),
    mlflowCall('DELETE', `${PATH}/delete`, Named, ({ name }) => catalog.deleteModel(name)),
    mlflowCall('POST', `${PATH}/get-latest-versions`, Latest, latest),
    mlflowCall('GET', `${PATH}/get-latest-versions`, Latest, latest),
    mlflowCall('POST', `${PATH}/set-tag`, Named.extend(KeyValue.shape), ({ name, key, value }) =>
      catalog.setModelTag(name, { key, value }),
    ),
    mlflowCall('DELETE', `${PATH}/delete-tag`, Named.extend({ key: Text }), ({ name, key }) =>
      catalog.deleteModelTag(name, key),
    ),
    mlflowCall('POST', `${PATH}/alias`, Alias.extend({ version: Text }), (message) =>
      catalog.setAlias(message.name, message.alias, versionOf(message)),
    ),
    mlflowCall('DELETE', `${PATH}/alias`, Alias, ({ name, alias }) =>
      catalog.deleteAlias(name, alias),
    ),
    mlflowCall('GET', `${PATH}/alias`, Alias, async ({ name, alias }) => ({
      model_version: writeVersion(await catalog.versionByAlias(name, alias)),
    })),
  ];
}

async function search(catalog: ModelCatalog, message: z.output<typeof Search>): Promise<unknown> {
  const { max_results: limit, page_token: token } = message;
  const offset = decodeToken(token, z.object({ o: z.number().int().min(0) }))?.o ?? 0;
  const found = await catalog.searchModels({
    clauses: parseFilter(message.filter, REGISTERED_MODELS),
    orders: parseOrderBy(message.order_by, REGISTERED_MODELS_ORDER),
    offset,
    limit: limit + 1,
  });
  const models = [];
  for (const model of found.slice(0, limit)) {
    models.push(writeModel(model, await catalog.latestVersions(model.name, [])));
  }
  return {
    ...some('registered_models', models),
    ...(found.length > limit ? { next_page_token: encodeToken({ o: offset + limit }) } : {}),
  };
}
