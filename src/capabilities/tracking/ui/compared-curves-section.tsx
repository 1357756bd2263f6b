import { Group, SegmentedControl, Select, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { PAGE_LIMIT_MAX } from '../../../base/page.ts';
import { Chart } from '../../../web/kit/chart.tsx';
import { formatCounted } from '../../../web/kit/format.ts';
import { Loaded } from '../../../web/kit/loaded.tsx';
import { Section } from '../../../web/kit/section.tsx';
import { useWholeLists } from '../../../web/kit/use-routes.ts';
import { metricHistory, type Run } from '../contract.ts';
import {
  comparedCsv,
  comparedOption,
  SMOOTHINGS,
  undrawable,
  type Drawing,
  type RunCurve,
  type Scale,
  type Smoothing,
} from './compared-curves.ts';
import { metricRows, runNames } from './compared-runs.ts';
import { curveOf, type Axis } from './curve.ts';

/** More points than pixels, and few enough to read of several runs. */
const POINTS_MAX = 5000;
const POLL_MS = 10_000;
const HEIGHT = 320;

/** One metric of all the runs over each other. */
export function ComparedCurvesSection({ runs }: { readonly runs: readonly Run[] }): ReactNode {
  const metrics = useMemo(() => metricRows(runs).map(({ key }) => key), [runs]);
  const {
    metric = metrics[0],
    axis = 'step',
    scale = 'linear',
    smooth = 0,
  } = useSearch({
    from: '/runs/compare',
  });
  if (metric === undefined) return null;
  const drawing = { metric, axis, scale, smoothing: smooth };
  return (
    <Section title="Curves" aside={<Choices metrics={metrics} drawing={drawing} />}>
      <Curves runs={runs} drawing={drawing} />
    </Section>
  );
}

interface ChoicesProps {
  readonly metrics: readonly string[];
  readonly drawing: Drawing;
}

function Choices({ metrics, drawing }: ChoicesProps): ReactNode {
  const navigate = useNavigate({ from: '/runs/compare' });
  const set = (change: {
    readonly metric?: string | undefined;
    readonly axis?: Axis | undefined;
    readonly scale?: Scale | undefined;
    readonly smooth?: Smoothing | undefined;
  }): void => {
    void navigate({ search: (was) => ({ ...was, ...change }), resetScroll: false });
  };
  return (
    <Group gap="xs">
      <Select
        size="xs"
        aria-label="Metric drawn"
        searchable
        allowDeselect={false}
        data={[...metrics]}
        value={drawing.metric}
        onChange={(value) => {
          set({ metric: value ?? undefined });
        }}
      />
      <SegmentedControl
        size="xs"
        aria-label="Drawn over"
        data={[
          { value: 'step', label: 'by step' },
          { value: 'time', label: 'by time' },
        ]}
        value={drawing.axis}
        onChange={(value) => {
          set({ axis: value === 'time' ? 'time' : undefined });
        }}
      />
      <SegmentedControl
        size="xs"
        aria-label="Scale"
        data={[
          { value: 'linear', label: 'linear' },
          { value: 'log', label: 'log' },
        ]}
        value={drawing.scale}
        onChange={(value) => {
          set({ scale: value === 'log' ? 'log' : undefined });
        }}
      />
      <Select
        size="xs"
        w={170}
        aria-label="Smoothing"
        allowDeselect={false}
        data={SMOOTHINGS.map((one) => ({
          value: String(one),
          label: one === 0 ? 'as measured' : `smoothed (EMA ${one})`,
        }))}
        value={String(drawing.smoothing)}
        onChange={(value) => {
          const smooth = SMOOTHINGS.find((one) => String(one) === value);
          set({ smooth: smooth === 0 ? undefined : smooth });
        }}
      />
    </Group>
  );
}

interface CurvesProps {
  readonly runs: readonly Run[];
  readonly drawing: Drawing;
}

function Curves({ runs, drawing }: CurvesProps): ReactNode {
  const { metric } = drawing;
  const own = runs.filter(({ metrics }) => metrics.some(({ key }) => key === metric));
  const isRunning = runs.some(({ status }) => status === 'RUNNING');
  const read = useWholeLists(
    metricHistory,
    own.map(({ id }) => ({ params: { run: id, key: metric }, query: { limit: PAGE_LIMIT_MAX } })),
    { subjects: ['run'], itemsMax: POINTS_MAX, ...(isRunning ? { pollMs: POLL_MS } : {}) },
  );
  return (
    <Loaded query={read} height={HEIGHT}>
      {(lists) => <Drawn runs={runs} lists={lists} own={own} drawing={drawing} />}
    </Loaded>
  );
}

interface DrawnProps extends CurvesProps {
  readonly own: readonly Run[];
  readonly lists: NonNullable<ReturnType<typeof useWholeLists<typeof metricHistory>>['data']>;
}

function Drawn({ runs, own, lists, drawing }: DrawnProps): ReactNode {
  const { metric, axis, scale, smoothing } = drawing;
  const curves = useMemo(() => {
    const names = runNames(runs);
    // Every run keeps its place, and with it its colour, whether or not it has the metric.
    return runs.map((run, at): RunCurve => {
      const list = lists[own.indexOf(run)];
      return { name: names[at]!, points: list === undefined ? [] : curveOf(list.items, axis) };
    });
  }, [runs, own, lists, axis]);
  const drawn = useMemo(
    () => ({
      option: comparedOption(curves, { metric, axis, scale, smoothing }),
      rows: comparedCsv(curves, { metric, axis, scale, smoothing }),
    }),
    [curves, metric, axis, scale, smoothing],
  );
  const missing = runs.length - own.length;
  const gone = undrawable(curves, scale);
  const notes = [
    `by ${axis}${axis === 'time' ? ' since each run’s first value' : ''}`,
    ...(smoothing === 0
      ? []
      : [
          `smoothed: an exponential moving average of weight ${smoothing}, the measured values faint`,
        ]),
    ...(missing === 0 ? [] : [`${formatCounted(missing, 'run')} without it`]),
    ...(gone === 0
      ? []
      : [`${formatCounted(gone, 'value')} of 0 or below have no logarithm and are left out`]),
    ...(lists.some(({ hasMore }) => hasMore) ? ['later values are not drawn'] : []),
  ].join('; ');
  const description = curves
    .map(({ name, points }) => `${name} ${formatCounted(points.length, 'value')}`)
    .join(', ');
  return (
    <>
      <Chart
        name={`${metric} of ${formatCounted(runs.length, 'run')}`}
        description={`${notes}; ${description}`}
        option={drawn.option}
        height={HEIGHT}
        rows={drawn.rows}
      />
      <Text size="xs" c="dimmed">
        {notes}
      </Text>
    </>
  );
}
