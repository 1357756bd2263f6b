import { z } from 'zod';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { invalid } from '../../formats/mlflow/names.ts';
import { parseOrderBy } from '../../formats/mlflow/order-by.ts';
import { decodeToken, encodeToken } from '../../formats/mlflow/page-token.ts';
import { Bool, Int64, KeyValue, repeated, Text } from '../../formats/mlflow/scalars.ts';
import { MODEL_VERSIONS, MODEL_VERSIONS_ORDER } from '../../formats/mlflow/search-specs.ts';
import { artifactUri } from '../../formats/mlflow/uri.ts';
import { mlflowActor, mlflowCall, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import { RunId } from '../tracking/contract.ts';
import type { ModelCatalog } from './catalog.ts';
import { Named, some, stageOf, Versioned, versionOf, writeVersion } from './mlflow-wire.ts';
import type { LabelledVersion } from './store.ts';

const PATH = '2.0/mlflow/model-versions';
/** Versions of one page; larger pages are asked for with a token. */
const PAGE_MAX = 1000;

const Create = Named.extend({
  source: Text,
  run_id: Text.optional(),
  run_link: Text.optional(),
  tags: repeated(KeyValue),
  description: Text.default(''),
  model_id: Text.optional(),
});

const Search = z.object({
  filter: Text.optional(),
  max_results: Int64.pipe(z.number().int().min(1).max(200_000)).default(PAGE_MAX),
  order_by: repeated(Text),
  page_token: Text.optional(),
});

export function versionCalls(catalog: ModelCatalog): readonly MlflowCall[] {
  const one = (version: LabelledVersion) => ({ model_version: writeVersion(version) });
  return [
    mlflowCall('POST', `${PATH}/create`, Create, async (message, request) =>
      one(await create(catalog, message, mlflowActor(request))),
    ),
    mlflowCall('GET', `${PATH}/get`, Versioned, async (message) =>
      one(await catalog.version(message.name, versionOf(message))),
    ),
    mlflowCall('GET', `${PATH}/search`, Search, (message) => search(catalog, message)),
    mlflowCall('GET', `${PATH}/get-download-uri`, Versioned, async (message) => {
      const version = await catalog.version(message.name, versionOf(message));
      if (version.artifacts !== null) return { artifact_uri: artifactUri(version.artifacts) };
      throw invalid(
        `${message.name}@${message.version} was registered as a file, not as an MLflow model.`,
      );
    }),
    mlflowCall(
      'PATCH',
      `${PATH}/update`,
      Versioned.extend({ description: Text.default('') }),
      async (message) =>
        one(await catalog.describeVersion(message.name, versionOf(message), message.description)),
    ),
    mlflowCall(
      'POST',
      `${PATH}/transition-stage`,
      Versioned.extend({ stage: Text, archive_existing_versions: Bool.default(false) }),
      async (message) => {
        const at = { name: message.name, version: versionOf(message) };
        const to = {
          stage: stageOf(message.stage),
          archiveOthers: message.archive_existing_versions,
        };
        return one(await catalog.transition(at, to));
      },
    ),
    mlflowCall('DELETE', `${PATH}/delete`, Versioned, (message) =>
      catalog.deleteVersion(message.name, versionOf(message)),
    ),
    mlflowCall('POST', `${PATH}/set-tag`, Versioned.extend(KeyValue.shape), (message) => {
      const { name, key, value } = message;
      return catalog.setVersionTag(name, versionOf(message), { key, value });
    }),
    mlflowCall('DELETE', `${PATH}/delete-tag`, Versioned.extend({ key: Text }), (message) =>
      catalog.deleteVersionTag(message.name, versionOf(message), message.key),
    ),
  ];
}

async function create(
  catalog: ModelCatalog,
  message: z.output<typeof Create>,
  actor: string,
): Promise<LabelledVersion> {
  const run = message.run_id ? RunId.safeParse(message.run_id) : null;
  if (run?.success === false) throw invalid(`Invalid run_id '${message.run_id!.slice(0, 100)}'.`);
  return catalog.createVersion({
    name: message.name,
    source: message.source,
    runId: run?.data ?? null,
    loggedModel: message.model_id || null,
    runLink: message.run_link || null,
    description: message.description,
    tags: message.tags,
    actor,
  });
}

async function search(catalog: ModelCatalog, message: z.output<typeof Search>): Promise<unknown> {
  const limit = Math.min(message.max_results, PAGE_MAX);
  const place = decodeToken(message.page_token, z.object({ o: z.number().int().min(0) }));
  const offset = place?.o ?? 0;
  const found = await catalog.searchVersions({
    clauses: parseFilter(message.filter, MODEL_VERSIONS),
    orders: parseOrderBy(message.order_by, MODEL_VERSIONS_ORDER),
    offset,
    limit: limit + 1,
  });
  return {
    ...some('model_versions', found.slice(0, limit).map(writeVersion)),
    ...(found.length > limit ? { next_page_token: encodeToken({ o: offset + limit }) } : {}),
  };
}
