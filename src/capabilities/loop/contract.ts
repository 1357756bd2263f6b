import { z } from 'zod';
import { PageQuery, pageOf } from '../../base/page.ts';
import { InstantText } from '../../base/instant.ts';
import { route } from '../../base/route.ts';

export const LoopName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,62}$/,
    'lowercase letters, digits and _, starting with a letter, at most 63',
  );

/** A number of minutes, hours or days: `30m`, `12h`, `2d`. */
const Span = z.string().regex(/^[1-9]\d{0,5}[mhd]$/, 'a span of time such as 30m, 12h or 2d');
const Days = z.string().regex(/^[1-9]\d?d$/, 'whole days such as 3d, at most 99');

const Trigger = z.union([
  z.enum(['quality', 'drift']),
  z.strictObject({ age: Span }),
  z.strictObject({ new_rows: z.number().int().min(1) }),
]);
/** One of each kind. */
const TRIGGERS_MAX = 4;

/** How much a loop does by itself. */
export const Autonomy = z.enum(['observe', 'recommend', 'train', 'full']);
export type Autonomy = z.infer<typeof Autonomy>;

export const GateMetric = z.enum(['log_loss', 'auc']);
export type GateMetric = z.infer<typeof GateMetric>;

/** The section `loops` of `millwright.yaml`, by the loop's name. */
export const LoopSpec = z.strictObject({
  /** The endpoint it keeps good, and the name of its monitor; default: the loop's own name. */
  endpoint: LoopName.optional(),
  /** The stage of `dvc.yaml` that makes a new version. */
  pipeline: z.string().min(1).max(500),
  /** Folder of that `dvc.yaml`, from the one the state folder is in; default: that one. */
  folder: z.string().min(1).max(4096).optional(),
  triggers: z.array(Trigger).min(1).max(TRIGGERS_MAX),
  /** The newest matured days, kept from training for the gate. */
  holdout: Days.default('3d'),
  gate: z
    .strictObject({
      metric: GateMetric.default('log_loss'),
      require: z.literal('lower_bound > 0').default('lower_bound > 0'),
      blocks: z.literal('day').default('day'),
      /** Of the one-sided bound. */
      level: z.number().gt(0.5).lt(1).default(0.95),
    })
    .prefault({}),
  /** After a promotion; after failures in a row it doubles each time, up to four times as long. */
  cooldown: Span.default('7d'),
  /** Requests with matured labels since the champion took traffic. */
  min_rows: z.number().int().min(1).default(1000),
  budget: z
    .strictObject({ retrains: z.number().int().min(1), per: Span })
    .default({ retrains: 8, per: '30d' }),
  autonomy: Autonomy.default('recommend'),
  /** How far a replay clock moves for a training. */
  training_takes: Span.default('2h'),
  /** Records an exclusion while a monitor finds that an input changed its unit. */
  exclude_unit_changes: z.boolean().default(true),
});
export type LoopSpec = z.infer<typeof LoopSpec>;

export const CauseKind = z.enum(['quality', 'drift', 'age', 'new_rows', 'manual']);
export type CauseKind = z.infer<typeof CauseKind>;

/** Why somebody or something wants a new version. */
export const Cause = z.object({
  kind: CauseKind,
  /** In words, with its numbers. */
  says: z.string(),
  at: z.string(),
});
export type Cause = z.infer<typeof Cause>;

export const INSTANCE_STATES = [
  'training',
  'evaluating',
  'held',
  'rolling_out',
  'guarding',
  'promoted',
  'rolled_back',
  'rejected',
  'failed',
  'superseded',
] as const;
export const InstanceState = z.enum(INSTANCE_STATES);
export type InstanceState = z.infer<typeof InstanceState>;

export const DecisionKind = z.enum([
  'admitted',
  'suppressed',
  'joined',
  'challenged',
  'trained',
  'failed',
  'gate_passed',
  'rejected',
  'overridden',
  'held',
  'approved',
  'deployed',
  'promoted',
  'rolled_back',
  'superseded',
  'stopped',
  'resumed',
  'excluded',
  'exclusion_ended',
]);
export type DecisionKind = z.infer<typeof DecisionKind>;

