import { Group, Stack } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ErrorState } from '../../../web/kit/error-state.tsx';
import { LiveTraffic } from '../../../web/kit/live-traffic.tsx';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute, useRoutePages } from '../../../web/kit/use-route.ts';
import { getTraffic } from '../../predictions/contract.ts';
import { getStatus } from '../../workspace/contract.ts';
import { getEndpoint, listRevisions, type Endpoint, type RouteRevision } from '../contract.ts';
import { ArmsSection } from './arms-section.tsx';
import { EndpointNumbers } from './endpoint-numbers.tsx';
import { NothingDeployed } from './nothing-deployed.tsx';
import { PastSection } from './past-section.tsx';
import { RevisionsSection } from './revisions-section.tsx';
import { RolloutSection } from './rollout-section.tsx';
import { RouteActions } from './route-actions.tsx';

const TRAFFIC_POLL_MS = 2000;
const STATE_POLL_MS = 5000;
const REVISIONS_A_PAGE = 200;

/** One endpoint: who answers how much and how well, now and before, and who decided that. */
export function EndpointPage(): ReactNode {
  const { endpoint: name } = useParams({ from: '/endpoints/$endpoint' });
  const { endpoint, traffic, status, revisions, chain } = useEndpoint(name);
  if (endpoint.data === undefined && endpoint.error !== null) {
    return (
      <>
        <PageHeader title={name} about={<PageLink to="/endpoints">Endpoints</PageLink>} />
        <ErrorState error={endpoint.error} retry={() => void endpoint.refetch()} />
      </>
    );
  }
  return (
    <>
      <Header name={name} endpoint={endpoint.data} revisions={revisions.items ?? []} />
      <Stack gap="md">
        <Loaded query={together(endpoint, traffic, status)} height={380}>
          {([endpoint, { points }, { now }]) => (
            <>
              <EndpointNumbers endpoint={endpoint} points={points} now={now} />
              {endpoint.route === null ? (
                <NothingDeployed endpoint={endpoint} />
              ) : (
                <ArmsSection endpoint={endpoint} route={endpoint.route} points={points} now={now} />
              )}
              <RolloutSection endpoint={name} />
              <Section title="Traffic now">
                <LiveTraffic points={points} now={now} />
              </Section>
            </>
          )}
        </Loaded>
        <Loaded query={together({ ...revisions, data: revisions.items }, status)} height={380}>
          {([items, { now }]) => (
            <>
              <PastSection endpoint={name} now={now} revisions={items} />
              {items.length > 0 && (
                <RevisionsSection
                  endpoint={name}
                  revisions={items}
                  more={revisions}
                  isIntact={chain.data?.chainIntact ?? null}
                />
              )}
            </>
          )}
        </Loaded>
      </Stack>
    </>
  );
}

/** What the page is made of; the rest is asked for once the endpoint is known. */
function useEndpoint(name: string) {
  const params = { endpoint: name };
  const subjects = [`endpoint/${name}`];
  const endpoint = useRoute(getEndpoint, { params }, { subjects, pollMs: STATE_POLL_MS });
  const enabled = endpoint.data !== undefined;
  const traffic = useRoute(
    getTraffic,
    { query: { endpoint: name } },
    { pollMs: TRAFFIC_POLL_MS, enabled },
  );
  const status = useRoute(getStatus, {}, { subjects: ['workspace'], pollMs: TRAFFIC_POLL_MS });
  const revisions = useRoutePages(
    listRevisions,
    { params, query: { limit: REVISIONS_A_PAGE } },
    { subjects, enabled },
  );
  const chain = useRoute(listRevisions, { params, query: { limit: 1 } }, { subjects, enabled });
  return { endpoint, traffic, status, revisions, chain };
}

interface HeaderProps {
  readonly name: string;
  readonly endpoint: Endpoint | undefined;
  readonly revisions: readonly RouteRevision[];
}

function Header({ name, endpoint, revisions }: HeaderProps): ReactNode {
  return (
    <PageHeader
      title={name}
      about={
        <Group gap="xs">
          <PageLink to="/endpoints">Endpoints</PageLink>
          {endpoint !== undefined && (
            <PageLink to="/models/$model" params={{ model: endpoint.model }}>
              {`serves ${endpoint.model}`}
            </PageLink>
          )}
        </Group>
      }
      children={
        endpoint?.route == null ? null : <RouteActions endpoint={endpoint} revisions={revisions} />
      }
    />
  );
}
