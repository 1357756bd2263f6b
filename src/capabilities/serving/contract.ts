import { z } from 'zod';
import { InstantText } from '../../base/instant.ts';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';
import { EndpointName, Label, Prediction } from '../predictions/contract.ts';
import { ModelName, ModelVersion, Signature } from '../registry/contract.ts';

/** Weights are over this many buckets of a salted hash of the sticky key. */
export const BUCKETS = 10_000;
export const ARMS_MAX = 8;

/** The name of a feature service. */
const ServiceName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,62}$/,
    'lowercase letters, digits and _, starting with a letter, at most 63',
  );

/** What was looked at before a version took traffic, and what was found. */
export const DeploymentCheck = z.object({
  name: z.enum(['definition', 'signature', 'golden', 'consistency']),
  version: z.number().int(),
  /** `not_done`: there was nothing to look at, and the summary says what is missing. */
  result: z.enum(['passed', 'refused', 'not_done']),
  summary: z.string(),
  numbers: z.record(z.string(), z.number()),
});
export type DeploymentCheck = z.infer<typeof DeploymentCheck>;

/** A share of an endpoint's traffic, served by one model version. */
export const Arm = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  model: ModelName,
  version: z.number().int().min(1),
  digest: z.string(),
  /** Buckets of 10,000 that go to this arm. */
  weight: z.number().int().min(0).max(BUCKETS),
});
export type Arm = z.infer<typeof Arm>;

/** An immutable routing table of an endpoint; a change publishes the next one. */
export const RouteRevision = z.object({
  id: z.string(),
  endpoint: EndpointName,
  revision: z.number().int().min(1),
  arms: z.array(Arm),
  salt: z.string(),
  actor: z.string(),
  reason: z.string(),
  /** The revision whose arms this one restores, when it is a rollback. */
  restores: z.number().int().nullable(),
  /** Published by a drill: there, or back. */
  isDrill: z.boolean(),
  /** What is joined to requests: the service and its definition's hash. */
  features: z.object({ service: z.string(), definition: z.string() }).nullable(),
  /** What its versions were checked for; nothing for endpoints without a service. */
  evidence: z.array(DeploymentCheck),
  /** Domain and machine time of publication. */
  now: z.string(),
  wall: z.string(),
  /** SHA-256 over this revision's content and the former revision's hash. */
  hash: z.string(),
});
export type RouteRevision = z.infer<typeof RouteRevision>;

export const Durability = z.enum(['async', 'sync']);

/** Half of a surrogate pair is stored as another character, and the hash would not hold. */
function isText(value: string): boolean {
  return value.isWellFormed();
}
const Reason = z.string().max(2000).refine(isText, 'not valid Unicode');
const ParameterName = z.string().min(1).max(128).refine(isText, 'not valid Unicode');

/** A number of minutes, hours or days: `30m`, `12h`, `2d`. */
const Span = z.string().regex(/^[1-9]\d{0,5}[mhd]$/, 'a span of time such as 30m, 12h or 2d');

export const Rollout = z.strictObject({
  strategy: z.enum(['blue-green']),
  /** What a new version has to stand before the former one is given up; a loop acts on it. */
  guard: z
    .strictObject({ requests: z.number().int().min(1), for: Span })
    .nullable()
    .default(null),
});
export type Rollout = z.infer<typeof Rollout>;

export const EndpointSpec = z.strictObject({
  /** It may have no version yet; nothing can be deployed before it has one. */
  model: ModelName,
  /**
   * The feature service whose inputs requests bring; null: they bring the model's own tensors. A
   * change takes effect with the next deployment.
   */
  service: ServiceName.nullable().default(null),
  /** Request parameter that carries the business key, for labels and traces. */
  key: ParameterName.nullable().default(null),
  /**
   * Request parameter whose value keeps a caller on one arm; default: the key, then the request id.
   */
  sticky: ParameterName.nullable().default(null),
  /**
   * `async`: durable against kill -9 before the answer, against power loss within 50 ms. `sync`:
   * both before.
   */
  durability: Durability.default('async'),
  rollout: Rollout.nullable().default(null),
});
export type EndpointSpec = z.infer<typeof EndpointSpec>;

