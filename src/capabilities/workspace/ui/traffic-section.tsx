import { Select } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { formatInstant, micros, MICROS_PER_SECOND } from '../../../base/time.ts';
import { Chart, type ChartOption } from '../../../web/kit/chart.tsx';
import { formatCount, formatRate } from '../../../web/kit/format.ts';
import { Section } from '../../../web/kit/section.tsx';
import type { TrafficPoint } from '../../predictions/contract.ts';
import type { Endpoint } from '../../serving/contract.ts';
import { secondOf, TRAFFIC_SECONDS, trafficChart, type TrafficChart } from './traffic.ts';

/** As many areas as the palette has colours that can be told apart. */
const SERIES_LIMIT = 8;

interface TrafficSectionProps {
  readonly points: readonly TrafficPoint[];
  /** Domain time: the end of the window drawn. */
  readonly now: string;
  readonly endpoints: readonly Endpoint[];
  readonly endpoint: string | undefined;
}

/** Who served how much, second by second. */
export function TrafficSection(props: TrafficSectionProps): ReactNode {
  const { points, now, endpoints, endpoint } = props;
  const navigate = useNavigate({ from: '/' });
  const drawn = useMemo(() => {
    const shown = points.filter((point) => endpoint === undefined || point.endpoint === endpoint);
    const newest = shown.reduce((end, point) => Math.max(end, secondOf(point.now)), secondOf(now));
    const chart = trafficChart(shown, { end: newest, limit: SERIES_LIMIT });
    return { chart, option: optionOf(chart, newest) };
  }, [points, now, endpoint]);

  return (
    <Section
      title="Traffic by version"
      aside={
        <Select
          size="xs"
          aria-label="Endpoint drawn"
          placeholder="All endpoints"
          clearable
          searchable
          data={endpoints.map(({ name }) => name)}
          value={endpoint ?? null}
          onChange={(value) =>
            void navigate({
              search: (search) => ({ ...search, endpoint: value ?? undefined }),
              resetScroll: false,
            })
          }
        />
      }
    >
      <Chart
        name="Requests a second by version"
        description={describe(drawn.chart)}
        option={drawn.option}
      />
    </Section>
  );
}

function describe({ series }: TrafficChart): string {
  if (series.length === 0) return 'no requests in the last ten minutes';
  const totals = series.map(({ name, counts }) => {
    const requests = counts.reduce((sum, count) => sum + count, 0);
    return `${name} ${formatCount(requests)}`;
  });
  return `the last ten minutes of domain time; requests in all: ${totals.join(', ')}`;
}

function optionOf({ bins, series }: TrafficChart, end: number): ChartOption {
  const time = (second: number): number => second * 1000;
  return {
    grid: { left: 44, right: 12, top: 36, bottom: 24 },
    legend: {
      type: 'scroll',
      top: 0,
      left: 0,
      right: 0,
      icon: 'roundRect',
      itemWidth: 10,
      itemHeight: 10,
    },
    tooltip: {
      trigger: 'axis',
      confine: true,
      axisPointer: { type: 'line', label: { show: false } },
      valueFormatter: (value) => `${formatRate(Number(value))}/s`,
    },
    xAxis: {
      type: 'time',
      min: time(end - TRAFFIC_SECONDS + 1),
      max: time(end),
      axisLabel: { formatter: (ms: number) => clockText(ms), hideOverlap: true },
      axisPointer: { label: { formatter: ({ value }) => clockText(Number(value)) } },
    },
    yAxis: { type: 'value', minInterval: 1, min: 0, splitNumber: 4 },
    series: series.map(({ name, counts }) => ({
      name,
      type: 'line',
      stack: 'requests',
      showSymbol: false,
      lineStyle: { width: 1 },
      areaStyle: { opacity: 0.7 },
      emphasis: { disabled: true },
      data: bins.map(({ start, seconds }, index) => [time(start), (counts[index] ?? 0) / seconds]),
    })),
  };
}

/** `06:00` or, off the whole minute, `06:00:30`; UTC. */
function clockText(ms: number): string {
  const text = formatInstant(micros(Math.round(ms / 1000) * MICROS_PER_SECOND)).slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}
