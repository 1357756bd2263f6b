import type { ReactNode } from 'react';
import { secondsBetween } from '../../../web/kit/instant-text.ts';
import { formatSeconds } from '../../../web/kit/format.ts';
import type { Tone } from '../../../web/kit/number-card.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { RunSummary } from '../contract.ts';

type Status = RunSummary['status'];

const TONES: Readonly<Record<Status, Tone>> = {
  RUNNING: 'warn',
  SCHEDULED: 'plain',
  FINISHED: 'good',
  FAILED: 'bad',
  KILLED: 'bad',
};

export function RunStatusBadge({ status }: { readonly status: Status }): ReactNode {
  return <StatusBadge tone={TONES[status]}>{status.toLowerCase()}</StatusBadge>;
}

/** How long a run took; null while it is under way. */
export function durationText({ startedAt, endedAt }: RunSummary): string | null {
  const seconds = endedAt === null ? null : secondsBetween(startedAt, endedAt);
  return seconds === null ? null : formatSeconds(Math.max(0, seconds));
}
