import { EmptyState, Grid, Title, UnstyledButton } from '@mantine/core';
import { IconChartLine } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatShort, formatValue } from '../../../web/kit/format.ts';
import { Card, Section } from '../../../web/kit/section.tsx';
import type { Run } from '../contract.ts';
import classes from './metrics-section.module.css';
import { MetricCurve } from './metric-curve.tsx';

type Metric = Run['metrics'][number];

const ROWS_SHOWN = 8;

/** Last values, and how the chosen one came about. */
export function MetricsSection({ run }: { readonly run: Run }): ReactNode {
  const { metric } = useSearch({ from: '/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const chosen = run.metrics.find(({ key }) => key === metric) ?? run.metrics[0];
  const columns = useMemo(
    () =>
      metricColumns(chosen?.key, (key) => {
        void navigate({ search: (was) => ({ ...was, metric: key }), resetScroll: false });
      }),
    [chosen?.key, navigate],
  );
  if (chosen === undefined) return <NoMetrics />;
  return (
    <Card label="Metrics">
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 5 }}>
          <DataTable
            name="Metrics"
            heading={<Title order={2}>Metrics</Title>}
            columns={columns}
            rows={run.metrics}
            rowId={({ key }) => key}
            pageSize={ROWS_SHOWN}
            minWidth={260}
            canFilter={run.metrics.length > ROWS_SHOWN}
          />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 7 }}>
          <MetricCurve key={chosen.key} run={run} metric={chosen.key} />
        </Grid.Col>
      </Grid>
    </Card>
  );
}

function metricColumns(
  chosen: string | undefined,
  choose: (key: string) => void,
): readonly Column<Metric>[] {
  return [
    {
      id: 'key',
      header: 'Metric',
      value: ({ key }) => key,
      cell: ({ key }) => (
        <UnstyledButton
          className={classes['choose']}
          aria-pressed={key === chosen}
          title={`Draw ${key}`}
          onClick={() => {
            choose(key);
          }}
        >
          {formatShort(key, 36)}
        </UnstyledButton>
      ),
    },
    {
      id: 'value',
      header: 'Last value',
      isNumeric: true,
      value: ({ value }) => value ?? Number.NaN,
      cell: ({ value }) => formatValue(value),
    },
    { id: 'step', header: 'Step', isNumeric: true, value: ({ step }) => step },
  ];
}

function NoMetrics(): ReactNode {
  return (
    <Section title="Metrics">
      <EmptyState
        icon={<IconChartLine aria-hidden />}
        title="Nothing was measured"
        description="mlflow.log_metric in the script makes its values appear here as they come."
      />
    </Section>
  );
}
