import type { Tone } from '../../../web/kit/number-card.tsx';
import type { Decision, DecisionKind } from '../contract.ts';

/** What a decision is about: the lanes of the timeline, from what serves to what was held back. */
export const LANES = ['route', 'gate', 'training', 'held back', 'people, data'] as const;
export type Lane = (typeof LANES)[number];

interface About {
  readonly lane: Lane;
  readonly tone: Tone;
  /** As the page calls it. */
  readonly word: string;
}

const KINDS: Readonly<Record<DecisionKind, About>> = {
  admitted: { lane: 'training', tone: 'plain', word: 'retrains' },
  joined: { lane: 'training', tone: 'plain', word: 'joined' },
  challenged: { lane: 'training', tone: 'plain', word: 'challenged' },
  trained: { lane: 'training', tone: 'plain', word: 'trained' },
  failed: { lane: 'training', tone: 'bad', word: 'failed' },
  suppressed: { lane: 'held back', tone: 'warn', word: 'held back' },
  gate_passed: { lane: 'gate', tone: 'good', word: 'gate passed' },
  rejected: { lane: 'gate', tone: 'bad', word: 'rejected' },
  overridden: { lane: 'gate', tone: 'warn', word: 'overridden' },
  held: { lane: 'gate', tone: 'warn', word: 'waits for approval' },
  approved: { lane: 'gate', tone: 'good', word: 'approved' },
  deployed: { lane: 'route', tone: 'plain', word: 'deployed' },
  promoted: { lane: 'route', tone: 'good', word: 'promoted' },
  rolled_back: { lane: 'route', tone: 'bad', word: 'rolled back' },
  superseded: { lane: 'route', tone: 'plain', word: 'superseded' },
  stopped: { lane: 'people, data', tone: 'warn', word: 'stopped' },
  resumed: { lane: 'people, data', tone: 'good', word: 'resumed' },
  excluded: { lane: 'people, data', tone: 'warn', word: 'data excluded' },
  exclusion_ended: { lane: 'people, data', tone: 'good', word: 'exclusion ended' },
};

export function about(kind: DecisionKind): About {
  return KINDS[kind];
}

/** What the list of decisions can be narrowed to. */
export const SHOWN = ['all', 'acted', 'held back'] as const;
export type Shown = (typeof SHOWN)[number];

export function isShown({ kind }: Decision, shown: Shown): boolean {
  if (shown === 'all') return true;
  return (about(kind).lane === 'held back') === (shown === 'held back');
}
