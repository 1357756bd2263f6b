import type { ReactNode } from 'react';
import { formatSeconds } from '../../../web/kit/format.ts';
import { secondsBetween } from '../../../web/kit/instant-text.ts';
import type { Tone } from '../../../web/kit/number-card.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { AttemptState, RunState, StepState } from '../contract.ts';

type State = RunState | StepState | AttemptState;

const TONES: Readonly<Record<State, Tone>> = {
  queued: 'plain',
  waiting: 'plain',
  starting: 'warn',
  running: 'warn',
  cached: 'plain',
  restored: 'plain',
  succeeded: 'good',
  failed: 'bad',
  timed_out: 'bad',
  cancelled: 'bad',
  lost: 'bad',
  skipped: 'plain',
};

/** The state of a run, of a stage in it, or of one attempt. */
export function StateBadge({ state }: { readonly state: State }): ReactNode {
  return <StatusBadge tone={TONES[state]}>{state.replaceAll('_', ' ')}</StatusBadge>;
}

/** Whether it goes on by itself. */
export function isUnderWay(state: RunState): boolean {
  return state === 'queued' || state === 'running';
}

/** How long it took; null while it is under way or never began. */
export function tookText(from: string | null, until: string | null): string | null {
  const seconds = from === null || until === null ? null : secondsBetween(from, until);
  return seconds === null ? null : formatSeconds(Math.max(0, seconds));
}
