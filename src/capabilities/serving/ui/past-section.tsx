import { Alert, EmptyState, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconChartBar } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { formatInstant, micros, parseInstant } from '../../../base/time.ts';
import { Chart, type ChartPoint } from '../../../web/kit/chart.tsx';
import { chartTime } from '../../../web/kit/day-axis.ts';
import { formatCount } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useRoute } from '../../../web/kit/use-route.ts';
import { getTrafficHistory, type TrafficHistory } from '../../predictions/contract.ts';
import type { RouteRevision } from '../contract.ts';
import { PastDays } from './past-days.tsx';
import { pastOption } from './past-option.ts';
import { measured, pastChart, type Measure, type PastSeries } from './past-traffic.ts';

const DAY_MICROS = 86_400_000_000;
const DAYS_DEFAULT = 92;
const POLL_MS = 30_000;

const MEASURES: readonly { readonly value: Measure; readonly label: string }[] = [
  { value: 'requests', label: 'Requests' },
  { value: 'errors', label: 'Errors' },
  { value: 'p50', label: 'p50' },
  { value: 'p99', label: 'p99' },
];

interface PastSectionProps {
  readonly endpoint: string;
  /** Domain time. */
  readonly now: string;
  readonly revisions: readonly RouteRevision[];
}

/** What was answered day by day, by whom and how well, from the log. */
export function PastSection({ endpoint, now, revisions }: PastSectionProps): ReactNode {
  const { days = DAYS_DEFAULT } = useSearch({ from: '/endpoints/$endpoint' });
  // The start moves once a day, so that the question stays the same in between.
  const today = Math.floor((parseInstant(now) ?? 0) / DAY_MICROS);
  const from = formatInstant(micros((today - days + 1) * DAY_MICROS));
  const history = useRoute(
    getTrafficHistory,
    { params: { endpoint }, query: { from, every: 'day' } },
    { subjects: [`monitor/${endpoint}`], pollMs: POLL_MS },
  );
  return (
    <Section title="Traffic day by day" aside={<Choices />}>
      <Loaded query={history} height={300}>
        {(found) => <Past history={found} revisions={revisions} />}
      </Loaded>
    </Section>
  );
}

interface PastProps {
  readonly history: TrafficHistory;
  readonly revisions: readonly RouteRevision[];
}

function Past({ history, revisions }: PastProps): ReactNode {
  const { measure = 'requests', by = 'version' } = useSearch({ from: '/endpoints/$endpoint' });
  const navigate = useNavigate({ from: '/endpoints/$endpoint' });
  const chart = useMemo(() => pastChart(history.items, by), [history, by]);
  const option = useMemo(
    () =>
      pastOption({
        chart,
        measure,
        from: chartTime(history.from),
        until: chartTime(history.until),
        revisions,
      }),
    [chart, measure, history, revisions],
  );
  if (history.items.length === 0) {
    return (
      <EmptyState
        icon={<IconChartBar aria-hidden />}
        title="Nothing was answered in these days"
        description="Answered requests appear here within seconds, and stay."
      />
    );
  }
  const openDay = ({ seriesIndex, index }: ChartPoint): void => {
    const one = chart.series[seriesIndex];
    const start = chart.starts[index];
    if (one === undefined || start === undefined) return;
    void navigate({ to: '/trace', search: requestsOf(history, one, start) });
  };
  return (
    <Stack gap="md">
      {history.isCut && (
        <Alert color="yellow">The oldest days are left out: there are too many rows.</Alert>
      )}
      <Chart
        name={`${history.endpoint} ${measure} by ${by}`}
        description={describe(chart.series, measure)}
        option={option}
        rows={rowsOf(history)}
        height={280}
        onPoint={openDay}
      />
      <Text size="xs" c="dimmed">
        Days of the domain clock, UTC. Dashed lines: route revisions. A click on a day opens its
        requests.
      </Text>
      <PastDays history={history} />
    </Stack>
  );
}

function requestsOf({ endpoint }: TrafficHistory, { version }: PastSeries, start: number) {
  const at = (ms: number): string => formatInstant(micros(ms * 1000));
  return {
    endpoint,
    from: at(start),
    until: at(start + DAY_MICROS / 1000),
    ...(version === null ? {} : { version }),
  };
}

function describe(series: readonly PastSeries[], measure: Measure): string {
  const parts = series.map(({ name, cells }) => {
    const values = cells.flatMap((cell) => (cell === null ? [] : [measured(cell, measure)]));
    const most = Math.max(...values);
    return measure === 'requests'
      ? `${name} ${formatCount(values.reduce((sum, value) => sum + value, 0))}`
      : `${name} at most ${Number(most.toFixed(2))}`;
  });
  return `by day: ${parts.join(', ')}`;
}

function rowsOf({ items }: TrafficHistory) {
  return {
    header: ['day (domain clock)', 'arm', 'version', 'requests', 'errors', 'p50 us', 'p99 us'],
    rows: items.map((one) => [
      one.from,
      one.arm,
      one.modelVersion,
      one.requests,
      one.errors,
      one.p50Us,
      one.p99Us,
    ]),
  };
}

/** What is drawn; kept in the address. */
function Choices(): ReactNode {
  const search = useSearch({ from: '/endpoints/$endpoint' });
  const navigate = useNavigate({ from: '/endpoints/$endpoint' });
  const set = (changed: Partial<typeof search>): void =>
    void navigate({ search: (former) => ({ ...former, ...changed }), resetScroll: false });
  return (
    <Group gap="xs">
      <SegmentedControl
        size="xs"
        aria-label="Measure"
        data={[...MEASURES]}
        value={search.measure ?? 'requests'}
        onChange={(measure) => {
          set({ measure });
        }}
      />
      <SegmentedControl
        size="xs"
        aria-label="Grouped"
        data={[
          { value: 'version', label: 'by version' },
          { value: 'arm', label: 'by arm' },
        ]}
        value={search.by ?? 'version'}
        onChange={(by) => {
          set({ by });
        }}
      />
      <SegmentedControl
        size="xs"
        aria-label="Days"
        data={['28', '92', '365'].map((value) => ({ value, label: `${value} d` }))}
        value={String(search.days ?? DAYS_DEFAULT)}
        onChange={(days) => {
          set({ days: Number(days) as 28 | 92 | 365 });
        }}
      />
    </Group>
  );
}
