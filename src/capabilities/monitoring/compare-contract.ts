import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from '../predictions/contract.ts';
import { ModelName } from '../registry/contract.ts';

/** Versions scored in one comparison: each is loaded and run over every row. */
export const COMPARED_MAX = 8;
/** Days of one comparison: a year and the leap. */
export const COMPARED_DAYS_MAX = 366;

/** A version of the model, or what was answered whichever version did. */
export const Compared = z.union([z.number().int().min(1), z.literal('served')]);
export type Compared = z.infer<typeof Compared>;

/** Of probabilities for outcomes 0 and 1, else of numbers; null where it is undefined. */
export const ComparedFigures = z.object({
  auc: z.number().nullable(),
  logLoss: z.number().nullable(),
  brier: z.number().nullable(),
  mae: z.number().nullable(),
  rmse: z.number().nullable(),
  meanScore: z.number().nullable(),
});
export type ComparedFigures = z.infer<typeof ComparedFigures>;

export const ImprovementMetric = z.enum(['auc', 'log_loss', 'brier', 'mae', 'mse']);
export type ImprovementMetric = z.infer<typeof ImprovementMetric>;

/** How much better than the base, above 0 whichever way the metric points. */
export const Improvement = z.object({
  metric: ImprovementMetric,
  value: z.number().nullable(),
  /** One-sided bounds at `level`, from blocks of days; null when the rows do not allow them. */
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  standardError: z.number().nullable(),
  level: z.number(),
  method: z.enum(['jackknife-t', 'bootstrap-t', 'none']),
  blocks: z.number().int(),
});
export type Improvement = z.infer<typeof Improvement>;

export const ComparedVersion = ComparedFigures.extend({
  version: Compared,
  /** Rows with a label that it gave no usable score for; no version is compared on those. */
  missing: z.number().int(),
  /** Over the base; none for the base itself. */
  improvements: z.array(Improvement),
});
export type ComparedVersion = z.infer<typeof ComparedVersion>;

/** One day, or one run of seven days. */
export const ComparedPeriod = z.object({
  from: z.string(),
  until: z.string(),
  rows: z.number().int(),
  positives: z.number().int(),
  versions: z.array(ComparedFigures.extend({ version: Compared })),
});
export type ComparedPeriod = z.infer<typeof ComparedPeriod>;

/** Several versions on the very same rows. */
export const Comparison = z.object({
  model: z.string(),
  /** Where the rows are from: requests as they were logged, or a training set's version. */
  endpoint: z.string().nullable(),
  trainingSet: z.object({ name: z.string(), version: z.number().int() }).nullable(),
  from: z.string(),
  until: z.string(),
  /** Labels that had occurred by then. */
  at: z.string(),
  base: Compared,
  /** Rows compared, those with outcome 1, and days that hold rows. */
  rows: z.number().int(),
  positives: z.number().int(),
  days: z.number().int(),
  /** Why other rows of the time are not compared. */
  leftOut: z.object({
    /** Answered with an error. */
    failed: z.number().int(),
    /** Their label may still come: labels that come sooner for one outcome must not decide. */
    immature: z.number().int(),
    unlabelled: z.number().int(),
    /** Their vector follows another definition than the versions do. */
    otherDefinition: z.number().int(),
    /** A version gave no usable score. */
    unscored: z.number().int(),
  }),
  versions: z.array(ComparedVersion),
  periods: z.array(ComparedPeriod),
});
export type Comparison = z.infer<typeof Comparison>;

const Asked = {
  versions: z
    .array(Compared)
    .min(1)
    .max(COMPARED_MAX)
    .refine((all) => new Set(all).size === all.length, 'each version once'),
  /** What the others are compared with; default: the first. */
  base: Compared.optional(),
  /** Periods that figures are told of besides; the bounds are from days in any case. */
  per: z.enum(['day', 'week']).default('day'),
  /** Of the one-sided bounds. */
  level: z.number().min(0.5).max(0.999).default(0.95),
};

export const compareOnLog = route({
  id: 'endpoints.compare',
  method: 'POST',
  path: '/api/v1/endpoints/:endpoint/compare',
  access: 'read',
  summary:
    'Score versions on the vectors of matured, labelled requests, beside what was served, with ' +
    'bounds of the differences from blocks of days',
  params: z.object({ endpoint: EndpointName }),
  body: z.strictObject({
    ...Asked,
    /** Requests answered at or after, and before, these. */
    from: InstantText,
    until: InstantText,
    /** Labels that had occurred by then; default: now. */
    at: InstantText.optional(),
  }),
  reply: Comparison,
});

export const compareOnRows = route({
  id: 'models.compare',
  method: 'POST',
  path: '/api/v1/models/:model/compare',
  access: 'read',
  summary: "The same on rows of a training set's version, those with T in a time or all",
  params: z.object({ model: ModelName }),
  body: z.strictObject({
    ...Asked,
    versions: Asked.versions.refine((all) => !all.includes('served'), 'rows were not served'),
    trainingSet: z.string().min(1).max(63),
    trainingVersion: z.number().int().min(1),
    from: InstantText.optional(),
    until: InstantText.optional(),
  }),
  reply: Comparison,
});