/** What a loop decided, why, from what, and under which policy. Never changed. */
export const Decision = z.object({
  /** Rises in the order of the decisions. */
  id: z.number().int(),
  loop: LoopName,
  /** The instance it belongs to; null for one that began none. */
  instance: z.string().nullable(),
  /** Domain time, and the machine's. */
  at: z.string(),
  wall: z.string(),
  kind: DecisionKind,
  actor: z.string(),
  /** A sentence for a person. */
  reason: z.string(),
  /** The numbers it rests on. */
  inputs: z.record(z.string(), z.unknown()),
  /** Hash of the loop's declaration and of the rules that read it. */
  policy: z.string(),
});
export type Decision = z.infer<typeof Decision>;

/** One way from a trigger to a promotion, or to wherever it ended. */
export const Instance = z.object({
  id: z.string(),
  loop: LoopName,
  state: InstanceState,
  causes: z.array(Cause),
  actor: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  model: z.string(),
  champion: z.number().int(),
  challenger: z.number().int().nullable(),
  pipeline: z.string().nullable(),
  pipelineRun: z.string().nullable(),
  /** The days the gate judges on; training sees nothing from their start on. */
  evaluation: z.object({ from: z.string(), until: z.string() }),
  /** When the challenger took the traffic. */
  deployedAt: z.string().nullable(),
  /** What the guard waits for, as of its last look. */
  waitsFor: z.string().nullable(),
  /** When it is looked at next, at the earliest; null once it is over. */
  nextLook: z.string().nullable(),
});
export type Instance = z.infer<typeof Instance>;

export const Loop = z.object({
  name: LoopName,
  endpoint: z.string(),
  spec: LoopSpec,
  policy: z.string(),
  /** Null while it runs; `until` set for a freeze that ends by itself. */
  stopped: z
    .object({
      by: z.string(),
      reason: z.string(),
      since: z.string(),
      until: z.string().nullable(),
    })
    .nullable(),
  champion: z
    .object({ model: z.string(), version: z.number().int(), since: z.string() })
    .nullable(),
  /** The instance under way. */
  instance: Instance.nullable(),
  cooldownUntil: z.string().nullable(),
  retrains: z.object({ used: z.number().int(), of: z.number().int(), per: z.string() }),
  /** Its own instances in a row without a promotion; at `of` a person has to look first. */
  breaker: z.object({ failures: z.number().int(), of: z.number().int() }),
  lastDecision: Decision.nullable(),
});
export type Loop = z.infer<typeof Loop>;

const LoopParams = z.object({ loop: LoopName });
const Reason = z.string().min(1).max(2000);

export const listLoops = route({
  id: 'loops.list',
  method: 'GET',
  path: '/api/v1/loops',
  summary: 'List loops with what they do now',
  query: PageQuery,
  reply: pageOf(Loop),
});

export const getLoop = route({
  id: 'loops.get',
  method: 'GET',
  path: '/api/v1/loops/:loop',
  summary: 'One loop',
  params: LoopParams,
  reply: Loop,
});

export const listDecisions = route({
  id: 'loops.decisions',
  method: 'GET',
  path: '/api/v1/loops/:loop/decisions',
  summary: 'Decisions of a loop, newest first',
  params: LoopParams,
  query: PageQuery.extend({
    /** Only those of one instance. */
    instance: z.string().max(100).optional(),
  }),
  reply: pageOf(Decision),
});

export const getDecision = route({
  id: 'loops.decision',
  method: 'GET',
  path: '/api/v1/loops/:loop/decisions/:decision',
  summary: 'One decision with the numbers it rests on',
  params: LoopParams.extend({ decision: z.coerce.number().int().min(1) }),
  reply: Decision,
});

export const listInstances = route({
  id: 'loops.instances',
  method: 'GET',
  path: '/api/v1/loops/:loop/instances',
  summary: 'Instances of a loop, newest first',
  params: LoopParams,
  query: PageQuery,
  reply: pageOf(Instance),
});

/** What keeps a loop from acting, or what it waits for; and what it would do if asked now. */
export const Why = z.object({
  loop: LoopName,
  at: z.string(),
  /** In order of importance, for a person. */
  sentences: z.array(z.string()),
});
export type Why = z.infer<typeof Why>;

