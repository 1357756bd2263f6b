import type { Check, Evaluation } from '../contract.ts';
import { topicOf } from './check-words.ts';

/** One finding that was an alert, from the first evaluation that said so to its end. */
export interface AlertEpisode {
  readonly kind: Check['kind'];
  readonly subject: string;
  readonly version: number | null;
  /** When what was found began, where the check says so; else the first evaluation. */
  readonly since: string;
  /** The first evaluation that found it no more; null while it fires. */
  readonly until: string | null;
  /** The newest evaluation that was beyond the threshold by itself, and what that said. */
  readonly evaluation: string;
  readonly explanation: string;
}

/** Alerts now and past, the newest first, from evaluations with what they found, newest first. */
export function alertEpisodes(evaluations: readonly Evaluation[]): readonly AlertEpisode[] {
  const open = new Map<string, AlertEpisode>();
  const ended: AlertEpisode[] = [];
  for (const { id, at, checks } of evaluations.toReversed()) {
    const found = new Map(
      checks.filter(({ state }) => state === 'alert').map((check) => [keyOf(check), check]),
    );
    for (const [key, episode] of open) {
      if (found.has(key)) continue;
      ended.push({ ...episode, until: at });
      open.delete(key);
    }
    for (const [key, { kind, subject, version, since, isBreach, explanation }] of found) {
      const known = open.get(key);
      // An alert lasts some evaluations longer than what made it one.
      const says = isBreach || known === undefined ? { evaluation: id, explanation } : known;
      const { evaluation, explanation: text } = says;
      const began = known?.since ?? since ?? at;
      const episode = { kind, subject, version, since: began, until: null };
      open.set(key, { ...episode, evaluation, explanation: text });
    }
  }
  const newest = (a: AlertEpisode, b: AlertEpisode) => (a.since < b.since ? 1 : -1);
  return [...[...open.values()].toSorted(newest), ...ended.toSorted(newest)];
}

function keyOf(check: Pick<Check, 'kind' | 'subject' | 'version'>): string {
  return `${topicOf(check)} ${check.version ?? ''}`;
}

/** A time in which an input was a constant multiple of what it was for its key. */
export interface UnitEpisode {
  readonly subject: string;
  readonly ratio: number;
  readonly since: string;
  /** Null while it goes on. */
  readonly until: string | null;
  readonly evaluation: string;
  readonly explanation: string;
}

/** Changed units, the newest first, from evaluations of the newest first. */
export function unitEpisodes(evaluations: readonly Evaluation[]): readonly UnitEpisode[] {
  const found = new Map<string, UnitEpisode>();
  for (const { id, checks } of evaluations.toReversed()) {
    for (const { kind, subject, state, value, since, until, explanation } of checks) {
      const isChange = state === 'alert' || until !== null;
      if (kind !== 'unit_change' || !isChange || since === null || value === null) continue;
      const episode = { subject, ratio: value, since, until, evaluation: id, explanation };
      found.set(`${subject} ${since}`, episode);
    }
  }
  return [...found.values()].toReversed();
}
