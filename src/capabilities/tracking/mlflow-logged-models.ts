import { z } from 'zod';
import { readArtifactPath } from '../../formats/mlflow/artifact-path.ts';
import { parseFilter, parseIdentifier } from '../../formats/mlflow/filter.ts';
import { decodeToken, encodeToken } from '../../formats/mlflow/page-token.ts';
import { Bool, Int64, KeyValue, repeated, Text } from '../../formats/mlflow/scalars.ts';
import { LOGGED_MODELS } from '../../formats/mlflow/search-specs.ts';
import { mlflowCall, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import { ARTIFACT_FILES_MAX } from './contract.ts';
import type { StoredLoggedModel } from './logged-models-store.ts';
import { ownPath } from './mlflow-artifacts.ts';
import { list, writePoint } from './mlflow-wire.ts';
import { mlflowRunId } from './runs-store.ts';
import { checkSearchLength, SEARCH_EXPERIMENTS_MAX } from './search-lengths.ts';
import type { TrackingService } from './service.ts';

const PATH = '2.0/mlflow/logged-models';

/** Datasets and orders of one search: each is repeated in its statement. */
const SEARCH_DATASETS_MAX = 100;
const SEARCH_ORDERS_MAX = 20;

const Create = z.object({
  experiment_id: Text.default('0'),
  name: Text.optional(),
  model_type: Text.optional(),
  source_run_id: Text.optional(),
  params: repeated(KeyValue),
  tags: repeated(KeyValue),
});

const Search = z.object({
  experiment_ids: repeated(Text),
  filter: Text.optional(),
  datasets: repeated(z.object({ dataset_name: Text, dataset_digest: Text.optional() })),
  max_results: Int64.pipe(z.number().int().min(1).max(1000)).default(100),
  order_by: repeated(
    z.object({
      field_name: Text,
      ascending: Bool.default(true),
      dataset_name: Text.optional(),
      dataset_digest: Text.optional(),
    }),
  ),
  page_token: Text.optional(),
});

/** By number too: protobuf's JSON writes either. */
const Status = z.preprocess(
  (value) =>
    value === 1 || value === 2 || value === 3
      ? ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'][value - 1]
      : value,
  z.enum(['LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED', 'LOGGED_MODEL_PENDING']),
);

const One = z.object({ model_id: Text });

export function loggedModelCalls(service: TrackingService): readonly MlflowCall[] {
  const { loggedModels, artifacts } = service;
  const directory = One.extend({ artifact_directory_path: Text.default('') });
  return [
    mlflowCall('POST', PATH, Create, async (message) => {
      const model = await loggedModels.create({
        experiment: message.experiment_id,
        name: message.name,
        modelType: message.model_type,
        sourceRunId: message.source_run_id,
        params: message.params,
        tags: message.tags,
      });
      return { model: writeModel(model) };
    }),
    mlflowCall('POST', `${PATH}/search`, Search, (message) => search(service, message)),
    mlflowCall(
      'GET',
      `${PATH}/:model_id`,
      One.extend({ allow_deleted: Bool.default(false) }),
      async ({ model_id: id, allow_deleted: allowDeleted }) => ({
        model: writeModel(await loggedModels.get(id, allowDeleted)),
      }),
    ),
    mlflowCall(
      'PATCH',
      `${PATH}/:model_id`,
      One.extend({ status: Status }),
      async ({ model_id: id, status }) => ({
        model: writeModel(await loggedModels.finalize(id, status)),
      }),
    ),
    mlflowCall('DELETE', `${PATH}/:model_id`, One, ({ model_id: id }) => loggedModels.delete(id)),
    mlflowCall(
      'PATCH',
      `${PATH}/:model_id/tags`,
      One.extend({ tags: repeated(KeyValue) }),
      async ({ model_id: id, tags }) => ({
        model: writeModel(await loggedModels.setTags(id, tags)),
      }),
    ),
    mlflowCall('DELETE', `${PATH}/:model_id/tags/*`, One.extend({ '*': Text }), (message) =>
      loggedModels.deleteTag(message.model_id, message['*']),
    ),
    mlflowCall(
      'POST',
      `${PATH}/:model_id/params`,
      One.extend({ params: repeated(KeyValue) }),
      ({ model_id: id, params }) => loggedModels.logParams(id, params),
    ),
    mlflowCall('GET', `${PATH}/:model_id/artifacts/directories`, directory, async (message) => {
      const { artifact_uri: uri } = await loggedModels.get(message.model_id);
      const below = readArtifactPath(message.artifact_directory_path);
      const root = ownPath(uri);
      const found = await artifacts.list(below === '' ? root : `${root}/${below}`, {
        after: null,
        limit: ARTIFACT_FILES_MAX,
      });
      const prefix = below === '' ? '' : `${below}/`;
      const files = found.map((row) => ({
        path: `${prefix}${row.name}`,
        is_dir: row.digest === null,
        ...(row.digest === null ? {} : { file_size: row.size_bytes }),
      }));
      return { root_uri: uri, ...list('files', files) };
    }),
  ];
}

async function search(
  { loggedModels }: TrackingService,
  message: z.output<typeof Search>,
): Promise<unknown> {
  const { max_results: limit, page_token: token } = message;
  checkSearchLength('experiment_ids', message.experiment_ids, SEARCH_EXPERIMENTS_MAX);
  checkSearchLength('datasets', message.datasets, SEARCH_DATASETS_MAX);
  checkSearchLength('order_by fields', message.order_by, SEARCH_ORDERS_MAX);
  const offset = decodeToken(token, z.object({ o: z.number().int().min(0) }))?.o ?? 0;
  const found = await loggedModels.search({
    experiments: message.experiment_ids,
    clauses: parseFilter(message.filter, LOGGED_MODELS),
    datasets: message.datasets.map(({ dataset_name: name, dataset_digest: digest }) => ({
      name,
      digest: digest || null,
    })),
    orders: message.order_by.map((order) => ({
      ...parseIdentifier(order.field_name, LOGGED_MODELS),
      isAscending: order.ascending,
      datasetName: order.dataset_name || null,
      datasetDigest: order.dataset_digest || null,
    })),
    offset,
    limit: limit + 1,
  });
  return {
    ...list('models', found.slice(0, limit).map(writeModel)),
    ...(found.length > limit ? { next_page_token: encodeToken({ o: offset + limit }) } : {}),
  };
}

function writeModel(model: StoredLoggedModel): object {
  const pairs = (values: StoredLoggedModel['tags']) =>
    values.map(({ key, value }) => ({ key, value }));
  const metrics = model.metrics.map((row) => ({
    ...writePoint(row.key, row),
    model_id: model.id,
    run_id: mlflowRunId(row.run),
  }));
  return {
    info: {
      model_id: model.id,
      experiment_id: String(model.experiment),
      name: model.name,
      creation_timestamp_ms: model.created_ms,
      last_updated_timestamp_ms: model.updated_ms,
      artifact_uri: model.artifact_uri,
      status: model.status,
      ...(model.model_type === null ? {} : { model_type: model.model_type }),
      ...(model.source_run_id === null ? {} : { source_run_id: model.source_run_id }),
      ...list('tags', pairs(model.tags)),
    },
    data: { ...list('params', pairs(model.params)), ...list('metrics', metrics) },
  };
}
