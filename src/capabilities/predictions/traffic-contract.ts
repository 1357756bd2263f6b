import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from './endpoint-contract.ts';

/** Stretches of one history: a year of days, or two weeks of hours. */
export const TRAFFIC_STRETCHES_MAX = 400;
/** Rows of one history: versions and arms change a few times a month. */
export const TRAFFIC_ROWS_MAX = 5000;

/** What one version answered in one arm during one stretch of domain time. */
export const PastTraffic = z.object({
  /** Where the stretch starts. */
  from: z.string(),
  arm: z.string(),
  modelVersion: z.number().int(),
  requests: z.number().int(),
  errors: z.number().int(),
  /** Of the whole answer, within about one percent of the ranks. */
  p50Us: z.number().int(),
  p99Us: z.number().int(),
});
export type PastTraffic = z.infer<typeof PastTraffic>;

export const TrafficHistory = z.object({
  endpoint: z.string(),
  from: z.string(),
  until: z.string(),
  /** Length of a stretch; days and hours are UTC's. */
  seconds: z.number().int(),
  /** Oldest first; stretches without requests are left out. */
  items: z.array(PastTraffic),
  /** Whether there would be more than `TRAFFIC_ROWS_MAX`; the oldest are left out. */
  isCut: z.boolean(),
});
export type TrafficHistory = z.infer<typeof TrafficHistory>;

export const getTrafficHistory = route({
  id: 'predictions.trafficHistory',
  method: 'GET',
  path: '/api/v1/endpoints/:endpoint/traffic',
  summary:
    'Logged requests of an endpoint by day or hour, arm and version: counts, errors, latencies',
  params: z.object({ endpoint: EndpointName }),
  query: z.object({
    /** Default: 28 stretches before `until`. */
    from: InstantText.optional(),
    /** Default: the end of the running stretch. */
    until: InstantText.optional(),
    every: z.enum(['hour', 'day']).default('day'),
  }),
  reply: TrafficHistory,
});
