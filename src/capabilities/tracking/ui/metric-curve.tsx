import { Group, SegmentedControl, Text, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, type ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { Chart } from '../../../web/kit/chart.tsx';
import { formatCounted, formatValue } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { useRoutePages } from '../../../web/kit/use-route.ts';
import { metricHistory, type MetricPoint, type Run } from '../contract.ts';
import { curveOf, curveOption } from './curve.ts';

/** More points than pixels, and few enough to fetch again while a run goes on. */
const POINTS_MAX = 10_000;
const POLL_MS = 5000;

interface MetricCurveProps {
  readonly run: Run;
  readonly metric: string;
}

/** One metric over the steps of its run, or over time. */
export function MetricCurve({ run, metric }: MetricCurveProps): ReactNode {
  const { axis } = useSearch({ from: '/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const points = useRoutePages(
    metricHistory,
    { params: { run: run.id, key: metric }, query: { limit: PAGE_LIMIT_MAX } },
    {
      subjects: [`run/${run.id}`],
      ...(run.status === 'RUNNING' ? { pollMs: POLL_MS } : {}),
    },
  );
  const { items, hasMore, isLoadingMore, loadMore } = points;
  const wantsMore = hasMore && !isLoadingMore && (items?.length ?? 0) < POINTS_MAX;
  useEffect(() => {
    if (wantsMore) loadMore();
  });
  return (
    <>
      <Group justify="space-between" gap="xs" mb="xs">
        <Title order={3} style={{ overflowWrap: 'anywhere' }}>
          {metric}
        </Title>
        <SegmentedControl
          size="xs"
          aria-label="Drawn over"
          data={[
            { value: 'step', label: 'by step' },
            { value: 'time', label: 'by time' },
          ]}
          value={axis ?? 'step'}
          onChange={(value) =>
            void navigate({
              search: (was) => ({ ...was, axis: value === 'time' ? 'time' : undefined }),
              resetScroll: false,
            })
          }
        />
      </Group>
      <Loaded query={{ ...points, data: items }} height={240}>
        {(read) => <Curve points={read} metric={metric} axis={axis ?? 'step'} hasMore={hasMore} />}
      </Loaded>
    </>
  );
}

interface CurveProps {
  readonly points: readonly MetricPoint[];
  readonly metric: string;
  readonly axis: 'step' | 'time';
  readonly hasMore: boolean;
}

function Curve({ points, metric, axis, hasMore }: CurveProps): ReactNode {
  const option = useMemo(
    () => curveOption(curveOf(points, axis), { metric, axis }),
    [points, metric, axis],
  );
  const rows = useMemo(
    () => ({
      header: ['step', 'time (wall clock)', metric],
      rows: points.map(({ step, at, value }) => [step, at, value]),
    }),
    [points, metric],
  );
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const unknown = points.length - values.length;
  const [least, most] = extremes(values);
  const text = [
    formatCounted(points.length, 'value'),
    ...(values.length === 0 ? [] : [`least ${formatValue(least)}, most ${formatValue(most)}`]),
    ...(unknown === 0 ? [] : [`${formatCounted(unknown, 'NaN', 'NaN')} left out`]),
    ...(hasMore ? ['later ones are not drawn'] : []),
  ].join('; ');
  return (
    <>
      <Chart name={metric} description={`by ${axis}; ${text}`} option={option} rows={rows} />
      <Text size="xs" c="dimmed">
        {text}
      </Text>
    </>
  );
}

function extremes(values: readonly number[]): readonly [number, number] {
  return values.reduce<readonly [number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}
