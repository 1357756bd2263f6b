import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from '../predictions/contract.ts';

/** The fixed version beside what was served, both on the very same labelled requests. */
export const FixedBeside = z.object({
  fixed: z.number(),
  served: z.number(),
  /** How much better what was served is, above 0 whichever way the metric points. */
  better: z.number(),
  /** Two-sided bounds of that at 95 %, from how its days differ. */
  lower: z.number(),
  upper: z.number(),
  days: z.number().int(),
  rows: z.number().int(),
});
export type FixedBeside = z.infer<typeof FixedBeside>;

/** One day of requests that have had time for their labels. */
export const FixedDay = z.object({
  from: z.string(),
  until: z.string(),
  /** When the last of its labels have had time to come: evaluations count the day from then on. */
  matureAt: z.string(),
  /** Labelled requests that both gave a score for. */
  rows: z.number().int(),
  /** Whether it has labels enough to count. */
  isWhole: z.boolean(),
  /** Over the newest whole days up to this one, as many as the monitor's window. */
  window: FixedBeside.nullable(),
});
export type FixedDay = z.infer<typeof FixedDay>;

export const FixedHistory = z.object({
  monitor: z.string(),
  model: z.string(),
  version: z.number().int(),
  metric: z.string(),
  windowDays: z.number().int(),
  from: z.string(),
  until: z.string(),
  /** Requests of this day and later have not had time for their labels; null without a label. */
  matureUntil: z.string().nullable(),
  /** Days that have not been scored yet: each reply scores some of them, newest first. */
  waiting: z.number().int(),
  /** Requests of scored days that are not compared. */
  leftOut: z.object({
    unlabelled: z.number().int(),
    /** Their vector follows another definition than the version was trained on. */
    otherDefinition: z.number().int(),
    /** One of both gave no usable score. */
    unscored: z.number().int(),
  }),
  /** Over all whole days; null while days wait, and with fewer than two. */
  whole: FixedBeside.nullable(),
  days: z.array(FixedDay),
});
export type FixedHistory = z.infer<typeof FixedHistory>;

export const fixedHistory = route({
  id: 'monitors.fixed',
  method: 'GET',
  path: '/api/v1/monitors/:monitor/fixed',
  summary:
    'What quality would have been had one version stayed: it is scored offline on the requests ' +
    'that whatever version answered, day by day',
  params: z.object({ monitor: EndpointName }),
  query: z.object({
    version: z.coerce.number().int().min(1),
    /** Default: some weeks before `until`. */
    from: InstantText.optional(),
    /** Default: now. */
    until: InstantText.optional(),
  }),
  reply: FixedHistory,
});
