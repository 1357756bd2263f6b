import { micros, type Micros } from '../../base/time.ts';
import type { InstanceState } from './contract.ts';
import type { LoopPolicy } from './loop-policy.ts';

/** An instance that is over, as the policy remembers it. */
export interface EndedInstance {
  readonly id: string;
  readonly outcome: Extract<
    InstanceState,
    'promoted' | 'rolled_back' | 'rejected' | 'failed' | 'superseded'
  >;
  readonly startedAt: Micros;
  readonly endedAt: Micros;
  /** Begun by a person: its failure is no reason for the loop to wait. */
  readonly isManual: boolean;
  /** It trained, and so used some of the budget. */
  readonly isTraining: boolean;
}

/** So many failures in a row stop a loop until a person looks. */
export const BREAKER_FAILURES = 3;
/** The longest wait after failures, in cooldowns. */
const COOLDOWNS_MAX = 4;

/** What former instances keep the next one from. */
export interface Past {
  /** Null when nothing has to cool down. */
  readonly cooldownUntil: Micros | null;
  /** The loop's own instances in a row that did not end in a promotion. */
  readonly failures: number;
  /** Trainings within the budget's span before `at`. */
  readonly retrains: number;
}

/**
 * `ended` newest first, back to the newest promotion and over the budget's span. What failed before
 * `resumedAt` is forgiven: a person has looked.
 */
export function pastOf(
  policy: LoopPolicy,
  at: Micros,
  ended: readonly EndedInstance[],
  resumedAt: Micros | null,
): Past {
  const { cooldownMicros, budget } = policy;
  const counted = ended.filter(
    ({ outcome, isManual, endedAt }) =>
      outcome === 'promoted' || (!isManual && (resumedAt === null || endedAt > resumedAt)),
  );
  const promoted = counted.findIndex(({ outcome }) => outcome === 'promoted');
  const failures = promoted === -1 ? counted.length : promoted;
  const [newest] = counted;
  const times = failures === 0 ? 1 : Math.min(2 ** (failures - 1), COOLDOWNS_MAX);
  const until = newest === undefined ? null : micros(newest.endedAt + times * cooldownMicros);
  const retrains = ended.filter(
    ({ isTraining, startedAt }) => isTraining && startedAt > at - budget.perMicros,
  ).length;
  return { cooldownUntil: until !== null && until > at ? until : null, failures, retrains };
}
