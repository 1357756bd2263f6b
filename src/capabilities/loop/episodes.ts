import { micros, MICROS_PER_SECOND, type Micros } from '../../base/time.ts';
import type { CauseKind } from './contract.ts';

/** For how long a cause may be away before its return is news: alarms flicker at their limits. */
const GAP_MICROS = 3 * 86_400 * MICROS_PER_SECOND;

interface Episode {
  readonly since: Micros;
  readonly seen: Micros;
  /** Reasons for doing nothing that were recorded in it. */
  readonly said: readonly string[];
}

/** Causes that hold, each with what was said of it: one decision an episode, not one a day. */
export type Episodes = Readonly<Partial<Record<CauseKind, Episode>>>;

/** The episodes after a look, and whether its answer was not yet given in one of them. */
export function follow(
  former: Episodes,
  look: {
    readonly at: Micros;
    readonly causes: readonly CauseKind[];
    /** Why nothing is begun; null when something is. */
    readonly reason: string | null;
  },
): { readonly episodes: Episodes; readonly isNews: boolean } {
  const { at, causes, reason } = look;
  const next: Partial<Record<CauseKind, Episode>> = {};
  for (const [kind, episode] of Object.entries(former) as [CauseKind, Episode][]) {
    if (at - episode.seen <= GAP_MICROS) next[kind] = episode;
  }
  let isNews = reason === null;
  for (const kind of causes) {
    const episode = next[kind] ?? { since: at, seen: at, said: [] };
    const isSaid = reason === null || episode.said.includes(reason);
    if (!isSaid) isNews = true;
    const said = isSaid ? episode.said : [...episode.said, reason];
    next[kind] = { since: episode.since, seen: micros(at), said };
  }
  return { episodes: next, isNews };
}
