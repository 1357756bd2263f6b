import { useMemo, type ReactNode } from 'react';
import { formatInstant, micros, MICROS_PER_SECOND } from '../../base/time.ts';
import type { TrafficPoint } from '../../capabilities/predictions/contract.ts';
import { Chart, type ChartOption } from './chart.tsx';
import { formatCount, formatRate } from './format.ts';
import { versionColor } from './version-color.ts';
import { secondOf, TRAFFIC_SECONDS, trafficChart, type TrafficChart } from './traffic.ts';

/** As many areas as the palette has colours that can be told apart. */
const SERIES_LIMIT = 8;

interface LiveTrafficProps {
  readonly points: readonly TrafficPoint[];
  /** Domain time: the end of the window drawn. */
  readonly now: string;
}

/** Requests a second of the last ten minutes, by endpoint and version. */
export function LiveTraffic({ points, now }: LiveTrafficProps): ReactNode {
  const drawn = useMemo(() => {
    const newest = points.reduce((end, point) => Math.max(end, secondOf(point.now)), secondOf(now));
    const chart = trafficChart(points, { end: newest, limit: SERIES_LIMIT });
    return { chart, option: optionOf(chart, newest, colorsOf(points)), rows: rowsOf(chart) };
  }, [points, now]);
  return (
    <Chart
      name="Requests a second by version"
      description={describe(drawn.chart)}
      option={drawn.option}
      rows={drawn.rows}
    />
  );
}

/** Versions of one endpoint have their own colours; of several they would be alike. */
function colorsOf(points: readonly TrafficPoint[]): (version: number | null) => string | null {
  const [first] = points;
  const isOne = points.every(({ endpoint }) => endpoint === first?.endpoint);
  return (version) => (isOne && version !== null ? versionColor(version) : null);
}

function rowsOf({ bins, series }: TrafficChart) {
  const at = (second: number): string => formatInstant(micros(second * MICROS_PER_SECOND));
  return {
    header: ['from (domain clock)', 'seconds', ...series.map(({ name }) => name)],
    rows: bins.map(({ start, seconds }, index) => [
      at(start),
      seconds,
      ...series.map(({ counts }) => counts[index] ?? 0),
    ]),
  };
}

function describe({ series }: TrafficChart): string {
  if (series.length === 0) return 'no requests in the last ten minutes';
  const totals = series.map(({ name, counts }) => {
    const requests = counts.reduce((sum, count) => sum + count, 0);
    return `${name} ${formatCount(requests)}`;
  });
  return `the last ten minutes of domain time; requests in all: ${totals.join(', ')}`;
}

function optionOf(
  { bins, series }: TrafficChart,
  end: number,
  colorOf: (version: number | null) => string | null,
): ChartOption {
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
    series: series.map(({ name, version, counts }) => ({
      name,
      ...coloured(colorOf(version)),
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

function coloured(color: string | null): { readonly itemStyle?: { readonly color: string } } {
  return color === null ? {} : { itemStyle: { color } };
}

/** `06:00` or, off the whole minute, `06:00:30`; UTC. */
function clockText(ms: number): string {
  const text = formatInstant(micros(Math.round(ms / 1000) * MICROS_PER_SECOND)).slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}