export const whyLoop = route({
  id: 'loops.why',
  method: 'GET',
  path: '/api/v1/loops/:loop/why',
  summary: 'Why a loop did what it did last, and why it does nothing now',
  params: LoopParams,
  reply: Why,
});

/** Requests, and those of them that failed. */
const Answered = z.object({ requests: z.number().int(), errors: z.number().int() });

/** How far the guard of a rollout is. */
export const GuardProgress = z.object({
  instance: z.string(),
  /** Domain time that it is told of. */
  at: z.string(),
  deployedAt: z.string(),
  model: z.string(),
  champion: z.number().int(),
  challenger: z.number().int(),
  /** By the challenger since then; failed ones are `errors`. */
  answered: Answered,
  seconds: z.number(),
  /** Both have to be reached. */
  wants: z.object({ requests: z.number().int(), seconds: z.number() }),
  /** What is not proven by then goes back. */
  givesUpAt: z.string(),
  /** The gate had rejected it: then it has to be at least as good. */
  isOverridden: z.boolean(),
  nextLook: z.string(),
  metric: GateMetric,
  /** The newest look; null before the first. */
  look: z
    .object({
      at: z.string(),
      /** What it waits for, in words. */
      says: z.string(),
      former: Answered,
      /** How much better than the champion, both on the same labelled requests. */
      improvement: z
        .object({
          value: z.number(),
          /** One-sided bounds at `level`. */
          lower: z.number(),
          upper: z.number(),
          level: z.number(),
          rows: z.number().int(),
          days: z.number().int(),
        })
        .nullable(),
      /** The stricter bound below which it goes back before the guard's end. */
      early: z.object({ upper: z.number(), level: z.number() }).nullable(),
    })
    .nullable(),
});
export type GuardProgress = z.infer<typeof GuardProgress>;

export const getGuard = route({
  id: 'loops.guard',
  method: 'GET',
  path: '/api/v1/loops/:loop/guard',
  summary: 'How far the guard of the rollout under way is; null without one',
  params: LoopParams,
  reply: z.object({ guard: GuardProgress.nullable() }),
});

export const triggerLoop = route({
  id: 'loops.trigger',
  method: 'POST',
  path: '/api/v1/loops/:loop/trigger',
  summary: 'Ask for a new version; cooldown, budget and autonomy do not hold a person back',
  params: LoopParams,
  body: z.strictObject({
    reason: Reason,
    /** Another stage than the declared one. */
    pipeline: z.string().min(1).max(500).optional(),
  }),
  reply: Decision,
});

export const challengeLoop = route({
  id: 'loops.challenge',
  method: 'POST',
  path: '/api/v1/loops/:loop/challenge',
  summary: 'Put an existing version before the gate, as one the loop has trained',
  params: LoopParams,
  body: z.strictObject({
    version: z.number().int().min(1),
    reason: Reason.default('put before the gate by hand'),
    /** Rolls the version out even when the gate rejects it; recorded with this reason. */
    override: Reason.optional(),
  }),
  reply: Decision,
});

export const stopLoop = route({
  id: 'loops.stop',
  method: 'POST',
  path: '/api/v1/loops/:loop/stop',
  summary: 'Let a loop begin nothing more; a guard that runs goes on and may roll back',
  params: LoopParams,
  body: z.strictObject({
    reason: Reason,
    /** Ends by itself then; without it, resume ends it. */
    until: InstantText.optional(),
  }),
  reply: Decision,
});

export const resumeLoop = route({
  id: 'loops.resume',
  method: 'POST',
  path: '/api/v1/loops/:loop/resume',
  summary: 'End a stop or freeze; failures so far count no more for breaker and cooldown',
  params: LoopParams,
  body: z.strictObject({ reason: Reason }),
  reply: Decision,
});

export const approveLoop = route({
  id: 'loops.approve',
  method: 'POST',
  path: '/api/v1/loops/:loop/approve',
  summary: 'Let the version that waits for approval take the traffic, or reject it',
  params: LoopParams,
  body: z.strictObject({ reason: Reason, deny: z.boolean().default(false) }),
  reply: Decision,
});
