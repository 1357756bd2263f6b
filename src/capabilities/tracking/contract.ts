import { z } from 'zod';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';
import { RunStatus } from '../../formats/mlflow/scalars.ts';

/** `run_` and 32 hex digits; MLflow's clients see the digits alone, and either is accepted. */
export const RunId = z
  .string()
  .regex(/^(?:run_)?[0-9a-f]{32}$/, 'run_ and 32 hex digits')
  .transform((id) => (id.startsWith('run_') ? id : `run_${id}`));

/** Size of one artifact; larger data belongs into tables or an object store of its own. */
export const ARTIFACT_BYTES_MAX = 16 * 1024 ** 3;

/** Files that one list shows or one model folder has at most: far more than any format writes. */
export const ARTIFACT_FILES_MAX = 10_000;

const Pin = z.string().nullable();

/**
 * What a run was made of, as the step that ran it said in tags that start with `millwright.`.
 * Every field is null when its tag is missing or malformed; the tag itself stays visible.
 */
export const RunPins = z.object({
  step: Pin,
  pipelineRun: Pin,
  stage: Pin,
  command: Pin,
  /** Hash of the git tree (`sha256:...` over the code's files without git), and of the commit. */
  codeTree: Pin,
  codeCommit: Pin,
  /** SHA-256 of the environment's lock file. */
  environment: Pin,
  tables: z.array(z.object({ table: z.string(), version: z.number().int() })),
  trainingSet: z.object({ name: z.string(), version: z.number().int() }).nullable(),
  /** Hash of the feature definition it was trained on. */
  definition: Pin,
});
export type RunPins = z.infer<typeof RunPins>;

/** Where something that a run made comes from. */
export interface RunOrigin {
  readonly runId: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly pins: RunPins | null;
}

/** A file of a model folder, by its path below that. */
export interface ModelFile {
  readonly path: string;
  /** SHA-256 of the content. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** The files a client registers a version from. */
export interface ModelFolder {
  readonly files: readonly ModelFile[];
  readonly runId: string | null;
  /** `m-` and 32 hex digits. */
  readonly loggedModel: string | null;
}

export const KeyValue = z.object({ key: z.string(), value: z.string() });

export const Experiment = z.object({
  id: z.string(),
  name: z.string(),
  artifactLocation: z.string(),
  createdAt: z.string(),
});
export type Experiment = z.infer<typeof Experiment>;

/** A number, or null where the client sent NaN. */
const Measured = z.number().nullable();

export const RunSummary = z.object({
  id: z.string(),
  /** Number of the experiment. */
  experiment: z.string(),
  name: z.string(),
  user: z.string(),
  status: RunStatus,
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  metrics: z.array(
    z.object({ key: z.string(), value: Measured, step: z.number(), at: z.string() }),
  ),
  params: z.array(KeyValue),
  tags: z.array(KeyValue),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const ArtifactEntry = z.object({
  /** Below the run's artifact folder. */
  path: z.string(),
  isFolder: z.boolean(),
  sizeBytes: z.number().int().nullable(),
  digest: z.string().nullable(),
});
export type ArtifactEntry = z.infer<typeof ArtifactEntry>;

export const RegisteredVersion = z.object({ model: z.string(), version: z.number().int() });
export type RegisteredVersion = z.infer<typeof RegisteredVersion>;

export const Run = RunSummary.extend({
  artifactUri: z.string(),
  inputs: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      sourceType: z.string(),
      source: z.string(),
      context: z.string().nullable(),
    }),
  ),
  models: z.array(z.object({ direction: z.enum(['input', 'output']), model: z.string() })),
  artifacts: z.array(ArtifactEntry),
  registeredVersions: z.array(RegisteredVersion),
  /** Null when no tag of the run starts with `millwright.`. */
  pins: RunPins.nullable(),
});
export type Run = z.infer<typeof Run>;

export const MetricPoint = z.object({
  value: Measured,
  step: z.number(),
  at: z.string(),
  dataset: z.string().nullable(),
});
export type MetricPoint = z.infer<typeof MetricPoint>;

const RunParams = z.object({ run: RunId });

export const listExperiments = route({
  id: 'experiments.list',
  method: 'GET',
  path: '/api/v1/experiments',
  summary: 'List experiments, newest first',
  query: PageQuery,
  reply: pageOf(Experiment),
});

export const listRuns = route({
  id: 'runs.list',
  method: 'GET',
  path: '/api/v1/runs',
  summary: 'List runs, newest first; `filter` as in MLflow, such as metrics.auc > 0.8',
  query: PageQuery.extend({
    experiment: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional(),
    filter: z.string().max(5000).optional(),
    order: z.string().max(500).optional(),
  }),
  reply: pageOf(RunSummary),
});

export const getRun = route({
  id: 'runs.get',
  method: 'GET',
  path: '/api/v1/runs/:run',
  summary: 'One run: parameters, last metric values, tags, inputs, artifacts, versions, pins',
  params: RunParams,
  reply: Run,
});

export const metricHistory = route({
  id: 'runs.metric',
  method: 'GET',
  path: '/api/v1/runs/:run/metrics/:key',
  summary: 'Every value of one metric, by step',
  params: RunParams.extend({ key: z.string().min(1).max(250) }),
  query: PageQuery,
  reply: pageOf(MetricPoint),
});

export const listArtifacts = route({
  id: 'runs.artifacts',
  method: 'GET',
  path: '/api/v1/runs/:run/artifacts',
  summary: 'Files and folders of one artifact folder of a run; content is at ../artifact?path=',
  params: RunParams,
  query: PageQuery.extend({ path: z.string().max(1000).default('') }),
  reply: pageOf(ArtifactEntry),
});
