import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';
import { EndpointName } from './endpoint-contract.ts';

export { EndpointName };
export { catchUpLabels, getLabelStates, LabelSource, LabelStates } from './label-contract.ts';
export { getTrafficHistory, PastTraffic, TrafficHistory } from './traffic-contract.ts';

/** Not `.` or `..`: no URL can carry those as one part of its path. */
export const RequestId = z
  .string()
  .regex(/^(?!\.{1,2}$)[\x21-\x7e]{1,128}$/, 'printable ASCII, at most 128');

/**
 * Bodies longer than this are left out of the log, and the record says so: a log is no file store.
 */
export const LOGGED_BODY_CHARS_MAX = 256 * 1024;

/** How the arm of a request was chosen. */
export const RoutingReason = z.enum(['weight', 'sticky', 'pinned']);
export type RoutingReason = z.infer<typeof RoutingReason>;

/**
 * What a request's features were computed from and to; the documents are JSON text. `entity` is one
 * object of inputs by name and `features` one array in the order of the service, or for a batch an
 * array of them.
 */
export interface AnsweredFeatures {
  readonly service: string;
  /** The definition's hash. */
  readonly definition: string;
  readonly entity: string;
  readonly features: string;
  /** The newest table version that the values saw, by `<namespace>.<table>`. */
  readonly watermark: string;
}

/** What a request's features were computed from and to, all at its `now`. */
export const PredictionFeatures = z.object({
  service: z.string(),
  /** Hash of the definition that the values follow. */
  definition: z.string(),
  /** Inputs by name; for a batch of several rows an array of them. Null when too long to log. */
  entity: z.unknown(),
  /** Values in the order of the service, null for missing; for a batch an array of them. */
  features: z.unknown(),
  /** The newest version of each source table that the values saw, by `<namespace>.<table>`. */
  watermark: z.unknown(),
});
export type PredictionFeatures = z.infer<typeof PredictionFeatures>;

/** One answered request, as `trace` and the table `predictions.<endpoint>` know it. */
export const Prediction = z.object({
  requestId: z.string(),
  endpoint: z.string(),
  /** Domain time and machine time of arrival, RFC 3339. */
  now: z.string(),
  wall: z.string(),
  /** The endpoint's declared business key, when it has one. */
  key: z.string().nullable(),
  routeRevision: z.number().int(),
  arm: z.string(),
  reason: RoutingReason,
  bucket: z.number().int().nullable(),
  model: z.string(),
  modelVersion: z.number().int(),
  digest: z.string(),
  runtime: z.string(),
  status: z.number().int(),
  errorCode: z.string().nullable(),
  queueUs: z.number().int(),
  inferenceUs: z.number().int(),
  totalUs: z.number().int(),
  inputs: z.unknown(),
  outputs: z.unknown(),
  /** True when inputs and outputs were too long to log. */
  truncated: z.boolean(),
  /** Null when the request brought the model's own tensors. */
  features: PredictionFeatures.nullable(),
  client: z.string().nullable(),
  traceId: z.string().nullable(),
  /**
   * Where it was read from: not flushed yet, the Delta table, or the table of what that refused.
   */
  source: z.enum(['journal', 'table', 'quarantine']),
  /** Why its table refused it; what did not fit its field is shown as near to it as it goes. */
  refused: z.string().optional(),
});
export type Prediction = z.infer<typeof Prediction>;

/** They are parsed and checked in one go, a thousand in about 3 ms; more are sent as several. */
export const LABEL_BATCH_MAX = 1000;

/**
 * Records of a list's page together, as they are logged: they are read, checked and written again
 * on the main thread, at about 10 ms a megabyte.
 */
export const LIST_CHARS_MAX = 256 * 1024;

/** A known outcome of one request, addressed by its id or by the endpoint's business key. */
export const LabelInput = z.strictObject({
  endpoint: EndpointName,
  requestId: RequestId.optional(),
  key: z.string().min(1).max(512).optional(),
  value: z.union([z.number(), z.string().max(1000), z.boolean()]),
  /** When the outcome happened; default: domain now. */
  at: InstantText.optional(),
});
export type LabelInput = z.infer<typeof LabelInput>;

export const Label = z.object({
  requestId: z.string(),
  value: z.union([z.number(), z.string(), z.boolean()]),
  at: z.string(),
  /** 1 for the first label of a request; corrections count up and the latest wins. */
  revision: z.number().int(),
});
export type Label = z.infer<typeof Label>;

export const postLabels = route({
  id: 'labels.post',
  method: 'POST',
  path: '/api/v1/labels',
  summary: 'Attach outcomes to answered requests, by request id or business key',
  body: z.strictObject({ labels: z.array(LabelInput).min(1).max(LABEL_BATCH_MAX) }),
  reply: z.object({ accepted: z.number().int() }),
});

export const listPredictions = route({
  id: 'predictions.list',
  method: 'GET',
  path: '/api/v1/endpoints/:endpoint/predictions',
  summary:
    'Answered requests of an endpoint, newest first, or those of a time; a page of long records ' +
    'has fewer than asked for, and a cursor',
  params: z.object({ endpoint: EndpointName }),
  query: PageQuery.extend({
    /** Answered at or after, and before, these; domain time. */
    from: InstantText.optional(),
    until: InstantText.optional(),
    /** Only those that this version of the model answered. */
    version: z.coerce.number().int().min(1).optional(),
    /** Only those answered with an error, or only those without. */
    failed: z.stringbool().optional(),
  }),
  reply: pageOf(Prediction),
});

/** Requests of one second of domain time, by model version: what the traffic charts draw. */
export const TrafficPoint = z.object({
  now: z.string(),
  endpoint: z.string(),
  modelVersion: z.number().int(),
  requests: z.number().int(),
  errors: z.number().int(),
  p50Us: z.number().int(),
  p99Us: z.number().int(),
});
export type TrafficPoint = z.infer<typeof TrafficPoint>;

export const getTraffic = route({
  id: 'predictions.traffic',
  method: 'GET',
  path: '/api/v1/traffic',
  summary: 'Requests per second of the last ten minutes, by endpoint and model version',
  query: z.object({ endpoint: EndpointName.optional() }),
  reply: z.object({ points: z.array(TrafficPoint) }),
});

export const getLogStatus = route({
  id: 'predictions.log',
  method: 'GET',
  path: '/api/v1/predictions/log',
  summary: 'The prediction log: answered, logged and flushed counts since start',
  reply: z.object({
    answered: z.number().int(),
    journaled: z.number().int(),
    flushed: z.number().int(),
    /** Records that their tables refused, kept in `quarantine.<endpoint>`. */
    quarantined: z.number().int(),
    /** Requests and labels turned away because the journal is full. */
    refused: z.number().int(),
    /** In the journal and not in a table yet; at `unflushedBytesMax` requests are refused. */
    unflushedBytes: z.number().int(),
    unflushedBytesMax: z.number().int(),
    segments: z.number().int(),
    room: z.enum(['roomy', 'filling', 'full']),
    lastFlushAt: z.string().nullable(),
    lastFlushError: z.string().nullable(),
  }),
});
