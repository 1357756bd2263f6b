import { AppError } from '../../src/base/errors.ts';
import type { AnyRoute, RouteReply, RouteRequest } from '../../src/base/route.ts';
import {
  getLogStatus,
  getTraffic,
  getTrafficHistory,
  listPredictions,
} from '../../src/capabilities/predictions/contract.ts';
import {
  getFeatures,
  getService,
  getTrainingSet,
  getTrainingVersion,
  getView,
  getWatermarks,
  listServices,
  listTrainingSets,
  listTrainingVersions,
  listViews,
} from '../../src/capabilities/features/contract.ts';
import { getLineage } from '../../src/capabilities/lineage/contract.ts';
import { getVersion, listModels, listVersions } from '../../src/capabilities/registry/contract.ts';
import {
  getMaturity,
  listMaturity,
  type MaturityDetail,
} from '../../src/capabilities/maturity/contract.ts';
import { getGuard, listDecisions, listLoops } from '../../src/capabilities/loop/contract.ts';
import {
  fixedHistory,
  listEvaluations,
  listMonitors,
} from '../../src/capabilities/monitoring/contract.ts';
import {
  getEndpoint,
  listEndpoints,
  listRevisions,
  traceRequest,
} from '../../src/capabilities/serving/contract.ts';
import {
  getRun,
  listArtifacts,
  listExperiments,
  listRuns,
  metricHistory,
  type Run,
} from '../../src/capabilities/tracking/contract.ts';
import { getTable } from '../../src/capabilities/tables/contract.ts';
import { getHealth, getStatus, listEvents } from '../../src/capabilities/workspace/contract.ts';
import {
  getPipelineRun,
  getStageLog,
  listPipelineRuns,
} from '../../src/capabilities/pipelines/contract.ts';
import type { Fixture } from './fixture-data.ts';
import { STAGE_LOGS } from './fixture-pipelines.ts';
import { entriesOf, type TrackingFixture } from './fixture-runs.ts';
import { lineageOf } from './fixture-lineage.ts';

interface Answer {
  readonly route: AnyRoute;
  readonly reply: (request: unknown, fixture: Fixture) => unknown;
}

function answer<R extends AnyRoute>(
  route: R,
  reply: (request: RouteRequest<R>, fixture: Fixture) => RouteReply<R>,
): Answer {
  return { route, reply: (request, fixture) => reply(request as RouteRequest<R>, fixture) };
}

/** One page of a list; the cursor is the offset. */
function page<Item>(
  items: readonly Item[],
  query: { readonly limit: number; readonly cursor?: string | undefined },
): { items: Item[]; nextCursor: string | null } {
  const start = Number(query.cursor ?? 0);
  const end = start + query.limit;
  return { items: items.slice(start, end), nextCursor: end < items.length ? String(end) : null };
}

