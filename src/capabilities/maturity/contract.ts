import { z } from 'zod';
import { PageQuery, pageOf } from '../../base/page.ts';
import { route } from '../../base/route.ts';

/** Levels a model can have; the weakest link decides. */
export const LEVEL_MAX = 3;
/** Domain time that somebody's doing counts for: a drill of last year proves nothing today. */
export const EVIDENCE_DAYS = 90;
/** Things of one kind that a check names; its sentence says how many there are. */
export const EVIDENCE_SHOWN = 10;

const Level = z.number().int().min(0).max(LEVEL_MAX);

/**
 * `unknown` says that nobody has recorded what would tell, or that it was too long ago; it holds
 * the level as `fail` does. `n/a` holds nothing, and the sentence says why it does not apply.
 */
export const CheckState = z.enum(['pass', 'fail', 'unknown', 'n/a']);
export type CheckState = z.infer<typeof CheckState>;

/** `unavailable`: Millwright takes no record of it yet. */
export const Effort = z.enum(['minutes', 'hours', 'days', 'unavailable']);
export type Effort = z.infer<typeof Effort>;

/** Something to look up: `run` and `run_…`, `revision` and `late@12`, `evaluation` and `eval_…`. */
export const Evidence = z.object({ kind: z.string(), id: z.string() });
export type Evidence = z.infer<typeof Evidence>;

export const Fix = z.object({
  /** What would change the state. */
  says: z.string(),
  /** The line that does it or begins it; null when there is none yet. */
  command: z.string().nullable(),
});
export type Fix = z.infer<typeof Fix>;

export const Check = z.object({
  /** A1 to D13, of the levels' own list; tests of the ML Test Score are something else. */
  id: z.string(),
  level: Level,
  /** A bonus never holds a level. */
  need: z.enum(['required', 'bonus']),
  title: z.string(),
  state: CheckState,
  /** A sentence with its numbers. */
  why: z.string(),
  evidence: z.array(Evidence),
  fix: Fix,
  effort: Effort,
});
export type Check = z.infer<typeof Check>;

export const LevelProgress = z.object({
  level: Level,
  /** Required checks that pass or do not apply, of all required ones. */
  passed: z.number().int(),
  required: z.number().int(),
  /** All checks of the level that were seen to pass, of all there are. */
  exercised: z.number().int(),
  checks: z.number().int(),
});
export type LevelProgress = z.infer<typeof LevelProgress>;

export const Maturity = z.object({
  endpoint: z.string(),
  model: z.string(),
  /** The version that most requests go to. */
  version: z.number().int(),
  /** Domain time as of which the facts were read. */
  at: z.string(),
  /** The highest level whose required checks, and those of every lower one, hold. */
  level: Level,
  /** False when a required check of level 0 does not hold either. */
  isSeen: z.boolean(),
  levels: z.array(LevelProgress),
  /** The cheapest required check that holds the next level; null on the highest. */
  next: Check.nullable(),
});
export type Maturity = z.infer<typeof Maturity>;

export const MaturityDetail = Maturity.extend({ checks: z.array(Check) });
export type MaturityDetail = z.infer<typeof MaturityDetail>;

/** A state that became another one, or the level that did. */
export const MaturityChange = z.object({
  /** Rises in the order of the changes. */
  id: z.number().int(),
  at: z.string(),
  wall: z.string(),
  model: z.string(),
  version: z.number().int(),
  /** The check's id, or `level`. */
  subject: z.string(),
  /** Null the first time it was looked at. */
  from: z.string().nullable(),
  to: z.string(),
  why: z.string(),
  evidence: z.array(Evidence),
});
export type MaturityChange = z.infer<typeof MaturityChange>;

const EndpointParams = z.object({ endpoint: z.string().min(1).max(128) });

export const listMaturity = route({
  id: 'maturity.list',
  method: 'GET',
  path: '/api/v1/maturity',
  summary: 'Levels of the models in production use, by endpoint',
  query: PageQuery.extend({ limit: z.coerce.number().int().min(1).max(50).default(20) }),
  reply: pageOf(Maturity),
});

export const getMaturity = route({
  id: 'maturity.get',
  method: 'GET',
  path: '/api/v1/maturity/:endpoint',
  summary: "The level of an endpoint's model with every check, computed from recorded facts",
  params: EndpointParams,
  reply: MaturityDetail,
});

export const listMaturityChanges = route({
  id: 'maturity.history',
  method: 'GET',
  path: '/api/v1/maturity/:endpoint/history',
  summary: 'Changes of the level and of its checks, newest first',
  params: EndpointParams,
  query: PageQuery.extend({
    /** A check's id, or `level`. */
    subject: z.string().min(1).max(10).optional(),
  }),
  reply: pageOf(MaturityChange),
});
