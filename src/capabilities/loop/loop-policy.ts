import { createHash } from 'node:crypto';
import { assert, present } from '../../base/assert.ts';
import { MICROS_PER_SECOND } from '../../base/time.ts';
import type { Autonomy, GateMetric, LoopSpec } from './contract.ts';

/** A loop's declaration, compiled: spans are microseconds. */
export interface LoopPolicy {
  readonly endpoint: string;
  readonly pipeline: string;
  readonly triggers: {
    readonly quality: boolean;
    readonly drift: boolean;
    readonly ageMicros: number | null;
    readonly newRows: number | null;
  };
  readonly holdoutDays: number;
  readonly metric: GateMetric;
  /** Of one-sided bounds. */
  readonly level: number;
  readonly cooldownMicros: number;
  readonly minRows: number;
  readonly budget: { readonly retrains: number; readonly perMicros: number };
  readonly autonomy: Autonomy;
  readonly trainingTakesMicros: number;
  readonly excludeUnitChanges: boolean;
  /** Goes into every decision. */
  readonly hash: string;
}

/** Rises with every change of the rules themselves, so that decisions tell by which they fell. */
const RULES = 1;
const HASH_DIGITS = 12;

const SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** `12h` in microseconds; the text was checked by the contract. */
export function spanMicros(text: string): number {
  const unit = SECONDS[text.at(-1) as keyof typeof SECONDS];
  assert(unit !== undefined, `${text} is a span`);
  return Number(text.slice(0, -1)) * unit * MICROS_PER_SECOND;
}

export function compilePolicy(name: string, spec: LoopSpec): LoopPolicy {
  const { triggers, gate, budget } = spec;
  const age = triggers.find((one) => typeof one === 'object' && 'age' in one);
  const rows = triggers.find((one) => typeof one === 'object' && 'new_rows' in one);
  return {
    endpoint: spec.endpoint ?? name,
    pipeline: spec.pipeline,
    triggers: {
      quality: triggers.includes('quality'),
      drift: triggers.includes('drift'),
      ageMicros: age === undefined ? null : spanMicros(present(age, 'the age').age),
      newRows: rows?.new_rows ?? null,
    },
    holdoutDays: Number(spec.holdout.slice(0, -1)),
    metric: gate.metric,
    level: gate.level,
    cooldownMicros: spanMicros(spec.cooldown),
    minRows: spec.min_rows,
    budget: { retrains: budget.retrains, perMicros: spanMicros(budget.per) },
    autonomy: spec.autonomy,
    trainingTakesMicros: spanMicros(spec.training_takes),
    excludeUnitChanges: spec.exclude_unit_changes,
    hash: policyHash(spec),
  };
}

/** Of the declaration, whatever the order of its keys, and of the rules. */
function policyHash(spec: LoopSpec): string {
  const text = JSON.stringify([RULES, sorted(spec)]);
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, sorted(inner)]);
}
