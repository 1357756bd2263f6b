import { SimpleGrid } from '@mantine/core';
import type { ReactNode } from 'react';
import {
  formatCount,
  formatMicroseconds,
  formatRate,
  formatShare,
} from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { NumberCard } from '../../../web/kit/number-card.tsx';
import { errorTone, secondOf, sumTraffic } from '../../../web/kit/traffic.ts';
import type { TrafficPoint } from '../../predictions/contract.ts';
import type { Endpoint } from '../contract.ts';

interface EndpointNumbersProps {
  readonly endpoint: Endpoint;
  readonly points: readonly TrafficPoint[];
  readonly now: string;
}

/** How an endpoint does now; each number leads to the requests or the revision behind it. */
export function EndpointNumbers({ endpoint, points, now }: EndpointNumbersProps): ReactNode {
  const sum = sumTraffic(points, secondOf(now));
  const { requests, errors, rate, worstP99Us } = sum;
  const { name, route } = endpoint;
  const toRequests = (text: string): ReactNode => (
    <PageLink to="/trace" search={{ endpoint: name }} underline="hover">
      {text}
    </PageLink>
  );
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm" verticalSpacing="sm">
      <NumberCard
        label="Requests a second"
        value={toRequests(formatRate(rate))}
        about="last minute"
      />
      <NumberCard
        label="p99 latency"
        value={toRequests(worstP99Us === null ? '–' : formatMicroseconds(worstP99Us))}
        about="worst second of the last minute"
      />
      <NumberCard
        label="Errors"
        value={
          <PageLink to="/trace" search={{ endpoint: name, failed: true }} underline="hover">
            {formatCount(errors)}
          </PageLink>
        }
        about={`${formatShare(errors, requests)} of ${formatCount(requests)} in ten minutes`}
        tone={errorTone(sum)}
      />
      <NumberCard
        label="Route revision"
        value={
          route === null ? (
            '–'
          ) : (
            <PageLink
              to="/endpoints/$endpoint"
              params={{ endpoint: name }}
              search={(search) => ({ ...search, revision: route.revision })}
              resetScroll={false}
              underline="hover"
            >
              {formatCount(route.revision)}
            </PageLink>
          )
        }
        about={route === null ? 'nothing deployed' : `by ${route.actor}`}
      />
    </SimpleGrid>
  );
}
