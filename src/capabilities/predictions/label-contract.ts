import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from './endpoint-contract.ts';

/** The table whose rows say what came of an endpoint's requests, and how far it is joined. */
export const LabelSource = z.object({
  label: z.string(),
  /** `<namespace>.<table>`. */
  table: z.string(),
  /** Seconds after which a request without a label has none. */
  matureSeconds: z.number(),
  /** Version of the table that is joined; null before the first time. */
  version: z.number().int().nullable(),
  /** Rows read, and those that gave a request its first label, or another one. */
  rows: z.number().int(),
  matched: z.number().int(),
  corrected: z.number().int(),
  /** Rows that match no request: counted, and no error. */
  orphans: z.number().int(),
  /** When the newest of its events occurred. */
  newestAt: z.string().nullable(),
  /** Why it is not joined further; null when all is well. */
  error: z.string().nullable(),
});
export type LabelSource = z.infer<typeof LabelSource>;

export const LabelStates = z.object({
  endpoint: z.string(),
  from: z.string(),
  until: z.string(),
  at: z.string(),
  /** Null for an endpoint without a declared label. */
  source: LabelSource.nullable(),
  /** Answered without an error; the others have no outcome to wait for. */
  requests: z.number().int(),
  failed: z.number().int(),
  /** With a label that had occurred by `at`. */
  matched: z.number().int(),
  /** Without one, and its label may still come. */
  pending: z.number().int(),
  /** Without one after the time to mature. */
  expired: z.number().int(),
  /** Requests older than the time to mature; with `coverage` the share of them that is matched. */
  mature: z.number().int(),
  coverage: z.number().nullable(),
  /** Share of the mature requests whose first label had occurred within some time of the answer. */
  delays: z.array(z.object({ seconds: z.number(), share: z.number() })),
});
export type LabelStates = z.infer<typeof LabelStates>;

export const getLabelStates = route({
  id: 'labels.states',
  method: 'GET',
  path: '/api/v1/endpoints/:endpoint/labels/states',
  summary:
    'What became of the labels of requests answered in a time (default: the last seven days): ' +
    'matched, pending, expired, how late they come, and the source they come from',
  params: z.object({ endpoint: EndpointName }),
  query: z.object({
    from: InstantText.optional(),
    until: InstantText.optional(),
    /** Only labels that had occurred by then; default: now. */
    at: InstantText.optional(),
    /** Only what this version of the endpoint's model answered. */
    version: z.coerce.number().int().min(1).optional(),
  }),
  reply: LabelStates,
});

export const catchUpLabels = route({
  id: 'labels.catchUp',
  method: 'POST',
  path: '/api/v1/labels/catch-up',
  summary:
    'Join what was appended to declared label sources by now; it follows by itself in seconds',
  reply: z.object({ sources: z.array(LabelSource.extend({ endpoint: z.string() })) }),
});
