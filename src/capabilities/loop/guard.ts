import type { Micros } from '../../base/time.ts';
import { wilsonInterval } from '../../base/stats/wilson.ts';
import { comparedText, GATE_BLOCKS_MIN, type Comparison } from './gate.ts';
import type { LoopPolicy } from './loop-policy.ts';
import { change, count, figure, moment, percent, sentence, span } from './phrases.ts';

/** What a new version has to stand: both a number of requests and a time. */
export interface GuardLimits {
  readonly requests: number;
  readonly forMicros: number;
}

/** For endpoints that declare none in `rollout.guard`. */
export const GUARD_DEFAULT: GuardLimits = { requests: 1000, forMicros: 86_400_000_000 };

export interface GuardLook {
  readonly at: Micros;
  readonly deployedAt: Micros;
  readonly champion: number;
  readonly challenger: number;
  readonly limits: GuardLimits;
  /** The gate had rejected it: then it is the guard's to show that it is no worse. */
  readonly isOverridden: boolean;
  /** Requests the new version answered since, and those of them that failed. */
  readonly requests: number;
  readonly errors: number;
  /** The same of the former version, over as long a time before. */
  readonly former: { readonly requests: number; readonly errors: number };
  /**
   * Both versions on the same logged requests since deployment whose labels have matured: at the
   * policy's level, and at the stricter one of `GUARD_EARLY_LEVEL`. Null while there are none.
   */
  readonly comparison: Comparison | null;
  readonly early: Comparison | null;
  /** Why they cannot be compared at all; null when nothing speaks against it. */
  readonly why: string | null;
}

export type GuardVerdict =
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'promoted' | 'rolled_back'; readonly reason: string };

/** Looked at many times before the end: each look by itself must hardly ever be wrong. */
export const GUARD_EARLY_LEVEL = 0.999;
/** Fewer labelled rows than this tell nothing of a version's quality. */
const ROWS_MIN = 100;
/** A version that is not proven after so many times the guard's time is not going to be. */
export const GUARD_SPANS_MAX = 4;
/** How much larger the share of failed requests may be. */
const ERROR_MARGIN = 0.01;
const MISSING_SHARE_MAX = 0.001;

/** Whether a new version stays, goes, or is watched on. */
export function judgeGuard(policy: LoopPolicy, look: GuardLook): GuardVerdict {
  const name = `v${look.challenger}`;
  const bad = failing(look) ?? clearlyWorse(policy, look);
  if (bad !== null) return { kind: 'rolled_back', reason: sentence(`${name} rolled back: ${bad}`) };
  const missing = stillMissing(look);
  const verdict =
    missing === null ? final(policy, look) : { kind: 'wait' as const, reason: missing };
  const elapsed = look.at - look.deployedAt;
  if (verdict.kind !== 'wait' || elapsed < GUARD_SPANS_MAX * look.limits.forMicros) return verdict;
  const says = `not proven after ${span(elapsed)}: ${verdict.reason}`;
  return { kind: 'rolled_back', reason: sentence(`${name} rolled back: ${says}`) };
}

function failing({ requests, errors, former, comparison }: GuardLook): string | null {
  const now = wilsonInterval(errors, requests);
  const before = former.requests === 0 ? 0 : former.errors / former.requests;
  if (now !== null && now.lower > before + ERROR_MARGIN) {
    return `${percent(now.share)} of ${count(requests)} requests failed, ${percent(before)} before`;
  }
  if (comparison === null) return null;
  const { rows, challenger, champion } = comparison;
  const lost = (challenger.missing - champion.missing) / Math.max(rows, 1);
  return rows >= ROWS_MIN && lost > MISSING_SHARE_MAX
    ? `it gave no score for ${percent(challenger.missing / rows)} of ${count(rows)} requests`
    : null;
}

function clearlyWorse(policy: LoopPolicy, look: GuardLook): string | null {
  const { early } = look;
  if (early === null || !isTelling(early)) return null;
  const { value, upper, level } = early.improvement;
  if (upper >= 0) return null;
  const said = comparedText(policy.metric, look, early);
  return `${said}: worse by ${figure(-value)}, upper bound of the difference ${change(upper)} (${percent(level)}), clear before the guard's end`;
}

function stillMissing(look: GuardLook): string | null {
  const { at, deployedAt, limits, requests, comparison } = look;
  const parts: string[] = [];
  if (requests < limits.requests) {
    parts.push(`${count(requests)} of ${count(limits.requests)} requests`);
  }
  if (at - deployedAt < limits.forMicros) {
    parts.push(`${span(at - deployedAt)} of ${span(limits.forMicros)}`);
  }
  if (parts.length === 0 && (comparison === null || !isTelling(comparison))) {
    const { rows = 0, blocks = 0 } = comparison ?? {};
    const few = `${count(rows)} requests with matured labels on ${blocks} days`;
    parts.push(look.why ?? few);
  }
  return parts.length === 0 ? null : `guarding since ${moment(deployedAt)}: ${parts.join(', ')}`;
}

function final(policy: LoopPolicy, look: GuardLook): GuardVerdict {
  const { comparison, limits, requests, at, deployedAt, challenger } = look;
  const { improvement } = comparison as Comparison & { improvement: Improvement };
  const said = comparedText(policy.metric, look, comparison!);
  const stood = `${count(requests)} requests (${count(limits.requests)} needed) and ${span(at - deployedAt)} (${span(limits.forMicros)} needed)`;
  const { value, upper } = improvement;
  const bound = `upper bound of the difference ${change(upper)}`;
  if (upper < 0 || (look.isOverridden && value < 0)) {
    const gate = upper < 0 ? '' : ', as the gate had found';
    const worse = `${said}: worse by ${figure(-value)}, ${bound}${gate}`;
    return { kind: 'rolled_back', reason: sentence(`v${challenger} rolled back: ${worse}`) };
  }
  // Worse, but not clearly: more requests will tell.
  if (value < 0) return { kind: 'wait', reason: `${said}: worse by ${figure(-value)}, ${bound}` };
  const reason = sentence(
    `guard passed after ${stood}; ${said}: difference ${change(value)}, ${bound}, not worse`,
  );
  return { kind: 'promoted', reason };
}

type Improvement = NonNullable<Comparison['improvement']>;

function isTelling(
  comparison: Comparison,
): comparison is Comparison & { readonly improvement: Improvement } {
  const { rows, blocks, improvement } = comparison;
  return improvement !== null && rows >= ROWS_MIN && blocks >= GATE_BLOCKS_MIN;
}
