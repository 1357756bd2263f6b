import { Text, Title } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatDigest, formatMicroseconds, formatShare } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { trafficColumns } from '../../../web/kit/traffic-columns.tsx';
import { secondOf, sumTraffic, type TrafficSum } from '../../../web/kit/traffic.ts';
import type { TrafficPoint } from '../../predictions/contract.ts';
import { BUCKETS, type Endpoint, type RouteRevision } from '../contract.ts';

interface ArmsSectionProps {
  readonly endpoint: Endpoint;
  readonly route: RouteRevision;
  readonly points: readonly TrafficPoint[];
  readonly now: string;
}

interface Row {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly digest: string | null;
  /** Null for one that is only held warm. */
  readonly arm: string | null;
  readonly weight: number;
  readonly warm: Endpoint['warm'][number] | null;
  readonly traffic: TrafficSum;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'version',
    header: 'Version',
    value: ({ model, version }) => `${model} v${version}`,
    cell: ({ model, version, digest }) => (
      <PageLink
        to="/models/$model/versions/$version"
        params={{ model, version: String(version) }}
        title={digest === null ? undefined : formatDigest(digest)}
      >
        {`${model} v${version}`}
      </PageLink>
    ),
  },
  {
    id: 'arm',
    header: 'Arm',
    value: ({ arm }) => arm,
    cell: ({ arm }) =>
      arm ?? (
        <Text span inherit c="dimmed">
          held for a rollback
        </Text>
      ),
  },
  {
    id: 'weight',
    header: 'Share',
    isNumeric: true,
    value: ({ weight }) => weight / BUCKETS,
    cell: ({ weight }) => formatShare(weight, BUCKETS),
  },
  ...trafficColumns<Row>(({ endpoint, version }) => ({ endpoint, version })),
  {
    id: 'runs',
    header: 'Runs in',
    value: ({ warm }) => warm?.placement ?? null,
    cell: ({ warm }) => (warm === null ? null : placementText(warm)),
  },
];

function placementText({ placement, runP99Us }: Endpoint['warm'][number]): string {
  const place = placement === 'main' ? 'the main process' : 'a worker';
  return `${place}, p99 ${formatMicroseconds(runP99Us)} alone`;
}

/** Which versions answer which share of the traffic and how, and what a rollback would find. */
export function ArmsSection(props: ArmsSectionProps): ReactNode {
  const { endpoint, route, points, now } = props;
  const rows = useMemo(
    () => rowsOf({ endpoint, route, points, now }),
    [endpoint, route, points, now],
  );
  return (
    <Card label="Serving">
      <DataTable
        name="Serving"
        heading={<Title order={2}>Serving</Title>}
        columns={COLUMNS}
        rows={rows}
        rowId={({ arm, version }) => `${arm ?? ''} ${version}`}
        minWidth={760}
      />
    </Card>
  );
}

function rowsOf({ endpoint, route, points, now }: ArmsSectionProps): readonly Row[] {
  const byVersion = Map.groupBy(points, ({ modelVersion }) => modelVersion);
  const end = secondOf(now);
  const row = (version: number): Omit<Row, 'arm' | 'weight' | 'digest'> => ({
    endpoint: endpoint.name,
    model: endpoint.model,
    version,
    warm: endpoint.warm.find((held) => held.version === version) ?? null,
    traffic: sumTraffic(byVersion.get(version) ?? [], end),
  });
  const routed = new Set(route.arms.map(({ version }) => version));
  return [
    ...route.arms.map(({ name, version, weight, digest }) => ({
      ...row(version),
      arm: name,
      weight,
      digest,
    })),
    ...endpoint.warm
      .filter(({ version }) => !routed.has(version))
      .map(({ version }) => ({ ...row(version), arm: null, weight: 0, digest: null })),
  ];
}
