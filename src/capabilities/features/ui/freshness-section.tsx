import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCount, formatShort } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import { TableLink } from '../../../web/kit/table-link.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getTable } from '../../tables/contract.ts';
import { getWatermarks, type FeatureWatermark } from '../contract.ts';

const POLL_MS = 3000;
const VIEWS_SHOWN = 60;

const COLUMNS: readonly Column<FeatureWatermark>[] = [
  {
    id: 'table',
    header: 'Table',
    value: ({ table }) => table,
    cell: ({ table }) => <TableLink table={table} />,
  },
  {
    id: 'version',
    header: 'Shows',
    value: ({ version }) => version,
    cell: (watermark) => <Shown watermark={watermark} />,
  },
  {
    id: 'views',
    header: 'Views',
    value: ({ views }) => views.join(', '),
    cell: ({ views }) => (
      <span title={views.join(', ')}>{formatShort(views.join(', '), VIEWS_SHOWN)}</span>
    ),
  },
  {
    id: 'state',
    header: 'State',
    value: ({ building, error }) => error ?? (building.length > 0 ? building.join(', ') : 'ready'),
    cell: (watermark) => <State watermark={watermark} />,
  },
];

/** How far the online store is behind each table it is made of. */
export function FreshnessSection(): ReactNode {
  const watermarks = useRoute(
    getWatermarks,
    { query: {} },
    { subjects: ['features', 'table'], pollMs: POLL_MS },
  );
  return (
    <Card label="Freshness">
      <Loaded query={watermarks} height={120}>
        {({ items }) =>
          items.length === 0 ? (
            <>
              <Title order={2} mb="xs">
                Freshness
              </Title>
              <Text size="sm" c="dimmed">
                No view is read online yet: it follows within seconds of an apply.
              </Text>
            </>
          ) : (
            <DataTable
              name="Freshness"
              heading={<Title order={2}>Freshness of online features</Title>}
              columns={COLUMNS}
              rows={items}
              rowId={({ table }) => table}
              minWidth={560}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

function Shown({ watermark }: { readonly watermark: FeatureWatermark }): ReactNode {
  const { table, version } = watermark;
  const [namespace = '', name = ''] = table.split('.');
  const found = useRoute(
    getTable,
    { params: { namespace, name }, query: {} },
    { subjects: ['table'] },
  );
  const newest = found.data?.version;
  const shown = version === null ? 'nothing yet' : `version ${formatCount(version)}`;
  if (newest === undefined || newest <= (version ?? -1)) return shown;
  return (
    <>
      {shown}
      <Text span inherit c="dimmed">
        {` of ${formatCount(newest)}`}
      </Text>
    </>
  );
}

function State({ watermark }: { readonly watermark: FeatureWatermark }): ReactNode {
  const { building, error } = watermark;
  if (error !== null) {
    return (
      <>
        <StatusBadge tone="bad">held back</StatusBadge>
        <span style={{ whiteSpace: 'normal' }}>{` ${error}`}</span>
      </>
    );
  }
  if (building.length === 0) return 'ready';
  return <StatusBadge tone="warn">{`building ${building.join(', ')}`}</StatusBadge>;
}
