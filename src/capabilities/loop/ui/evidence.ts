import { z } from 'zod';
import { formatInstant, micros } from '../../../base/time.ts';

/** What a decision rests on, as its `inputs` hold it; instants are microseconds of domain time. */

const Micros = z.number().transform((at) => formatInstant(micros(at)));
const Span = z.object({ from: Micros, until: Micros });

const Figures = z.object({
  auc: z.number().nullable(),
  logLoss: z.number().nullable(),
  meanScore: z.number().nullable(),
  missing: z.number(),
});
export type Figures = z.infer<typeof Figures>;

const Compared = z.object({
  rows: z.number(),
  positives: z.number(),
  blocks: z.number(),
  champion: Figures,
  challenger: Figures,
  improvement: z
    .object({ value: z.number(), lower: z.number(), upper: z.number(), level: z.number() })
    .nullable(),
});
export type Compared = z.infer<typeof Compared>;

const Trained = z.object({
  trainingSet: z.object({ name: z.string(), version: z.number() }).nullable(),
  until: Micros.nullable(),
  definition: z.string().nullable(),
});
export type Trained = z.infer<typeof Trained>;

const Guardrail = z.object({ name: z.string(), result: z.string(), summary: z.string() });
export type Guardrail = z.infer<typeof Guardrail>;

const Gate = z.object({
  champion: z.number(),
  challenger: z.number(),
  evaluation: Span,
  metric: z.string(),
  trained: z.object({ champion: Trained, challenger: Trained }),
  comparison: Compared.nullable(),
  why: z.string().nullable(),
  guardrails: z.array(Guardrail),
  evaluationVersion: z.number().nullable(),
});
export type Gate = z.infer<typeof Gate>;

const Answered = { requests: z.number(), errors: z.number() };
const Guard = z.object({
  champion: z.number(),
  challenger: z.number(),
  metric: z.string(),
  at: Micros,
  deployedAt: Micros,
  limits: z.object({ requests: z.number(), forMicros: z.number() }),
  isOverridden: z.boolean(),
  ...Answered,
  former: z.object(Answered),
  comparison: Compared.nullable(),
  early: Compared.nullable(),
  why: z.string().nullable(),
});
export type Guard = z.infer<typeof Guard>;

const Finding = z.object({
  kind: z.string(),
  subject: z.string(),
  version: z.number().nullable(),
  state: z.string(),
  explanation: z.string(),
});
export type Finding = z.infer<typeof Finding>;

const Situation = z.object({
  evaluation: z.string().nullable(),
  causes: z.array(z.object({ kind: z.string(), says: z.string(), doubt: z.string().nullable() })),
  findings: z.array(Finding),
  release: z
    .object({ model: z.string(), version: z.number(), revision: z.number(), since: Micros })
    .nullable(),
  past: z.object({
    cooldownUntil: Micros.nullable(),
    failures: z.number(),
    retrains: z.number(),
  }),
  maturedRows: z.number(),
  gateSpan: Span,
  exclusions: z.array(z.object({ from: Micros, until: Micros.nullable(), reason: z.string() })),
  incidents: z.array(Finding),
});
export type Situation = z.infer<typeof Situation>;

const Training = z.object({
  stage: z.string(),
  pipelineRun: z.string(),
  challenger: z.number(),
  trained: Trained,
});
export type Training = z.infer<typeof Training>;

export type Evidence =
  | { readonly kind: 'gate'; readonly of: Gate }
  | { readonly kind: 'guard'; readonly of: Guard }
  | { readonly kind: 'situation'; readonly of: Situation }
  | { readonly kind: 'training'; readonly of: Training }
  | { readonly kind: 'other' };

/** Inputs of no known form are shown as they are. */
export function evidenceOf(inputs: Readonly<Record<string, unknown>>): Evidence {
  const guard = Guard.safeParse(inputs);
  if (guard.success) return { kind: 'guard', of: guard.data };
  const gate = Gate.safeParse(inputs);
  if (gate.success) return { kind: 'gate', of: gate.data };
  const situation = Situation.safeParse(inputs);
  if (situation.success) return { kind: 'situation', of: situation.data };
  const training = Training.safeParse(inputs);
  return training.success ? { kind: 'training', of: training.data } : { kind: 'other' };
}

/** Names of inputs that are instants. */
const INSTANTS = new Set(['at', 'from', 'until', 'since', 'deployedAt', 'cooldownUntil']);

/** The inputs as JSON, instants in RFC 3339. */
export function inputsText(inputs: Readonly<Record<string, unknown>>): string {
  const readable = (key: string, value: unknown): unknown =>
    INSTANTS.has(key) && typeof value === 'number' ? formatInstant(micros(value)) : value;
  return JSON.stringify(inputs, readable, 2);
}
