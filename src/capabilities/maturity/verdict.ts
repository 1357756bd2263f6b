import { formatInstant } from '../../base/time.ts';
import { EVIDENCE_SHOWN, type CheckState, type Effort, type Evidence } from './contract.ts';
import type { FactBook, Known } from './facts.ts';
import type { Production } from './production.ts';

/** What a check found. */
export interface Verdict {
  readonly state: CheckState;
  readonly why: string;
  readonly evidence: readonly Evidence[];
}

export type FixText = readonly [says: string, command: string | null];

/** One check: a pure function of what is known about a model in production use. */
export interface CheckRule {
  readonly id: string;
  readonly level: 0 | 1 | 2 | 3;
  readonly need: 'required' | 'bonus';
  readonly title: string;
  readonly effort: Effort;
  readonly fix: (of: Production) => FixText;
  readonly judge: (of: Production) => Verdict;
}

export function pass(why: string, facts: readonly Known[]): Verdict {
  return { state: 'pass', why, evidence: named(facts) };
}

export function fail(why: string, facts: readonly Known[] = []): Verdict {
  return { state: 'fail', why, evidence: named(facts) };
}

export function unknown(why: string, facts: readonly Known[] = []): Verdict {
  return { state: 'unknown', why, evidence: named(facts) };
}

export function notApplicable(why: string): Verdict {
  return { state: 'n/a', why, evidence: [] };
}

/**
 * A verdict on something that somebody has to have done lately. `found` is the newest first: what
 * is too old to count is named with its age, and never counts as a pass.
 */
export function exercised<Kind extends Known['kind']>(
  book: FactBook,
  found: readonly Known<Kind>[],
  says: { readonly seen: (newest: Known<Kind>) => string; readonly never: string },
): Verdict {
  const recent = found.filter((fact) => book.isRecent(fact));
  const [newest] = recent;
  if (newest !== undefined) return pass(says.seen(newest), recent);
  const [old] = found;
  return old === undefined ? fail(says.never) : expired(book, old);
}

/** Evidence that there was once. */
export function expired(book: FactBook, old: Known): Verdict {
  const age = `${book.ageDays(old)} days ago`;
  const why =
    `Last seen on ${dayOf(old.at)}, ${age} (${old.kind} ${old.subject}); ` +
    `evidence counts for ${book.evidenceDays} days.`;
  return unknown(why, [old]);
}

function named(facts: readonly Known[]): readonly Evidence[] {
  const shown = facts.slice(0, EVIDENCE_SHOWN);
  return shown.map(({ kind, subject }) => ({ kind: LOOKED_UP_AS[kind] ?? kind, id: subject }));
}

/** What lineage calls the same thing. */
const LOOKED_UP_AS: Partial<Record<Known['kind'], string>> = { version: 'model' };

/** `2001-04-29` */
export function dayOf(at: Known['at']): string {
  return formatInstant(at).slice(0, 10);
}

/** `3 runs`, `1 run` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

/** `v3` of what answers, for sentences. */
export function nameOf({ model, version }: Production): string {
  return `${model}@${version}`;
}
