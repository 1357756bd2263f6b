import { SimpleGrid } from '@mantine/core';
import type { ReactNode } from 'react';
import {
  formatBytes,
  formatCount,
  formatMicroseconds,
  formatRate,
  formatShare,
} from '../../../web/kit/format.ts';
import { agoText } from '../../../web/kit/instant-text.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import type { TrafficPoint } from '../../predictions/contract.ts';
import type { Status } from '../contract.ts';
import { errorTone, secondOf, sumTraffic } from '../../../web/kit/traffic.ts';
import type { LogStatus } from './wellbeing.ts';

interface NumbersProps {
  readonly status: Status;
  readonly log: LogStatus;
  readonly points: readonly TrafficPoint[];
}

/** The state of serving in six numbers, each leading to the requests behind it. */
export function Numbers({ status, log, points }: NumbersProps): ReactNode {
  const sum = sumTraffic(points, secondOf(status.now));
  const { requests, errors, rate, worstP99Us } = sum;
  const missing = Math.max(0, log.answered - log.journaled);
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm" verticalSpacing="sm">
      <NumberCard
        label="Requests a second"
        value={<ToRequests>{formatRate(rate)}</ToRequests>}
        about="last minute"
      />
      <NumberCard
        label="p99 latency"
        value={
          <ToRequests>{worstP99Us === null ? '–' : formatMicroseconds(worstP99Us)}</ToRequests>
        }
        about="worst second of the last minute"
      />
      <NumberCard
        label="Errors"
        value={<ToRequests>{formatCount(errors)}</ToRequests>}
        about={`${formatShare(errors, requests)} of ${formatCount(requests)} in ten minutes`}
        tone={errorTone(sum)}
      />
      <NumberCard
        label="Answered"
        value={<ToRequests>{formatCount(log.answered)}</ToRequests>}
        about={`since start, ${agoText(status.startedAt, status.wall)}`}
      />
      <NumberCard
        label="Logged"
        value={<ToRequests>{formatCount(log.journaled)}</ToRequests>}
        about={missing === 0 ? 'every answered request' : `${formatCount(missing)} missing`}
        tone={missing === 0 ? 'good' : 'bad'}
      />
      <NumberCard
        label="Flushed to tables"
        value={<ToRequests>{formatCount(log.flushed)}</ToRequests>}
        about={flushText(log, status.wall)}
        tone={log.lastFlushError === null ? 'good' : 'bad'}
      />
    </SimpleGrid>
  );
}

function ToRequests({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <PageLink to="/trace" underline="hover">
      {children}
    </PageLink>
  );
}

function flushText(log: LogStatus, wall: string): string {
  if (log.lastFlushError !== null) return 'the last flush failed';
  const waiting = log.unflushedBytes === 0 ? null : `${formatBytes(log.unflushedBytes)} waiting`;
  const last = log.lastFlushAt === null ? 'never yet' : agoText(log.lastFlushAt, wall);
  return [waiting, last].filter((part) => part !== null).join(', ');
}
