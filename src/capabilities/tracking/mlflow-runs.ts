import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { parseFilter } from '../../formats/mlflow/filter.ts';
import { checkLength, invalid, LIMITS, missing } from '../../formats/mlflow/names.ts';
import { parseOrderBy } from '../../formats/mlflow/order-by.ts';
import { decodeToken, encodeToken } from '../../formats/mlflow/page-token.ts';
import {
  Int64,
  KeyValue,
  repeated,
  RunStatus,
  Text,
  ViewType,
} from '../../formats/mlflow/scalars.ts';
import { RUNS, RUNS_ORDER } from '../../formats/mlflow/search-specs.ts';
import { mlflowActor, mlflowCall, type MlflowCall } from '../../platform/http/mlflow-scope.ts';
import { experimentNumber } from './experiments.ts';
import { checkSearchLength, SEARCH_EXPERIMENTS_MAX } from './search-lengths.ts';
import { list, writeRun, writeRunInfo } from './mlflow-wire.ts';
import type { FullRun } from './run-values-store.ts';
import { toRunId } from './runs.ts';
import type { SearchPlace } from './search-store.ts';
import type { TrackingService } from './service.ts';

const PATH = '2.0/mlflow/runs';

/** A message about one run; older clients call its id `run_uuid`. */
export const AboutRun = z.object({ run_id: Text.optional(), run_uuid: Text.optional() });

export function runOf(message: z.output<typeof AboutRun>): string {
  const id = message.run_id || message.run_uuid;
  if (!id) throw missing('run_id');
  return toRunId(id);
}

const Create = z.object({
  experiment_id: Text.default('0'),
  user_id: Text.optional(),
  run_name: Text.optional(),
  start_time: Int64.optional(),
  tags: repeated(KeyValue),
});

const Search = z.object({
  experiment_ids: repeated(Text),
  filter: Text.optional(),
  run_view_type: ViewType.default('ACTIVE_ONLY'),
  max_results: Int64.pipe(z.number().int().min(1).max(50_000)).default(1000),
  order_by: repeated(Text),
  page_token: Text.optional(),
});

const LogInputs = AboutRun.extend({
  datasets: repeated(
    z.object({
      tags: repeated(KeyValue),
      dataset: z.object({
        name: Text,
        digest: Text,
        source_type: Text.default(''),
        source: Text.default(''),
        schema: Text.optional(),
        profile: Text.optional(),
      }),
    }),
  ),
  models: repeated(z.object({ model_id: Text })),
});

const HISTORY_TAG = 'mlflow.log-model.history';
const Recorded = z.looseObject({
  artifact_path: z.string(),
  flavors: z.record(z.string(), z.unknown()),
});

const Place = z.object({
  s: z.number().int().min(0),
  o: z.number().int().min(0),
  h: z.string(),
});

export function runCalls(service: TrackingService): readonly MlflowCall[] {
  const { runs } = service;
  const one = async (message: z.output<typeof AboutRun>) => ({
    run: writeRun(await runs.get(runOf(message))),
  });
  return [
    mlflowCall('POST', `${PATH}/create`, Create, async (message, request) => {
      const created = await runs.create({
        experiment: message.experiment_id,
        name: message.run_name,
        user: message.user_id,
        startMs: message.start_time,
        tags: message.tags,
        actor: mlflowActor(request),
      });
      return { run: writeRun(created) };
    }),
    mlflowCall('GET', `${PATH}/get`, AboutRun, one),
    mlflowCall(
      'POST',
      `${PATH}/update`,
      AboutRun.extend({
        status: RunStatus.optional(),
        end_time: Int64.optional(),
        run_name: Text.optional(),
      }),
      async (message, request) => ({
        run_info: writeRunInfo(
          await runs.update(runOf(message), {
            status: message.status,
            endMs: message.end_time,
            name: message.run_name,
            actor: mlflowActor(request),
          }),
        ),
      }),
    ),
    mlflowCall('POST', `${PATH}/delete`, AboutRun, (message) => runs.delete(runOf(message))),
    mlflowCall('POST', `${PATH}/restore`, AboutRun, (message) => runs.restore(runOf(message))),
    mlflowCall('POST', `${PATH}/set-tag`, AboutRun.extend(KeyValue.shape), (message) =>
      runs.setTags(runOf(message), [{ key: message.key, value: message.value }]),
    ),
    mlflowCall('POST', `${PATH}/delete-tag`, AboutRun.extend({ key: Text }), (message) =>
      runs.deleteTag(runOf(message), message.key),
    ),
    mlflowCall('POST', `${PATH}/search`, Search, (message) => search(service, message)),
    mlflowCall('POST', `${PATH}/log-inputs`, LogInputs, (message) => logInputs(service, message)),
    mlflowCall('POST', `${PATH}/log-model`, AboutRun.extend({ model_json: Text }), (message) =>
      recordModel(service, runOf(message), message.model_json),
    ),
    mlflowCall(
      'POST',
      `${PATH}/outputs`,
      AboutRun.extend({
        models: repeated(z.object({ model_id: Text, step: Int64.default(0) })),
      }),
      (message) => {
        const outputs = message.models.map(({ model_id: model, step }) => ({ model, step }));
        return runs.logOutputs(runOf(message), outputs);
      },
    ),
  ];
}

