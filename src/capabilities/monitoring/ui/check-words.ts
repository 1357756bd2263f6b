import type { Tone } from '../../../web/kit/number-card.tsx';
import type { Check, CheckKind, CheckState } from '../contract.ts';

/** The gravest first. */
export const STATES: readonly CheckState[] = ['alert', 'warn', 'too_few_labels', 'no_data', 'ok'];

const TONES: Readonly<Record<CheckState, Tone>> = {
  ok: 'good',
  warn: 'warn',
  alert: 'bad',
  no_data: 'plain',
  too_few_labels: 'plain',
};

export function toneOf(state: CheckState): Tone {
  return TONES[state];
}

/** A state or kind as it is read. */
export function wordOf(name: CheckState | CheckKind): string {
  return name.replaceAll('_', ' ');
}

/** What was looked at: `drift of distance`, `traffic`. */
export function topicOf({ kind, subject }: Pick<Check, 'kind' | 'subject'>): string {
  return subject === '*' ? wordOf(kind) : `${wordOf(kind)} of ${subject}`;
}

export function byGravity(a: Check, b: Check): number {
  return STATES.indexOf(a.state) - STATES.indexOf(b.state);
}

/** Kinds whose subject is a column that has a distribution. */
const OF_COLUMNS: ReadonlySet<CheckKind> = new Set(['drift', 'score_drift', 'missing', 'range']);

export function isOfColumn({ kind, subject, version }: Check): boolean {
  return OF_COLUMNS.has(kind) && subject !== '*' && version !== null;
}

export function countsOf(checks: readonly Check[]): ReadonlyMap<CheckState, number> {
  return new Map(
    STATES.map((state) => [state, checks.filter((check) => check.state === state).length]),
  );
}
