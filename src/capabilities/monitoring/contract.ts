import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from '../predictions/contract.ts';
import { CheckState } from './state-contract.ts';

export {
  Compared,
  ComparedVersion,
  Comparison,
  compareOnLog,
  compareOnRows,
} from './compare-contract.ts';
export { FixedBeside, FixedDay, FixedHistory, fixedHistory } from './fixed-contract.ts';
export { CheckState };
export {
  ColumnBin,
  columnHistory,
  ColumnHistory,
  QualityDay,
  qualityHistory,
  QualityHistory,
} from './history-contract.ts';

/** A number of hours or days: `12h`, `7d`. */
export const SpanText = z.string().regex(/^[1-9]\d{0,3}[hd]$/, 'a span of time such as 12h or 7d');

/** Days of a window: more are a season, and compare what was with what was. */
export const WINDOW_DAYS_MAX = 60;
/** A block interval needs two blocks, and tells little with fewer than three. */
export const QUALITY_DAYS_MIN = 3;
/** Evaluations looked back over for persistence. */
export const PERSIST_OF_MAX = 30;
/** Names in a list of ignored columns. */
export const IGNORED_MAX = 500;

export const QualityMetric = z.enum(['auc', 'log_loss', 'brier', 'mae', 'rmse']);
export type QualityMetric = z.infer<typeof QualityMetric>;

const WholeDays = z
  .string()
  .regex(/^[1-9]\d{0,3}d$/, 'whole days such as 7d')
  .refine((text) => Number.parseInt(text, 10) <= WINDOW_DAYS_MAX, `at most ${WINDOW_DAYS_MAX}d`);

export const QualitySpec = z.strictObject({
  metric: QualityMetric.default('auc'),
  /** Matured cohort days looked at together. */
  window: WholeDays.refine(
    (text) => Number.parseInt(text, 10) >= QUALITY_DAYS_MIN,
    `at least ${QUALITY_DAYS_MIN}d`,
  ).default('7d'),
  /** The least loss worth telling of, in the metric's own unit. */
  drop: z.number().positive().default(0.02),
  /** A day counts once this share of its mature requests has a label. */
  coverage: z.number().min(0).max(1).default(0.9),
});
export type QualitySpec = z.infer<typeof QualitySpec>;

export const DriftSpec = z.strictObject({
  window: WholeDays.default('1d'),
  /** The least Jensen-Shannon distance (base 2, 0 to 1) worth telling of. */
  effect: z.number().positive().max(1).default(0.1),
  /** Share of false discoveries among the columns of one evaluation. */
  level: z.number().positive().max(0.5).default(0.001),
});
export type DriftSpec = z.infer<typeof DriftSpec>;

export const PersistSpec = z
  .strictObject({
    of: z.number().int().min(1).max(PERSIST_OF_MAX).default(5),
    at_least: z.number().int().min(1).max(PERSIST_OF_MAX).default(3),
  })
  .refine(({ of, at_least: least }) => least <= of, 'at_least is more than of');
export type PersistSpec = z.infer<typeof PersistSpec>;

/** What `millwright.yaml` declares of an endpoint's monitor; everything has a default. */
export const MonitorSpec = z.strictObject({
  /** False: evaluated only when asked. */
  auto: z.boolean().default(true),
  /** The declared label; default: the one that matches the endpoint. */
  label: z.string().min(1).max(63).optional(),
  /** A whole number of days, or of hours that divide a day. */
  every: SpanText.refine((text) => {
    const count = Number.parseInt(text, 10);
    return text.endsWith('d') ? count <= WINDOW_DAYS_MAX : 24 % count === 0;
  }, 'whole days, or hours that divide a day').default('1d'),
  quality: QualitySpec.default(QualitySpec.parse({})),
  /** An alert needs this many breaches among this many evaluations. */
  persist: PersistSpec.default(PersistSpec.parse({})),
  drift: DriftSpec.default(DriftSpec.parse({})),
  /** Features and inputs that are not looked at. */
  ignore: z.array(z.string().min(1).max(255)).max(IGNORED_MAX).default([]),
});
export type MonitorSpec = z.infer<typeof MonitorSpec>;

export const CheckKind = z.enum([
  'quality',
  'calibration',
  'drift',
  'score_drift',
  'missing',
  'range',
  'unit_change',
  'labels',
  'label_silence',
  'traffic',
  'errors',
]);
export type CheckKind = z.infer<typeof CheckKind>;

