import { formatInstant, type Micros } from '../../base/time.ts';
import { isSameTopic } from './check-of.ts';
import type { Check, CheckKind, CheckState, PersistSpec } from './contract.ts';

/**
 * What an evaluation's checks mean after those before it: a breach that persists is an alert, one
 * by itself a warning; and since when it is so. `former` are the checks of earlier evaluations, the
 * newest first, at least those that were not ok.
 */
export function withHistory(
  checks: readonly Check[],
  of: {
    readonly at: Micros;
    readonly persist: PersistSpec;
    readonly former: readonly (readonly Check[])[];
  },
): readonly Check[] {
  const { at, persist } = of;
  const former = of.former.slice(0, Math.max(1, persist.of - 1));
  return checks.map((check) => {
    const past = former.map((one) => one.find((other) => isSameTopic(other, check)));
    const breaches = (check.isBreach ? 1 : 0) + past.filter((one) => one?.isBreach === true).length;
    const isLasting = canLast(check) && breaches >= persist.at_least;
    const state: CheckState = isLasting ? 'alert' : check.state;
    const words =
      isLasting && persist.of > 1
        ? ` So in ${breaches} of the last ${persist.of} evaluations.`
        : '';
    const since = check.since ?? sinceOf(state, past[0], at);
    return { ...check, state, since, explanation: `${check.explanation}${words}` };
  });
}

/**
 * Findings that days alone can make: one is no reason to wake somebody. Others say by themselves
 * how grave they are, and are over when they are over.
 */
const BY_DAYS: ReadonlySet<CheckKind> = new Set([
  'quality',
  'calibration',
  'drift',
  'score_drift',
  'missing',
  'range',
  'labels',
]);

/** What nothing is known of stays unknown, whatever was before. */
function canLast({ kind, state }: Check): boolean {
  return BY_DAYS.has(kind) && (state === 'ok' || state === 'warn');
}

function sinceOf(state: CheckState, former: Check | undefined, at: Micros): string | null {
  if (state === 'ok') return null;
  return former?.state === state && former.since !== null ? former.since : formatInstant(at);
}

const GRAVITY: readonly CheckState[] = ['ok', 'no_data', 'too_few_labels', 'warn', 'alert'];

/** The gravest state; what cannot be said is graver than what is fine. */
export function gravest(checks: readonly Pick<Check, 'state'>[]): CheckState {
  return checks.reduce<CheckState>(
    (worst, { state }) => (GRAVITY.indexOf(state) > GRAVITY.indexOf(worst) ? state : worst),
    'ok',
  );
}
