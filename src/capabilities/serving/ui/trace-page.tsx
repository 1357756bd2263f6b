import { EmptyState, Group, Select, Stack, Title } from '@mantine/core';
import { IconBinaryTree } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { CopyCode } from '../../../web/kit/copy-code.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { PageHeader } from '../../../web/kit/page-header.tsx';
import { Card, Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { listEndpoints, type Endpoint } from '../contract.ts';
import { RecentRequests, type RequestsWanted } from './recent-requests.tsx';
import { WantedRequests } from './wanted-requests.tsx';
import { RequestSearch } from './request-search.tsx';
import { WhoServedSection } from './who-served-section.tsx';

/** Finds one answered request: by its id, or among the recent ones of an endpoint. */
export function TracePage(): ReactNode {
  const { endpoint, from, until, version, failed } = useSearch({ from: '/trace' });
  const wanted = { from, until, version, failed };
  const endpoints = useRoute(
    listEndpoints,
    { query: { limit: PAGE_LIMIT_MAX } },
    { subjects: ['endpoint'] },
  );
  return (
    <>
      <PageHeader title="Trace" about="One request, the whole chain" />
      <RequestSearch />
      <Loaded query={endpoints} height={300}>
        {({ items }) => <RecentSection endpoints={items} chosen={endpoint} wanted={wanted} />}
      </Loaded>
    </>
  );
}

interface RecentSectionProps {
  readonly endpoints: readonly Endpoint[];
  readonly chosen: string | undefined;
  readonly wanted: RequestsWanted;
}

function RecentSection({ endpoints, chosen, wanted }: RecentSectionProps): ReactNode {
  const navigate = useNavigate({ from: '/trace' });
  const names = endpoints.map(({ name }) => name);
  const shown = chosen ?? endpoints.find(({ route }) => route !== null)?.name ?? names[0];
  if (shown === undefined) {
    return (
      <Section title="Recent requests">
        <EmptyState
          icon={<IconBinaryTree aria-hidden />}
          title="There is no endpoint yet, so nothing was answered"
          description="Create one, deploy a version to it and send a request; the Overview shows how."
        >
          <CopyCode code="millwright endpoints create NAME --model NAME" isBlock />
        </EmptyState>
      </Section>
    );
  }
  return (
    <Stack gap="md">
      <WhoServedSection key={shown} endpoint={shown} />
      <Card label="Recent requests">
        <RecentRequests
          key={shown}
          endpoint={shown}
          wanted={wanted}
          heading={
            <Group gap="sm">
              <Title order={2}>Recent requests</Title>
              <Select
                size="xs"
                aria-label="Endpoint"
                searchable
                allowDeselect={false}
                data={names.includes(shown) ? names : [shown, ...names]}
                value={shown}
                onChange={(value) => void navigate({ search: { endpoint: value ?? undefined } })}
              />
              <WantedRequests wanted={wanted} />
            </Group>
          }
        />
      </Card>
    </Stack>
  );
}