export const ANSWERS: readonly Answer[] = [
  answer(getHealth, (_, fixture) => fixture.health),
  answer(getStatus, (_, fixture) => fixture.status),
  answer(listEvents, ({ query }, { events }) => {
    const { subject } = query;
    const own = events.filter((event) => subject === undefined || event.subject === subject);
    return page(own.toReversed(), query);
  }),
  answer(listModels, ({ query }, { models }) => page(models, query)),
  answer(listEndpoints, ({ query }, { endpoints }) => page(endpoints, query)),
  answer(getEndpoint, ({ params: { endpoint } }, { endpoints }) => {
    const found = endpoints.find(({ name }) => name === endpoint);
    if (found !== undefined) return found;
    throw new AppError('ENDPOINT_NOT_FOUND', `There is no endpoint ${endpoint}.`, {
      hint: `Create it with: millwright endpoints create ${endpoint} --model MODEL`,
    });
  }),
  answer(listRevisions, ({ params, query }, { revisions }) => ({
    ...page(revisions.filter(({ endpoint }) => endpoint === params.endpoint).toReversed(), query),
    chainIntact: true,
  })),
  answer(getTrafficHistory, ({ params: { endpoint }, query }, { story, status }) => {
    const { from = story.past[endpoint]?.[0]?.from ?? status.now } = query;
    const items = (story.past[endpoint] ?? []).filter((one) => one.from >= from);
    return { endpoint, from, until: status.now, seconds: 86_400, items, isCut: false };
  }),
  answer(listMonitors, ({ query }, { story }) => page(story.monitors, query)),
  answer(listEvaluations, ({ params, query }, { story }) =>
    page(
      story.evaluations
        .filter(({ monitor }) => monitor === params.monitor)
        .map((one) => ({
          ...one,
          checks: one.checks.filter(({ kind, state }) =>
            query.kind === undefined ? state !== 'ok' : kind === query.kind,
          ),
        })),
      query,
    ),
  ),
  answer(fixedHistory, ({ params, query }, { story: { fixed } }) => {
    if (fixed !== null) return { ...fixed, version: query.version };
    throw new AppError('MONITOR_NOT_FOUND', `Nothing watches ${params.monitor}.`);
  }),
  answer(listLoops, ({ query }, { story }) => page(story.loops, query)),
  answer(getGuard, (_, { story: { guard } }) => ({ guard })),
  answer(listDecisions, ({ params, query }, { story }) =>
    page(
      story.decisions.filter(({ loop }) => loop === params.loop),
      query,
    ),
  ),
  answer(listMaturity, ({ query }, { story }) => page(story.maturity, query)),
  answer(getMaturity, ({ params: { endpoint } }, { story }): MaturityDetail => {
    const [found] = story.maturity;
    if (found !== undefined) return { ...found, endpoint };
    throw new AppError('ENDPOINT_NOT_FOUND', `Nothing is deployed to ${endpoint}.`);
  }),
  answer(getLogStatus, (_, fixture) => fixture.log),
  answer(getTraffic, ({ query: { endpoint } }, { traffic }) => ({
    points: traffic.filter((point) => endpoint === undefined || point.endpoint === endpoint),
  })),
  answer(listPredictions, ({ params, query }, { predictions }) =>
    page(
      predictions.filter(
        ({ endpoint, now, status, modelVersion }) =>
          endpoint === params.endpoint &&
          (query.from === undefined || now >= query.from) &&
          (query.until === undefined || now < query.until) &&
          (query.version ?? modelVersion) === modelVersion &&
          (query.failed ?? status >= 400) === status >= 400,
      ),
      query,
    ),
  ),
  answer(traceRequest, ({ params: { requestId } }, fixture) => {
    const prediction = fixture.predictions.find((p) => p.requestId === requestId);
    if (prediction === undefined) {
      throw new AppError('REQUEST_NOT_FOUND', `No answered request has the id ${requestId}.`, {
        hint: 'Ids are shown in the answer of each request.',
      });
    }
    const { endpoint, routeRevision, model, modelVersion } = prediction;
    return {
      prediction,
      route:
        fixture.revisions.find(
          (revision) => revision.endpoint === endpoint && revision.revision === routeRevision,
        ) ?? null,
      model: fixture.versions.find((v) => v.model === model && v.version === modelVersion) ?? null,
      labels: fixture.labels.filter((label) => label.requestId === requestId),
      labelsMissing: null,
      ...fixture.traced,
    };
  }),
  answer(listExperiments, ({ query }, { tracking }) => page(tracking.experiments, query)),
  answer(listRuns, ({ query }, { tracking }) => {
    if (query.filter?.startsWith('nonsense') === true) {
      throw new AppError('INVALID_INPUT', 'Invalid clause(s) in filter string: nonsense');
    }
    const part = /ILIKE '%(.*)%'$/.exec(query.filter ?? '')?.[1] ?? '';
    const own = tracking.runs.filter(
      ({ experiment, name }) =>
        (query.experiment ?? experiment) === experiment && name.includes(part),
    );
    return page(query.order === 'metrics.auc ASC' ? own.toReversed() : own, query);
  }),
  answer(getRun, ({ params }, { tracking }) => runOf(tracking, params.run)),
  answer(metricHistory, ({ params, query }, { tracking }) =>
    page(pointsOf(tracking, params), query),
  ),
  answer(listPipelineRuns, ({ query }, { pipelines }) => page(pipelines, query)),
  answer(getPipelineRun, ({ params }, { pipelines }) => {
    const found = pipelines.find(({ id }) => id === params.run);
    if (found !== undefined) return found;
    throw new AppError('PIPELINE_RUN_NOT_FOUND', `There is no pipeline run ${params.run}.`);
  }),
  answer(getStageLog, ({ params, query }) => {
    const text = (STAGE_LOGS[params.stage] ?? '').slice(query.offset);
    const nextOffset = query.offset + text.length;
    return { attempt: 1, text, nextOffset, isComplete: true, isCapped: false };
  }),
  answer(listArtifacts, ({ query }, { tracking }) =>
    page(entriesOf(tracking.files, query.path), query),
  ),
  answer(listVersions, ({ params, query }, { versions }) =>
    page(versions.filter(({ model }) => model === params.model).toReversed(), query),
  ),
  answer(getVersion, ({ params: { model, version } }, { versions }) => {
    const found = versions.find((v) => v.model === model && v.version === version);
    if (found !== undefined) return found;
    throw new AppError('MODEL_VERSION_NOT_FOUND', `${model} has no version ${version}.`, {
      hint: `See them with: millwright models versions ${model}`,
    });
  }),
  answer(listServices, ({ query }, { features }) => page(features.services, query)),
  answer(listViews, ({ query }, { features }) => page(features.views, query)),
  answer(listTrainingSets, ({ query }, { features }) => page(features.sets, query)),
  answer(getWatermarks, (_, { features }) => ({ items: [...features.watermarks], reached: true })),
  answer(getView, ({ params }, { features }) =>
    known(features.views, ({ name }) => name === params.view, params.view),
  ),
  answer(getService, ({ params }, { features }) =>
    known(features.services, ({ name }) => name === params.service, params.service),
  ),
  answer(getTrainingSet, ({ params }, { features }) =>
    known(features.sets, ({ name }) => name === params.name, params.name),
  ),
  answer(listTrainingVersions, ({ params, query }, { features }) =>
    page(
      features.versions.filter(({ name }) => name === params.name),
      query,
    ),
  ),
  answer(getTrainingVersion, ({ params }, { features }) =>
    known(
      features.versions,
      ({ name, version }) => name === params.name && version === params.version,
      `${params.name}@v${params.version}`,
    ),
  ),
  answer(getFeatures, ({ body }, { features, status }) => {
    const { service, inputs, at = status.now } = body;
    const found = known(features.services, ({ name }) => name === service, service);
    if (inputs['origin'] === null) {
      throw new AppError('INVALID_INPUT', 'The key origin is missing.', {
        hint: 'It takes origin (string), destination (string), distance (long).',
      });
    }
    return {
      service,
      definition: found.hash,
      at,
      features: found.features.map(({ name }, index) => ({
        name,
        value: index === 2 ? null : index / 7,
        ageSeconds: index === 2 ? null : 60 * index,
      })),
      watermarks: { 'default.landings': 117 },
    };
  }),
  answer(getLineage, ({ query }) => lineageOf(query.of, query.depth)),
  answer(getTable, ({ params }) => ({
    ...params,
    columns: [],
    version: 118,
    rows: 937_000,
    files: 4,
    sizeBytes: 12_000_000,
    createdAt: '2026-03-01T00:00:00Z',
    location: `/srv/flights/.millwright/lake/${params.namespace}/${params.name}`,
  })),
];

function known<Item>(items: readonly Item[], is: (item: Item) => boolean, name: string): Item {
  const found = items.find(is);
  if (found !== undefined) return found;
  throw new AppError('FEATURE_SERVICE_NOT_FOUND', `There is no ${name}.`, {
    hint: 'See what there is with: millwright features services',
  });
}

/** Each run's curve a little lower than the one before; the first two are alike. */
function pointsOf(
  { runs, points }: TrackingFixture,
  { run, key }: { readonly run: string; readonly key: string },
) {
  const factor = 1 - 0.03 * Math.max(0, runs.findIndex(({ id }) => id === run) - 1);
  return (points[key] ?? []).map((point) => ({
    ...point,
    value: point.value === null ? null : point.value * factor,
  }));
}

function runOf({ runs }: TrackingFixture, id: string): Run {
  const found = runs.find((run) => run.id === id);
  if (found !== undefined) return found;
  throw new AppError('RUN_NOT_FOUND', `Run with id=${id} not found`, {
    hint: 'See them with: millwright runs ls',
  });
}