export const Endpoint = EndpointSpec.extend({
  name: EndpointName,
  createdAt: z.string(),
  /** Null until something is deployed. */
  route: RouteRevision.nullable(),
  signature: Signature.nullable(),
  /** Versions held warm: those routed to, and the former ones a rollback would return to. */
  warm: z.array(
    z.object({
      version: z.number().int(),
      placement: z.enum(['main', 'worker']),
      runP99Us: z.number(),
      loadMs: z.number(),
    }),
  ),
});
export type Endpoint = z.infer<typeof Endpoint>;

const EndpointParams = z.object({ endpoint: EndpointName });

export const listEndpoints = route({
  id: 'endpoints.list',
  method: 'GET',
  path: '/api/v1/endpoints',
  summary: 'List endpoints with their current route',
  query: PageQuery,
  reply: pageOf(Endpoint),
});

export const putEndpoint = route({
  id: 'endpoints.put',
  method: 'PUT',
  path: '/api/v1/endpoints/:endpoint',
  summary: 'Create an endpoint, or change what it joins, its keys, durability or rollout',
  params: EndpointParams,
  body: EndpointSpec,
  reply: Endpoint,
});

export const getEndpoint = route({
  id: 'endpoints.get',
  method: 'GET',
  path: '/api/v1/endpoints/:endpoint',
  summary: 'One endpoint',
  params: EndpointParams,
  reply: Endpoint,
});

export const deploy = route({
  id: 'endpoints.deploy',
  method: 'POST',
  path: '/api/v1/endpoints/:endpoint/deploy',
  summary: 'Blue/green: check, load and warm a version, then send it all traffic',
  params: EndpointParams,
  body: z.strictObject({
    version: z.number().int().min(1),
    /** Refuses with INVALID_INPUT unless the endpoint serves this model. */
    model: ModelName.optional(),
    reason: Reason.default(''),
    /** Refuses with STALE_REVISION unless this is the current revision. */
    ifRevision: z.number().int().min(0).optional(),
  }),
  reply: RouteRevision,
});

export const split = route({
  id: 'endpoints.split',
  method: 'POST',
  path: '/api/v1/endpoints/:endpoint/split',
  summary: 'Share the traffic between versions, in order of the arms (a canary comes last)',
  params: EndpointParams,
  body: z.strictObject({
    arms: z
      .array(Arm.pick({ name: true, version: true, weight: true }))
      .min(1)
      .max(ARMS_MAX),
    reason: Reason.default(''),
    ifRevision: z.number().int().min(0).optional(),
  }),
  reply: RouteRevision,
});

export const rollback = route({
  id: 'endpoints.rollback',
  method: 'POST',
  path: '/api/v1/endpoints/:endpoint/rollback',
  summary: 'Publish the arms of a former revision (default: the one before the current) again',
  params: EndpointParams,
  body: z.strictObject({
    reason: Reason.min(1),
    to: z.number().int().min(1).optional(),
    ifRevision: z.number().int().min(0).optional(),
  }),
  reply: RouteRevision,
});

/** A rollback as an exercise, and the way back. */
export const Drill = z.object({ there: RouteRevision, back: RouteRevision });
export type Drill = z.infer<typeof Drill>;

export const drillRollback = route({
  id: 'endpoints.drill',
  method: 'POST',
  path: '/api/v1/endpoints/:endpoint/drill',
  summary: 'Roll back to the former revision and return at once, recorded as a drill',
  params: EndpointParams,
  body: z.strictObject({
    reason: Reason.default(''),
    ifRevision: z.number().int().min(0).optional(),
  }),
  reply: Drill,
});

export const listRevisions = route({
  id: 'endpoints.revisions',
  method: 'GET',
  path: '/api/v1/endpoints/:endpoint/revisions',
  summary: 'Route revisions, newest first; `chainIntact` tells whether every hash holds',
  params: EndpointParams,
  query: PageQuery,
  reply: pageOf(RouteRevision).extend({ chainIntact: z.boolean() }),
});

/** Requests shown on each side of a moment. */
export const NEAR_MAX = 50;

