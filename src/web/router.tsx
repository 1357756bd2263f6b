import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { z } from 'zod';
import { DEPTH_MAX } from '../capabilities/lineage/contract.ts';
import { CheckState } from '../capabilities/monitoring/state-contract.ts';
import { EndpointName } from '../capabilities/predictions/contract.ts';
import { pageOfMlflowLink } from './mlflow-link.ts';
import { NoSuchPage } from './no-such-page.tsx';
import { optional } from './optional-search.ts';
import { PageFailed } from './page-failed.tsx';
import { ComparedRunsSearch, RunSearch, RunsSearch } from './run-search.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: z.object({
    /** Tells of this endpoint, and draws its traffic alone. */
    endpoint: optional(EndpointName),
    /** Told of beside what was served, as if it had stayed: a version, or none. */
    stayed: optional(z.union([z.number().int().min(1), z.literal('none')])),
    /** Lists the events of this subject alone. */
    subject: optional(z.string().max(300)),
    /** Lists every check of the endpoint's level. */
    checks: optional(z.boolean()),
  }),
  beforeLoad: ({ location }) => {
    const href = pageOfMlflowLink(location.hash);
    if (href !== null) throw redirect({ href, replace: true });
  },
  component: lazyRouteComponent(
    () => import('../capabilities/workspace/ui/overview-page.tsx'),
    'OverviewPage',
  ),
});

const endpoints = createRoute({
  getParentRoute: () => root,
  path: '/endpoints',
  component: lazyRouteComponent(
    () => import('../capabilities/serving/ui/endpoints-page.tsx'),
    'EndpointsPage',
  ),
});

