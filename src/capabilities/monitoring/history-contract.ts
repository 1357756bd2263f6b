import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from '../predictions/contract.ts';
import { CheckState } from './state-contract.ts';

/** Days of one history: more are no chart, and each is a file that the engine opens. */
export const HISTORY_DAYS_MAX = 184;

/** What one version answered on one day, and how good it was. */
export const QualityDay = z.object({
  from: z.string(),
  until: z.string(),
  version: z.number().int(),
  requests: z.number().int(),
  /** Of them with a label; null while they have not had time for it. */
  labelled: z.number().int().nullable(),
  /** Whether quality counts it: mature, with labels enough. */
  isWhole: z.boolean(),
  /** The metric on this day alone; null where it is undefined or the day does not count. */
  value: z.number().nullable(),
  /** Over the version's newest whole days up to this one, as many as the monitor's window. */
  window: z
    .object({
      value: z.number(),
      /** Two-sided bounds at 95 %, from how its days differ. */
      lower: z.number(),
      upper: z.number(),
      days: z.number().int(),
    })
    .nullable(),
});
export type QualityDay = z.infer<typeof QualityDay>;

export const QualityHistory = z.object({
  monitor: z.string(),
  metric: z.string(),
  /** Days that are looked at together. */
  windowDays: z.number().int(),
  /** The loss worth telling of, and the share of labels from which a day counts. */
  drop: z.number(),
  coverage: z.number(),
  label: z.string().nullable(),
  /** Requests of this day and later have not had time for their labels; null without a label. */
  matureUntil: z.string().nullable(),
  from: z.string(),
  until: z.string(),
  days: z.array(QualityDay),
});
export type QualityHistory = z.infer<typeof QualityHistory>;

/** What one bin counts: numbers of a stretch, one text, all other texts, or what is missing. */
export const ColumnBin = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('numbers'),
    /** Null reaches to infinity. */
    from: z.number().nullable(),
    until: z.number().nullable(),
  }),
  z.object({ kind: z.literal('level'), level: z.string() }),
  z.object({ kind: z.literal('other') }),
  z.object({ kind: z.literal('missing') }),
]);
export type ColumnBin = z.infer<typeof ColumnBin>;

/** Shares have one number a bin. */
export const ColumnDay = z.object({
  from: z.string(),
  until: z.string(),
  rows: z.number().int(),
  shares: z.array(z.number()),
  /** Jensen-Shannon distance (base 2) from the reference; null without rows. */
  distance: z.number().nullable(),
});
export type ColumnDay = z.infer<typeof ColumnDay>;

export const ColumnHistory = z.object({
  monitor: z.string(),
  column: z.string(),
  model: z.string(),
  version: z.number().int(),
  bins: z.array(ColumnBin),
  /** The rows that the version was trained on. */
  reference: z.object({
    from: z.string(),
    until: z.string(),
    rows: z.number().int(),
    days: z.number().int(),
    shares: z.array(z.number()),
    /** The least and the greatest share of its days. */
    least: z.array(z.number()),
    greatest: z.array(z.number()),
  }),
  /** The least distance worth telling of. */
  effect: z.number(),
  days: z.array(ColumnDay),
  /** What evaluations found of the column, oldest first. */
  found: z.array(
    z.object({
      evaluation: z.string(),
      at: z.string(),
      state: CheckState,
      isBreach: z.boolean(),
      distance: z.number().nullable(),
      /** What the distance stays below without drift. */
      floor: z.number().nullable(),
    }),
  ),
});
export type ColumnHistory = z.infer<typeof ColumnHistory>;

const MonitorParams = z.object({ monitor: EndpointName });
const Range = {
  /** Default: some weeks before `until`. */
  from: InstantText.optional(),
  /** Default: what the newest evaluation is of. */
  until: InstantText.optional(),
};

export const qualityHistory = route({
  id: 'monitors.quality',
  method: 'GET',
  path: '/api/v1/monitors/:monitor/quality',
  summary: 'Quality by day and version, with label coverage and what has had time for its label',
  params: MonitorParams,
  query: z.object(Range),
  reply: QualityHistory,
});

export const columnHistory = route({
  id: 'monitors.column',
  method: 'GET',
  path: '/api/v1/monitors/:monitor/column',
  summary: 'How a column was distributed day by day, beside the rows a version was trained on',
  params: MonitorParams,
  query: z.object({
    ...Range,
    /** A feature, an input, or `score`. */
    column: z.string().min(1).max(300),
    /** Default: the one that answered most as of the newest evaluation. */
    version: z.coerce.number().int().min(1).optional(),
  }),
  reply: ColumnHistory,
});