/** Which version answered at a moment of the past, or the current one; times are domain time. */
export const WhoServed = z.object({
  endpoint: EndpointName,
  at: z.string(),
  /** What was routed then; null while nothing was deployed. */
  revision: RouteRevision.nullable(),
  /** When the next revision took over; null while it is the current one. */
  until: z.string().nullable(),
  /** The buckets of each arm: from the first to before the last. */
  ranges: z.array(
    z.object({ arm: z.string(), version: z.number().int(), from: z.number(), below: z.number() }),
  ),
  /** The request parameter whose value chose the arm; `request_id` where none was declared. */
  stickyBy: z.string(),
  /** What was asked about: a parameter and its value. */
  key: z.object({ name: z.string(), value: z.string() }).nullable(),
  /** Certain; requests that named a version themselves aside. */
  answer: z
    .object({
      arm: z.string(),
      model: ModelName,
      version: z.number().int(),
      /** Of the key; null when one arm had all traffic and no key was needed. */
      bucket: z.number().int().nullable(),
    })
    .nullable(),
  /** Why there is no answer. */
  undecided: z.string().nullable(),
  /** Answered within a day of the moment, the nearest, oldest first; of the key, if given. */
  requests: z.array(
    Prediction.pick({
      requestId: true,
      now: true,
      wall: true,
      key: true,
      routeRevision: true,
      arm: true,
      reason: true,
      bucket: true,
      model: true,
      modelVersion: true,
      status: true,
      errorCode: true,
    }),
  ),
});
export type WhoServed = z.infer<typeof WhoServed>;

/** `origin=ORD`: the value may hold anything, further `=` too. */
const KeyText = z
  .string()
  .max(1000)
  .regex(/^[^=]+=[^]*$/, 'NAME=VALUE, such as origin=ORD');

export const whoServed = route({
  id: 'endpoints.whoServed',
  method: 'GET',
  path: '/api/v1/endpoints/:endpoint/who-served',
  summary: 'Which version answered at a moment: the revision then, its arm for a key, requests',
  params: EndpointParams,
  query: z.object({
    /** Domain time; default: now. */
    at: InstantText.optional(),
    key: KeyText.optional(),
    /** Requests shown before the moment, and after it. */
    limit: z.coerce.number().int().min(0).max(NEAR_MAX).default(5),
  }),
  reply: WhoServed,
});

/** One feature of an answered row, as it was served and as it comes out today. */
const TracedValue = z.object({
  name: z.string(),
  served: z.number().nullable(),
  /** By the offline path; absent when nothing was recomputed. */
  recomputed: z.number().nullable().optional(),
  /** Whether both agree; null when nothing was recomputed. */
  isSame: z.boolean().nullable(),
});

export const TracedFeatures = z.object({
  service: z.string(),
  definition: z.string(),
  /** The rows of the request, or nothing when they were too long to log. */
  rows: z.array(
    z.object({
      entity: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      values: z.array(TracedValue),
    }),
  ),
  /** Why nothing could be recomputed; null when everything was. */
  notRecomputed: z.string().nullable(),
});
export type TracedFeatures = z.infer<typeof TracedFeatures>;

/** What the answering version was made of, as its run pinned it. */
export const TracedOrigin = z.object({
  run: z.string(),
  codeTree: z.string().nullable(),
  codeCommit: z.string().nullable(),
  environment: z.string().nullable(),
  command: z.string().nullable(),
  definition: z.string().nullable(),
  trainingSet: z.object({ name: z.string(), version: z.number().int() }).nullable(),
  tables: z.array(z.object({ table: z.string(), version: z.number().int() })),
});
export type TracedOrigin = z.infer<typeof TracedOrigin>;

/** One request, the whole chain. */
export const Trace = z.object({
  prediction: Prediction,
  route: RouteRevision.nullable(),
  model: ModelVersion.nullable(),
  labels: z.array(Label),
  /** Why there may be more labels than these; null when these are all. */
  labelsMissing: z.string().nullable(),
  /** Null when the request brought the model's own tensors. */
  features: TracedFeatures.nullable(),
  /** Null for a version that no run made. */
  origin: TracedOrigin.nullable(),
});
export type Trace = z.infer<typeof Trace>;

export const traceRequest = route({
  id: 'trace',
  method: 'GET',
  path: '/api/v1/trace/:requestId',
  summary:
    'Explain one answered request: version, route, features recomputed beside served, run, labels',
  params: z.object({ requestId: z.string().min(1).max(128) }),
  reply: Trace,
});
