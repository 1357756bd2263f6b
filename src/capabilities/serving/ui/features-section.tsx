import { Alert, Group, Text, Title } from '@mantine/core';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCounted, formatShort, formatValue } from '../../../web/kit/format.ts';
import { Card } from '../../../web/kit/section.tsx';
import { StatusBadge } from '../../../web/kit/status-badge.tsx';
import type { TracedFeatures } from '../contract.ts';
import { agreement, featureRows, type FeatureRow } from './feature-rows.ts';

const ROWS_SHOWN = 15;

/** What the model was asked with, and whether the same values come out of the tables. */
export function FeaturesSection(props: { readonly features: TracedFeatures }): ReactNode {
  const { features } = props;
  const rows = useMemo(() => featureRows(features), [features]);
  const columns = useMemo(() => columnsOf(features.rows.length > 1), [features.rows.length]);
  return (
    <Card label="Features">
      {features.notRecomputed !== null && (
        <Alert color="yellow" mb="sm" title="Nothing was recomputed">
          {features.notRecomputed}
        </Alert>
      )}
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          The values were too long to be logged.
        </Text>
      ) : (
        <DataTable
          name="Features"
          heading={
            <Group gap="sm">
              <Title order={2}>Features</Title>
              <AgreementBadge rows={rows} />
            </Group>
          }
          columns={columns}
          rows={rows}
          rowId={({ row, name }) => `${row} ${name}`}
          pageSize={ROWS_SHOWN}
          minWidth={440}
          canFilter={rows.length > ROWS_SHOWN}
        />
      )}
    </Card>
  );
}

function AgreementBadge({ rows }: { readonly rows: readonly FeatureRow[] }): ReactNode {
  const { same, different } = agreement(rows);
  if (different > 0) {
    const text = `${formatCounted(different, 'value')} recomputed otherwise`;
    return <StatusBadge tone="bad">{text}</StatusBadge>;
  }
  if (same === 0) return null;
  return (
    <StatusBadge tone="good">{`${formatCounted(same, 'value')} recomputed alike`}</StatusBadge>
  );
}

function columnsOf(isBatch: boolean): readonly Column<FeatureRow>[] {
  const columns: readonly Column<FeatureRow>[] = [
    {
      id: 'name',
      header: 'Feature',
      value: ({ name }) => name,
      cell: ({ name }) => <span title={name}>{formatShort(name, 56)}</span>,
    },
    {
      id: 'served',
      header: 'Served',
      isNumeric: true,
      value: ({ served }) => served,
      cell: ({ served }) => <Value value={served} />,
    },
    {
      id: 'recomputed',
      header: 'Recomputed',
      isNumeric: true,
      value: ({ recomputed }) => recomputed ?? null,
      cell: ({ recomputed }) => (recomputed === undefined ? '' : <Value value={recomputed} />),
    },
    {
      id: 'same',
      header: 'Alike',
      value: ({ isSame }) => (isSame === null ? null : isSame ? 'yes' : 'no'),
      cell: ({ isSame }) =>
        isSame === false ? <StatusBadge tone="bad">differs</StatusBadge> : isSame ? 'yes' : '',
    },
  ];
  if (!isBatch) return columns;
  return [{ id: 'row', header: 'Row', isNumeric: true, value: ({ row }) => row }, ...columns];
}

/** All digits on demand: two values that differ in the last one look the same here. */
function Value({ value }: { readonly value: number | null }): ReactNode {
  if (value === null) return <Text span inherit c="dimmed" children="missing" />;
  return <span title={String(value)}>{formatValue(value)}</span>;
}
