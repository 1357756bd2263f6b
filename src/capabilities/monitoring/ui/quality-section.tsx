import { EmptyState, Stack, Text, Title } from '@mantine/core';
import { IconTargetArrow } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { Chart, type ChartPoint } from '../../../web/kit/chart.tsx';
import { DataTable, type Column } from '../../../web/kit/data-table.tsx';
import { formatCount, formatShare } from '../../../web/kit/format.ts';
import { PageLink } from '../../../web/kit/link.tsx';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import {
  qualityHistory,
  type QualityDay,
  type QualityHistory,
  type QualityReference,
} from '../contract.ts';
import { dayText } from './day-range.ts';
import { four, pickedDay, qualityOption, qualityRows, qualityText } from './quality-chart.ts';

const CHART_HEIGHT = 340;
const ROWS_SHOWN = 7;

interface QualitySectionProps {
  readonly monitor: string;
  /** Days before it are not drawn. */
  readonly from: string;
  readonly references: readonly QualityReference[];
}

/** Quality by version over domain time, with label coverage and what labels may still change. */
export function QualitySection({ monitor, from, references }: QualitySectionProps): ReactNode {
  const history = useRoute(
    qualityHistory,
    { params: { monitor }, query: { from } },
    { subjects: [`monitor/${monitor}`] },
  );
  return (
    <Section title="Quality over domain time">
      <Loaded query={history} height={CHART_HEIGHT}>
        {(data) =>
          data.label === null ? (
            <NoLabel />
          ) : data.days.length === 0 ? (
            <Text size="sm" c="dimmed">
              No evaluation has seen a request yet: the first one comes with the monitor’s next
              evaluation.
            </Text>
          ) : (
            <QualityOf history={data} references={references} />
          )
        }
      </Loaded>
    </Section>
  );
}

function NoLabel(): ReactNode {
  return (
    <EmptyState
      icon={<IconTargetArrow aria-hidden />}
      title="Nobody tells what came of the answers"
      description="Quality needs outcomes: declare a label in the section labels of millwright.yaml whose match is the key of this endpoint, or post labels."
    />
  );
}

interface QualityOfProps {
  readonly history: QualityHistory;
  readonly references: readonly QualityReference[];
}

function QualityOf({ history, references }: QualityOfProps): ReactNode {
  const navigate = useNavigate();
  const { monitor, metric, windowDays, coverage, label } = history;
  const own = references.filter((one) => one.metric === metric);
  const option = useMemo(() => qualityOption(history, own), [history, references]);
  const rows = useMemo(() => qualityRows(history), [history]);
  const text = qualityText(history);
  const open = (point: ChartPoint): void => {
    const day = pickedDay(history, point);
    if (day === null) return;
    const { from, until, version } = day;
    void navigate({ to: '/trace', search: { endpoint: monitor, from, until, version } });
  };
  return (
    <Stack gap="sm">
      <Chart
        name={`Quality of ${monitor}`}
        description={text}
        option={option}
        height={CHART_HEIGHT}
        rows={rows}
        onPoint={open}
      />
      <Text size="xs" c="dimmed">
        {`${text}. Lines: over the newest ${windowDays} whole days with a 95 % interval from how days differ; dots: single days; dashed: what a version had at first in traffic. Bars: share of requests with a label ${label ?? ''}; a day counts from ${formatShare(coverage, 1)} on (dashed). Shaded: not all had time for their label. Days of the domain clock, UTC.`}
      </Text>
      <DaysTable history={history} />
    </Stack>
  );
}

function DaysTable({ history }: { readonly history: QualityHistory }): ReactNode {
  const { monitor, metric, days } = history;
  const columns = useMemo(() => dayColumns(monitor, metric), [monitor, metric]);
  const newest = useMemo(() => days.toReversed(), [days]);
  return (
    <DataTable
      name={`Quality of ${monitor} by day`}
      heading={<Title order={3}>By day, the newest first</Title>}
      columns={columns}
      rows={newest}
      rowId={({ from, version }) => `${from} ${version}`}
      pageSize={ROWS_SHOWN}
      minWidth={640}
    />
  );
}

function dayColumns(monitor: string, metric: string): readonly Column<QualityDay>[] {
  return [
    {
      id: 'from',
      header: 'Day (domain clock, UTC)',
      value: ({ from }) => dayText(from),
      cell: ({ from, until, version }) => (
        <PageLink
          to="/trace"
          search={{ endpoint: monitor, from, until, version }}
          title="The requests of this day"
        >
          {dayText(from)}
        </PageLink>
      ),
    },
    { id: 'version', header: 'Version', value: ({ version }) => `v${version}` },
    { id: 'requests', header: 'Requests', isNumeric: true, value: ({ requests }) => requests },
    {
      id: 'labelled',
      header: 'Labelled',
      isNumeric: true,
      value: ({ labelled }) => labelled,
      cell: ({ labelled, requests }) =>
        labelled === null ? (
          'may still come'
        ) : (
          <span title={`${formatCount(labelled)} of ${formatCount(requests)}`}>
            {formatShare(labelled, requests)}
          </span>
        ),
    },
    {
      id: 'value',
      header: `${metric} of the day`,
      isNumeric: true,
      value: ({ value }) => value,
      cell: ({ value, isWhole, labelled }) =>
        value === null ? (labelled !== null && !isWhole ? 'does not count' : null) : four(value),
    },
    {
      id: 'window',
      header: 'Over the window',
      isNumeric: true,
      value: ({ window }) => window?.value ?? null,
      cell: ({ window }) =>
        window === null
          ? null
          : `${four(window.value)} (${four(window.lower)} to ${four(window.upper)})`,
    },
  ];
}
