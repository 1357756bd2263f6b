import { Stack } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { EndpointsTable } from '../../../web/kit/endpoints-table.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { together } from '../../../web/kit/together.ts';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getLogStatus, getTraffic } from '../../predictions/contract.ts';
import { listLoops } from '../../loop/contract.ts';
import { listMonitors } from '../../monitoring/contract.ts';
import { listModels } from '../../registry/contract.ts';
import { listEndpoints } from '../../serving/contract.ts';
import { getHealth, getStatus } from '../contract.ts';
import { EventsSection } from './events-section.tsx';
import { FirstSteps } from './first-steps.tsx';
import { Numbers } from './numbers.tsx';
import { openAlerts } from './open-alerts.ts';
import { EndpointStory } from './endpoint-story.tsx';
import { TrafficSection } from './traffic-section.tsx';
import { Wellbeing } from './wellbeing-alert.tsx';
import { WorkspaceSection } from './workspace-section.tsx';

const STATE_POLL_MS = 5000;
const TRAFFIC_POLL_MS = 2000;
const ALL = { query: { limit: PAGE_LIMIT_MAX } };

/** Is everything well, what is served, and what happened. */
export function OverviewPage(): ReactNode {
  const { endpoint, subject, checks = false } = useSearch({ from: '/' });
  const { status, health, log, traffic, models, endpoints, monitors, loops } = useOverview();
  const state = together(status, health, log, traffic, monitors);
  const catalog = together(models, endpoints);

  return (
    <>
      <PageHeader title="Overview" />
      <Stack gap="md">
        <Loaded query={state} height={150}>
          {([status, health, log, traffic, monitors]) => (
            <>
              <Wellbeing
                health={health}
                status={status}
                log={log}
                alerts={openAlerts(monitors.items)}
              />
              <Numbers status={status} log={log} points={traffic.points} />
            </>
          )}
        </Loaded>
        <Loaded query={catalog} height={0}>
          {([models, endpoints]) => (
            <FirstSteps models={models.items} endpoints={endpoints.items} />
          )}
        </Loaded>
        <Loaded query={together(endpoints, monitors, loops, status)} height={560}>
          {([endpoints, monitors, loops, status]) => (
            <EndpointStory
              shown={endpoint}
              endpoints={endpoints.items}
              monitors={monitors.items}
              loops={loops.items}
              now={status.now}
              isOpen={checks}
            />
          )}
        </Loaded>
        <Loaded query={together(endpoints, traffic, status)} height={280}>
          {([endpoints, traffic, status]) =>
            endpoints.items.length === 0 ? null : (
              <>
                <TrafficSection
                  points={traffic.points}
                  now={status.now}
                  endpoints={endpoints.items}
                  endpoint={endpoint}
                />
                <EndpointsTable
                  endpoints={endpoints.items}
                  points={traffic.points}
                  now={status.now}
                />
              </>
            )
          }
        </Loaded>
        <EventsSection subject={subject} />
        <Loaded query={together(status, health)} height={120}>
          {([status, health]) => <WorkspaceSection status={status} health={health} />}
        </Loaded>
      </Stack>
    </>
  );
}

function useOverview() {
  const status = useRoute(getStatus, {}, { subjects: ['workspace'], pollMs: STATE_POLL_MS });
  const health = useRoute(getHealth, {}, { pollMs: STATE_POLL_MS });
  const log = useRoute(getLogStatus, {}, { pollMs: TRAFFIC_POLL_MS });
  const traffic = useRoute(getTraffic, { query: {} }, { pollMs: TRAFFIC_POLL_MS });
  const models = useRoute(listModels, ALL, { subjects: ['model'] });
  const endpoints = useRoute(listEndpoints, ALL, {
    subjects: ['endpoint'],
    pollMs: STATE_POLL_MS,
  });
  const monitors = useRoute(listMonitors, ALL, { subjects: ['monitor'] });
  const loops = useRoute(listLoops, ALL, { subjects: ['loop'] });
  return { status, health, log, traffic, models, endpoints, monitors, loops };
}