const endpoint = createRoute({
  getParentRoute: () => root,
  path: '/endpoints/$endpoint',
  validateSearch: z.object({
    /** Days of the past drawn, what of them, and by what. */
    days: optional(z.union([z.literal(28), z.literal(92), z.literal(365)])),
    measure: optional(z.enum(['requests', 'errors', 'p50', 'p99'])),
    by: optional(z.enum(['version', 'arm'])),
    /** The route revision looked at. */
    revision: optional(z.number().int().min(1)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/serving/ui/endpoint-page.tsx'),
    'EndpointPage',
  ),
});

const monitors = createRoute({
  getParentRoute: () => root,
  path: '/monitors',
  component: lazyRouteComponent(
    () => import('../capabilities/monitoring/ui/monitors-page.tsx'),
    'MonitorsPage',
  ),
});

const monitor = createRoute({
  getParentRoute: () => root,
  path: '/monitors/$monitor',
  validateSearch: z.object({
    /** Findings of this state; without it, all that are not ok. */
    show: optional(CheckState),
    /** The column drawn, of which version, and its day: `2001-05-20`. */
    column: optional(z.string().max(300)),
    version: optional(z.number().int().min(1)),
    day: optional(z.string().max(10)),
    /** Days back that charts show. */
    span: optional(z.union([z.literal(28), z.literal(92), z.literal(184)])),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/monitoring/ui/monitor-page.tsx'),
    'MonitorPage',
  ),
});

const evaluation = createRoute({
  getParentRoute: () => root,
  path: '/monitors/$monitor/evaluations/$evaluation',
  component: lazyRouteComponent(
    () => import('../capabilities/monitoring/ui/evaluation-page.tsx'),
    'EvaluationPage',
  ),
});

const loop = createRoute({
  getParentRoute: () => root,
  path: '/loop',
  validateSearch: z.object({
    loop: optional(z.string().max(63)),
    /** Decisions of this instance alone, and those that changed something or held back. */
    instance: optional(z.string().max(100)),
    show: optional(z.enum(['acted', 'held back'])),
  }),
  component: lazyRouteComponent(() => import('../capabilities/loop/ui/loop-page.tsx'), 'LoopPage'),
});

const decision = createRoute({
  getParentRoute: () => root,
  path: '/loop/$loop/decisions/$decision',
  component: lazyRouteComponent(
    () => import('../capabilities/loop/ui/decision-page.tsx'),
    'DecisionPage',
  ),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: '/trace',
  validateSearch: z.object({
    endpoint: optional(EndpointName),
    /** Requests answered in this domain time: RFC 3339. */
    from: optional(z.string().max(40)),
    until: optional(z.string().max(40)),
    version: optional(z.number().int().min(1)),
    failed: optional(z.boolean()),
    /** Who served at this moment of domain time, and whom: `origin=ORD`. */
    at: optional(z.string().max(40)),
    key: optional(z.string().max(1000)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/serving/ui/trace-page.tsx'),
    'TracePage',
  ),
});

const tracedRequest = createRoute({
  getParentRoute: () => root,
  path: '/trace/$requestId',
  component: lazyRouteComponent(
    () => import('../capabilities/serving/ui/request-page.tsx'),
    'RequestPage',
  ),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: RunsSearch,
  component: lazyRouteComponent(
    () => import('../capabilities/tracking/ui/runs-page.tsx'),
    'RunsPage',
  ),
});

const compareRuns = createRoute({
  getParentRoute: () => root,
  path: '/runs/compare',
  validateSearch: ComparedRunsSearch,
  component: lazyRouteComponent(
    () => import('../capabilities/tracking/ui/compare-page.tsx'),
    'ComparePage',
  ),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: RunSearch,
  component: lazyRouteComponent(
    () => import('../capabilities/tracking/ui/run-page.tsx'),
    'RunPage',
  ),
});

const pipelines = createRoute({
  getParentRoute: () => root,
  path: '/pipelines',
  component: lazyRouteComponent(
    () => import('../capabilities/pipelines/ui/pipelines-page.tsx'),
    'PipelinesPage',
  ),
});

const pipeline = createRoute({
  getParentRoute: () => root,
  path: '/pipelines/$run',
  validateSearch: z.object({
    /** The stage looked at; without it, one that failed or runs. */
    stage: optional(z.string().max(500)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/pipelines/ui/pipeline-page.tsx'),
    'PipelinePage',
  ),
});

const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: lazyRouteComponent(
    () => import('../capabilities/registry/ui/models-page.tsx'),
    'ModelsPage',
  ),
});

const model = createRoute({
  getParentRoute: () => root,
  path: '/models/$model',
  component: lazyRouteComponent(
    () => import('../capabilities/registry/ui/model-page.tsx'),
    'ModelPage',
  ),
});

const modelVersion = createRoute({
  getParentRoute: () => root,
  path: '/models/$model/versions/$version',
  component: lazyRouteComponent(
    () => import('../capabilities/registry/ui/version-page.tsx'),
    'VersionPage',
  ),
});

const features = createRoute({
  getParentRoute: () => root,
  path: '/features',
  component: lazyRouteComponent(
    () => import('../capabilities/features/ui/features-page.tsx'),
    'FeaturesPage',
  ),
});

const featureService = createRoute({
  getParentRoute: () => root,
  path: '/features/services/$service',
  validateSearch: z.object({
    /** What a vector is looked up by, as typed. */
    inputs: optional(z.record(z.string().max(255), z.string().max(500))),
    /** As of when: RFC 3339. */
    at: optional(z.string().max(40)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/features/ui/service-page.tsx'),
    'ServicePage',
  ),
});

const featureView = createRoute({
  getParentRoute: () => root,
  path: '/features/views/$view',
  component: lazyRouteComponent(
    () => import('../capabilities/features/ui/view-page.tsx'),
    'ViewPage',
  ),
});

const trainingSet = createRoute({
  getParentRoute: () => root,
  path: '/features/training-sets/$name',
  component: lazyRouteComponent(
    () => import('../capabilities/features/ui/training-set-page.tsx'),
    'TrainingSetPage',
  ),
});

const trainingVersion = createRoute({
  getParentRoute: () => root,
  path: '/features/training-sets/$name/versions/$version',
  validateSearch: z.object({
    /** The feature whose histogram is drawn. */
    feature: optional(z.string().max(300)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/features/ui/training-version-page.tsx'),
    'TrainingVersionPage',
  ),
});

const tables = createRoute({
  getParentRoute: () => root,
  path: '/tables',
  component: lazyRouteComponent(
    () => import('../capabilities/tables/ui/tables-page.tsx'),
    'TablesPage',
  ),
});

/** A version of a table, as a person may have typed it. */
const TableVersion = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const table = createRoute({
  getParentRoute: () => root,
  path: '/tables/$table',
  validateSearch: z.object({
    /** The version shown; without it the newest. */
    version: optional(TableVersion),
    /** Versions compared. */
    from: optional(TableVersion),
    to: optional(TableVersion),
    /** Rows that come before the ones shown. */
    skip: optional(TableVersion),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/tables/ui/table-page.tsx'),
    'TablePage',
  ),
});

const lineage = createRoute({
  getParentRoute: () => root,
  path: '/lineage',
  validateSearch: z.object({
    /** `<kind>/<id>`. */
    of: optional(z.string().max(400)),
    /** Steps followed each way, and layers of which everything is drawn. */
    depth: optional(z.number().int().min(1).max(DEPTH_MAX)),
    open: optional(z.array(z.string().max(40)).max(12)),
  }),
  component: lazyRouteComponent(
    () => import('../capabilities/lineage/ui/lineage-page.tsx'),
    'LineagePage',
  ),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    endpoints,
    endpoint,
    monitors,
    monitor,
    evaluation,
    loop,
    decision,
    trace,
    tracedRequest,
    runs,
    compareRuns,
    run,
    pipelines,
    pipeline,
    models,
    model,
    modelVersion,
    features,
    featureService,
    featureView,
    trainingSet,
    trainingVersion,
    tables,
    table,
    lineage,
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
