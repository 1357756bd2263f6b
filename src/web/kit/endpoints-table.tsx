import { Group, Text, Title } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import type { TrafficPoint } from '../../capabilities/predictions/contract.ts';
import { BUCKETS, type Arm, type Endpoint } from '../../capabilities/serving/contract.ts';
import { DataTable, type Column } from './data-table.tsx';
import { formatCount, formatMicroseconds, formatShare } from './format.ts';
import { Instant } from './instant.tsx';
import { PageLink } from './link.tsx';
import { Card } from './section.tsx';
import { StatusBadge } from './status-badge.tsx';
import { trafficColumns } from './traffic-columns.tsx';
import { secondOf, sumTraffic, type TrafficSum } from './traffic.ts';

interface EndpointsTableProps {
  readonly endpoints: readonly Endpoint[];
  readonly points: readonly TrafficPoint[];
  /** Domain time. */
  readonly now: string;
}

interface Row {
  readonly endpoint: Endpoint;
  readonly traffic: TrafficSum;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'endpoint',
    header: 'Endpoint',
    value: ({ endpoint }) => endpoint.name,
    cell: ({ endpoint: { name } }) => (
      <PageLink to="/endpoints/$endpoint" params={{ endpoint: name }} underline="hover">
        {name}
      </PageLink>
    ),
  },
  {
    id: 'serving',
    header: 'Serving',
    value: ({ endpoint }) => routedArms(endpoint).map(armText).join(' + '),
    cell: ({ endpoint }) => <Serving endpoint={endpoint} />,
  },
  {
    id: 'warm',
    header: 'Warm',
    value: ({ endpoint }) => endpoint.warm.map(({ version }) => `v${version}`).join(' '),
    cell: ({ endpoint }) => <Warm endpoint={endpoint} />,
  },
  {
    id: 'revision',
    header: 'Revision',
    isNumeric: true,
    value: ({ endpoint }) => endpoint.route?.revision ?? null,
    cell: ({ endpoint: { name, route } }) =>
      route === null ? null : (
        <PageLink
          to="/endpoints/$endpoint"
          params={{ endpoint: name }}
          search={{ revision: route.revision }}
          underline="hover"
        >
          {formatCount(route.revision)}
        </PageLink>
      ),
  },
  {
    id: 'since',
    header: 'Since (wall clock)',
    value: ({ endpoint }) => endpoint.route?.wall ?? null,
    cell: ({ endpoint }) =>
      endpoint.route === null ? null : <Instant value={endpoint.route.wall} clock="wall" />,
  },
  ...trafficColumns<Row>(({ endpoint }) => ({ endpoint: endpoint.name })),
];

/** Every endpoint: what serves it, what it could return to, and how it does. */
export function EndpointsTable({ endpoints, points, now }: EndpointsTableProps): ReactNode {
  const rows = useMemo(() => {
    const byEndpoint = Map.groupBy(points, (point) => point.endpoint);
    const end = secondOf(now);
    return endpoints.map((endpoint) => ({
      endpoint,
      traffic: sumTraffic(byEndpoint.get(endpoint.name) ?? [], end),
    }));
  }, [endpoints, points, now]);
  return (
    <Card label="Endpoints">
      <DataTable
        name="Endpoints"
        heading={<Title order={2}>Endpoints</Title>}
        columns={COLUMNS}
        rows={rows}
        rowId={({ endpoint }) => endpoint.name}
        minWidth={860}
        canFilter={endpoints.length > 5}
        sortedBy={{ id: 'requests', desc: true }}
      />
    </Card>
  );
}

function routedArms(endpoint: Endpoint): readonly Arm[] {
  return endpoint.route?.arms.filter(({ weight }) => weight > 0) ?? [];
}

function armText(arm: Arm): string {
  return `${arm.model} v${arm.version} ${formatShare(arm.weight, BUCKETS)}`;
}

function Serving({ endpoint }: { readonly endpoint: Endpoint }): ReactNode {
  if (endpoint.route === null) {
    return (
      <StatusBadge tone="warn" title={`millwright deploy ${endpoint.name}@1`}>
        nothing deployed
      </StatusBadge>
    );
  }
  return (
    <Group gap={6} wrap="nowrap">
      {routedArms(endpoint).map((arm) => (
        <span key={arm.name} title={`${arm.digest}, arm ${arm.name}`}>
          {`${arm.model} `}
          <Text span inherit fw={600}>{`v${arm.version}`}</Text>
          <Text span inherit c="dimmed">
            {` ${arm.name} ${formatShare(arm.weight, BUCKETS)}`}
          </Text>
        </span>
      ))}
    </Group>
  );
}

function Warm({ endpoint }: { readonly endpoint: Endpoint }): ReactNode {
  if (endpoint.warm.length === 0) return null;
  return (
    <Group gap={4} wrap="nowrap">
      {endpoint.warm.map((held) => (
        <StatusBadge key={held.version} tone="plain" title={warmText(held)}>
          {`v${held.version}`}
        </StatusBadge>
      ))}
    </Group>
  );
}

function warmText({ placement, runP99Us, loadMs }: Endpoint['warm'][number]): string {
  const place = placement === 'main' ? 'the main process' : 'a worker';
  return `runs in ${place}, p99 ${formatMicroseconds(runP99Us)}, loaded in ${formatCount(loadMs)} ms`;
}
