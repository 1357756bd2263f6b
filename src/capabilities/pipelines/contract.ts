import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

/** Targets of one run; without any, every stage. */
const TARGETS_MAX = 1000;
/** Bytes of a log in one answer. */
export const LOG_PAGE_BYTES_MAX = 256 * 1024;
/** Steps of a run that are shown with the end of their log: each is a file to read. */
export const LOG_TAILS_MAX = 50;
/** Runs of one folder that may wait behind each other: more is a loop somewhere. */
export const QUEUED_RUNS_MAX = 20;

export const RunRequest = z.strictObject({
  /** The project's folder (the one with `dvc.yaml`) on the machine of the server; absolute. */
  folder: z.string().min(1).max(4096).startsWith('/', 'an absolute path'),
  targets: z.array(z.string().min(1).max(500)).max(TARGETS_MAX).default([]),
  /** Runs every stage, changed or not. */
  force: z.boolean().default(false),
  /** T of the rows that training sets may take ends here; default: as each is declared. */
  trainUntil: InstantText.nullable().default(null),
  /** The caller's own name for the run: asked for again, it answers the one that is there. */
  key: z.string().min(1).max(200).nullable().default(null),
});

const Action = z.enum(['cached', 'restore', 'run', 'frozen']);

/** What a run would do, in order, and why. */
export const Plan = z.object({
  folder: z.string(),
  stages: z.array(z.object({ name: z.string(), action: Action, reasons: z.array(z.string()) })),
});
export type Plan = z.infer<typeof Plan>;

export const RunState = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']);
export type RunState = z.infer<typeof RunState>;
export const StepState = z.enum([
  'waiting',
  'running',
  'cached',
  'restored',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
]);
export type StepState = z.infer<typeof StepState>;
export const AttemptState = z.enum([
  'starting',
  'running',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'lost',
]);
export type AttemptState = z.infer<typeof AttemptState>;

const ErrorView = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() });

export const Attempt = z.object({
  id: z.string(),
  number: z.number().int(),
  state: AttemptState,
  pid: z.number().int().nullable(),
  /** Clock ticks from the machine's start to the process's: with the pid, which process it is. */
  startTime: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  exitCode: z.number().int().nullable(),
  reason: z.string().nullable(),
});

export const OutputView = z.object({
  path: z.string(),
  md5: z.string(),
  sha256: z.string(),
  sizeBytes: z.number().int(),
  files: z.number().int().nullable(),
});

export const PipelineStep = z.object({
  stage: z.string(),
  state: StepState,
  reasons: z.array(z.string()),
  error: ErrorView.nullable(),
  attempts: z.array(Attempt),
  outputs: z.array(OutputView),
  /** The last lines of its log, once it has run; of the newest attempts of a long run only. */
  logTail: z.string(),
});
export type PipelineStep = z.infer<typeof PipelineStep>;

export const PipelineRunSummary = z.object({
  id: z.string(),
  folder: z.string(),
  targets: z.array(z.string()),
  force: z.boolean(),
  trainUntil: z.string().nullable(),
  state: RunState,
  actor: z.string(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  /** SHA-256 of the lock of the stages' environment; null without one. */
  environment: z.string().nullable(),
  error: ErrorView.nullable(),
});
export type PipelineRunSummary = z.infer<typeof PipelineRunSummary>;

export const PipelineRun = PipelineRunSummary.extend({
  steps: z.array(PipelineStep),
  /** The run of the same folder that this one waits for. */
  waitsFor: z.string().nullable(),
  /** What goes on outside of stages: the environment being built. */
  activity: z.string().nullable(),
});
export type PipelineRun = z.infer<typeof PipelineRun>;

const RunId = z.object({ run: z.string().min(1).max(100) });

export const planPipeline = route({
  id: 'pipelines.plan',
  method: 'POST',
  path: '/api/v1/pipelines/plan',
  summary: 'What a run of a project would do, stage by stage, and why',
  body: RunRequest.pick({ folder: true, targets: true, force: true }),
  reply: Plan,
});

export const startPipeline = route({
  id: 'pipelines.start',
  method: 'POST',
  path: '/api/v1/pipelines/runs',
  summary: 'Run the stages of a dvc.yaml that the targets need',
  body: RunRequest,
  reply: PipelineRun,
  status: 202,
});

export const listPipelineRuns = route({
  id: 'pipelines.list',
  method: 'GET',
  path: '/api/v1/pipelines/runs',
  summary: 'Pipeline runs, newest first',
  query: PageQuery.extend({ folder: z.string().max(4096).optional() }),
  reply: pageOf(PipelineRunSummary),
});

export const getPipelineRun = route({
  id: 'pipelines.get',
  method: 'GET',
  path: '/api/v1/pipelines/runs/:run',
  summary: 'One pipeline run with its stages',
  params: RunId,
  reply: PipelineRun,
});

export const cancelPipelineRun = route({
  id: 'pipelines.cancel',
  method: 'POST',
  path: '/api/v1/pipelines/runs/:run/cancel',
  summary: 'Stop a pipeline run with the processes of its stage',
  params: RunId,
  reply: PipelineRun,
});

export const getStageLog = route({
  id: 'pipelines.log',
  method: 'GET',
  path: '/api/v1/pipelines/runs/:run/stages/:stage/log',
  summary: 'The log of a stage from an offset, to follow it',
  params: RunId.extend({ stage: z.string().min(1).max(500) }),
  query: z.object({
    offset: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(4).max(LOG_PAGE_BYTES_MAX).default(LOG_PAGE_BYTES_MAX),
    /** Which attempt; default the newest. */
    attempt: z.coerce.number().int().min(1).optional(),
  }),
  reply: z.object({
    attempt: z.number().int().nullable(),
    text: z.string(),
    /** Ask with it for what comes next. */
    nextOffset: z.number().int(),
    /** Nothing more will come. */
    isComplete: z.boolean(),
    /** The log reached its limit; what came after is lost. */
    isCapped: z.boolean(),
  }),
});
export type StageLog = z.infer<typeof getStageLog.reply>;