/** Clients before MLflow 3 list the models of a run in one of its tags. */
async function recordModel({ runs }: TrackingService, id: string, text: string): Promise<void> {
  const { tags } = await runs.get(id);
  const former = tags.find((tag) => tag.key === HISTORY_TAG)?.value ?? '[]';
  const value = JSON.stringify([
    ...readJson(former, z.array(z.unknown())),
    readJson(text, Recorded),
  ]);
  checkLength(value, 'model_json', LIMITS.tagValue);
  await runs.setTags(id, [{ key: HISTORY_TAG, value }]);
}

function readJson<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid('Malformed model info. Must be a JSON object with artifact_path and flavors.');
}

async function logInputs(
  { runs }: TrackingService,
  message: z.output<typeof LogInputs>,
): Promise<void> {
  const datasets = message.datasets.map(({ tags, dataset }) => ({
    tags,
    dataset: {
      name: dataset.name,
      digest: dataset.digest,
      sourceType: dataset.source_type,
      source: dataset.source,
      schema: dataset.schema ?? null,
      profile: dataset.profile ?? null,
    },
  }));
  const models = message.models.map((model) => model.model_id);
  await runs.logInputs(runOf(message), { datasets, models });
}

/**
 * Answers as a stream: a page of many runs is megabytes of text, which at once would hold up every
 * other request.
 */
async function search(
  { runs }: TrackingService,
  message: z.output<typeof Search>,
): Promise<Readable> {
  const { experiment_ids: ids, page_token: token } = message;
  checkSearchLength('experiment_ids', ids, SEARCH_EXPERIMENTS_MAX);
  const hash = searchHash(message);
  const place = decodeToken(token, Place.extend({ h: z.literal(hash) }));
  const found = runs.stream({
    experiments: ids.map(experimentNumber),
    view: message.run_view_type,
    clauses: parseFilter(message.filter, RUNS),
    orders: parseOrderBy(message.order_by, RUNS_ORDER),
    from: place === null ? { segment: 0, offset: 0 } : { segment: place.s, offset: place.o },
    limit: message.max_results,
  });
  // What can go wrong does so with the first runs, while the status is still open.
  const first = await found.next();
  return Readable.from(writePage(first, found, hash), { objectMode: false });
}

async function* writePage(
  first: IteratorResult<readonly FullRun[], SearchPlace | null>,
  rest: AsyncGenerator<readonly FullRun[], SearchPlace | null>,
  hash: string,
): AsyncGenerator<string> {
  let result = first;
  let before = '{"runs":[';
  while (result.done !== true) {
    for (const run of result.value) {
      yield before + JSON.stringify(writeRun(run));
      before = ',';
    }
    result = await rest.next();
  }
  const next = result.value;
  const token = next === null ? null : encodeToken({ s: next.segment, o: next.offset, h: hash });
  const end = token === null ? '}' : `,"next_page_token":${JSON.stringify(token)}}`;
  // An empty list is left out, as in every other message.
  yield before === ',' ? `]${end}` : JSON.stringify(list('runs', []));
}

/** A token belongs to one search: with another filter it would skip runs. */
function searchHash(message: z.output<typeof Search>): string {
  const { experiment_ids: ids, filter, order_by: orders, run_view_type: view } = message;
  const text = JSON.stringify([ids.toSorted(), filter ?? '', orders, view]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
