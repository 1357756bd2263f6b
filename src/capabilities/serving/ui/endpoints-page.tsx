import { EmptyState } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { EndpointsTable } from '../../../web/kit/endpoints-table.tsx';
import { LiveTraffic } from '../../../web/kit/live-traffic.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getTraffic } from '../../predictions/contract.ts';
import { getStatus } from '../../workspace/contract.ts';
import { listEndpoints } from '../contract.ts';

const TRAFFIC_POLL_MS = 2000;
const STATE_POLL_MS = 5000;

/** Everything that is served: by what, how much and how well. */
export function EndpointsPage(): ReactNode {
  const endpoints = useRoute(
    listEndpoints,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['endpoint'], pollMs: STATE_POLL_MS },
  );
  const traffic = useRoute(getTraffic, { query: {} }, { pollMs: TRAFFIC_POLL_MS });
  const status = useRoute(getStatus, {}, { subjects: ['workspace'], pollMs: TRAFFIC_POLL_MS });
  return (
    <>
      <PageHeader title="Endpoints" about="What answers, and which version does" />
      <Loaded query={together(endpoints, traffic, status)} height={300}>
        {([{ items }, { points }, { now }]) =>
          items.length === 0 ? (
            <NoEndpoints />
          ) : (
            <>
              <EndpointsTable endpoints={items} points={points} now={now} />
              <Section title="Traffic now" mt="md">
                <LiveTraffic points={points} now={now} />
              </Section>
            </>
          )
        }
      </Loaded>
    </>
  );
}

function NoEndpoints(): ReactNode {
  return (
    <Section title="Endpoints">
      <EmptyState
        icon={<IconRoute aria-hidden />}
        title="There is no endpoint yet"
        description="An endpoint answers requests with versions of one registered model. Create one, then deploy a version to it."
      >
        <CopyCode code="millwright endpoints create NAME --model NAME" isBlock />
        <CopyCode code="millwright deploy NAME@1" isBlock />
      </EmptyState>
    </Section>
  );
}
