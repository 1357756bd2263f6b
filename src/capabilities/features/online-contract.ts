import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';

/** How long one request waits for a table's rows to become visible; a client asks again. */
export const WATERMARK_WAIT_MS_MAX = 30_000;
/** Logged vectors that one check recomputes; of more the newest are taken, as the report says. */
export const VERIFY_ROWS_MAX = 500_000;
/** Differences that a report shows as examples. */
export const VERIFY_EXAMPLES = 20;

const ServiceName = z.string().min(1).max(200);

export const FeatureWatermark = z.object({
  /** `<namespace>.<table>` */
  table: z.string(),
  /** Version of the table that the online store shows; null before the first. */
  version: z.number().int().nullable(),
  /** Views of the table that are read, and those still being built. */
  views: z.array(z.string()),
  building: z.array(z.string()),
  /** What keeps the table back, for a person; null when nothing does. */
  error: z.string().nullable(),
});
export type FeatureWatermark = z.infer<typeof FeatureWatermark>;

export const getWatermarks = route({
  id: 'features.watermarks',
  method: 'GET',
  path: '/api/v1/features/watermarks',
  summary: 'How far online features are: version of each source table they show',
  query: z.object({
    /** `<namespace>.<table>@<version>`: answers when the table is shown at least so far. */
    wait: z
      .string()
      .regex(/^[a-z0-9_]+\.[a-z0-9_]+@\d{1,15}$/, 'namespace.table@version')
      .optional(),
    /** ... or when this is over. */
    waitMs: z.coerce
      .number()
      .int()
      .min(0)
      .max(WATERMARK_WAIT_MS_MAX)
      .default(WATERMARK_WAIT_MS_MAX),
  }),
  reply: z.object({
    items: z.array(FeatureWatermark),
    /** False when the wait ended before the version was reached; true when none was asked for. */
    reached: z.boolean(),
  }),
});

export const FeatureValue = z.object({
  name: z.string(),
  value: z.number().nullable(),
  /** Seconds from the newest event of the feature's key to T; null when it has none. */
  ageSeconds: z.number().nullable(),
});
export type FeatureValue = z.infer<typeof FeatureValue>;

export const FeatureVectorReply = z.object({
  service: z.string(),
  definition: z.string(),
  /** T: windows end just before it. */
  at: z.string(),
  features: z.array(FeatureValue),
  /** Version of each source table that the values saw. */
  watermarks: z.record(z.string(), z.number().int()),
});
export type FeatureVectorReply = z.infer<typeof FeatureVectorReply>;

export const getFeatures = route({
  id: 'features.get',
  method: 'POST',
  path: '/api/v1/features/get',
  access: ['read', 'infer'],
  summary: 'The vector of a feature service, now or as of a time past',
  body: z.strictObject({
    service: ServiceName,
    /** By name; a number or boolean may be given as text, as a command line has it. */
    inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    at: InstantText.optional(),
  }),
  reply: FeatureVectorReply,
});

export const rebuildFeatures = route({
  id: 'features.rebuild',
  method: 'POST',
  path: '/api/v1/features/rebuild',
  summary: 'Build the online features anew from the tables, reading the old ones meanwhile',
  reply: z.object({ views: z.number().int() }),
  status: 202,
});

export const VerifiedFeature = z.object({
  name: z.string(),
  /** Vectors whose logged value was compared with the one recomputed from what was known then. */
  compared: z.number().int(),
  match: z.number().int(),
  bothNull: z.number().int(),
  /** Same events, same definition, another value: never right. */
  logic: z.number().int(),
  /** Values that events which came later would have changed. */
  freshness: z.number().int(),
  /** Vectors of another definition whose value the present one does not give. */
  definition: z.number().int(),
  /** The largest difference among `logic`; null when there is none between two numbers. */
  maxDifference: z.number().nullable(),
});
export type VerifiedFeature = z.infer<typeof VerifiedFeature>;

export const VerifyExample = z.object({
  kind: z.enum(['logic', 'freshness', 'definition']),
  requestId: z.string(),
  endpoint: z.string(),
  at: z.string(),
  feature: z.string(),
  logged: z.number().nullable(),
  recomputed: z.number().nullable(),
});
export type VerifyExample = z.infer<typeof VerifyExample>;

export const VerifyReport = z.object({
  service: z.string(),
  definition: z.string(),
  from: z.string(),
  until: z.string(),
  /** Logged vectors of the service in the range. */
  rows: z.number().int(),
  /** Vectors that could not be recomputed, such as those of a definition nobody kept. */
  skipped: z.number().int(),
  /** True when there were more than one check takes: then these are the newest. */
  isPartial: z.boolean(),
  /** Whether vectors were compared and nothing differs that must not: no `logic`, none skipped. */
  isConsistent: z.boolean(),
  /** Of all features together. */
  logicMismatches: z.number().int(),
  freshnessGaps: z.number().int(),
  definitionMismatches: z.number().int(),
  features: z.array(VerifiedFeature),
  examples: z.array(VerifyExample),
});
export type VerifyReport = z.infer<typeof VerifyReport>;

export const verifyService = route({
  id: 'features.verify',
  method: 'POST',
  path: '/api/v1/features/verify',
  access: 'read',
  summary: 'Recompute logged feature vectors from the tables and compare',
  body: z.strictObject({
    service: ServiceName,
    /** T of the vectors, half-open; everything logged unless given. */
    from: InstantText.optional(),
    until: InstantText.optional(),
    /** The last so many seconds before `until`; instead of `from`. */
    lastSeconds: z.number().int().min(1).optional(),
    /** Only what this endpoint answered. */
    endpoint: z.string().min(1).max(200).optional(),
  }),
  reply: VerifyReport,
});