export const Check = z.object({
  kind: CheckKind,
  /** A column, a label, or `*` for all columns together or the version as a whole. */
  subject: z.string(),
  /** The model version looked at; null for what no version answers for. */
  version: z.number().int().nullable(),
  state: CheckState,
  /** Whether this evaluation by itself is beyond its threshold; an alert may need several. */
  isBreach: z.boolean(),
  /** What was measured, in the kind's own unit; null when nothing was. */
  value: z.number().nullable(),
  /** Bounds of what is compared with the threshold: for quality of the loss, not of the metric. */
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  /** What the value is compared with. */
  reference: z.number().nullable(),
  threshold: z.number().nullable(),
  rows: z.number().int(),
  days: z.number().int(),
  /** Since when it is in this state; of a unit change the hour it began. */
  since: z.string().nullable(),
  /** When what was found ended, where that is known: of a unit change the hour. */
  until: z.string().nullable(),
  /** A sentence for a person. */
  explanation: z.string(),
});
export type Check = z.infer<typeof Check>;

export const EvaluatedVersion = z.object({
  model: z.string(),
  version: z.number().int(),
  requests: z.number().int(),
  errors: z.number().int(),
  p50Us: z.number().nullable(),
  p99Us: z.number().nullable(),
});
export type EvaluatedVersion = z.infer<typeof EvaluatedVersion>;

export const Evaluation = z.object({
  id: z.string(),
  monitor: z.string(),
  /** Domain time: only what had happened before it was looked at. */
  at: z.string(),
  versions: z.array(EvaluatedVersion),
  checks: z.array(Check),
  /** The gravest state of its checks. */
  state: CheckState,
  /** Machine time that it took. */
  seconds: z.number(),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** The quality a version is compared with: its own first matured days in traffic. */
export const QualityReference = z.object({
  version: z.number().int(),
  metric: QualityMetric,
  from: z.string(),
  until: z.string(),
  value: z.number(),
  lower: z.number(),
  upper: z.number(),
  rows: z.number().int(),
  days: z.number().int(),
});
export type QualityReference = z.infer<typeof QualityReference>;

export const Monitor = z.object({
  name: EndpointName,
  spec: MonitorSpec,
  appliedAt: z.string(),
  appliedBy: z.string(),
  /** When it is evaluated next by itself; null when it is not. */
  next: z.string().nullable(),
  /** The newest evaluation without its checks that are ok; null before the first. */
  latest: Evaluation.nullable(),
});
export type Monitor = z.infer<typeof Monitor>;

export const MonitorDetail = Monitor.extend({ references: z.array(QualityReference) });
export type MonitorDetail = z.infer<typeof MonitorDetail>;

const MonitorParams = z.object({ monitor: EndpointName });

export const listMonitors = route({
  id: 'monitors.list',
  method: 'GET',
  path: '/api/v1/monitors',
  summary: 'List monitors with what their newest evaluation found',
  query: PageQuery,
  reply: pageOf(Monitor),
});

export const getMonitor = route({
  id: 'monitors.get',
  method: 'GET',
  path: '/api/v1/monitors/:monitor',
  summary: 'A monitor with all checks of its newest evaluation and its quality references',
  params: MonitorParams,
  reply: MonitorDetail,
});

export const listEvaluations = route({
  id: 'monitors.evaluations',
  method: 'GET',
  path: '/api/v1/monitors/:monitor/evaluations',
  summary: 'Evaluations, newest first, with the checks of one kind or those that are not ok',
  params: MonitorParams,
  query: PageQuery.extend({
    /** Evaluations at or after, and before, these. */
    from: InstantText.optional(),
    until: InstantText.optional(),
    kind: CheckKind.optional(),
  }),
  reply: pageOf(Evaluation),
});

export const getEvaluation = route({
  id: 'monitors.evaluation',
  method: 'GET',
  path: '/api/v1/monitors/:monitor/evaluations/:evaluation',
  summary: 'One evaluation with all its checks',
  params: MonitorParams.extend({ evaluation: z.string().max(100) }),
  reply: Evaluation,
});

export const runMonitor = route({
  id: 'monitors.run',
  method: 'POST',
  path: '/api/v1/monitors/:monitor/run',
  summary: 'Evaluate as of the end of the last whole period before `at`, default now',
  params: MonitorParams,
  body: z.strictObject({ at: InstantText.optional() }),
  reply: Evaluation,
});
