import { chartTooltip } from '../../../web/kit/chart-tooltip.ts';
import type { ChartOption } from '../../../web/kit/chart.tsx';
import { chartTime, DAY_MS, dayText, stretchText } from '../../../web/kit/day-axis.ts';
import { formatCount, formatMicroseconds } from '../../../web/kit/format.ts';
import type { RouteRevision } from '../contract.ts';
import { measured, type Measure, type PastChart } from './past-traffic.ts';

/** As wide as a day is drawn in a quarter; fewer days get no wider bars. */
const BAR_WIDTH_MAX = 26;

interface PastDrawn {
  readonly chart: PastChart;
  readonly measure: Measure;
  /** Milliseconds since 1970: the ends of the time axis. */
  readonly from: number;
  readonly until: number;
  readonly revisions: readonly RouteRevision[];
}

/** The past of an endpoint over domain time, with a line where its route changed. */
export function pastOption({ chart, measure, from, until, revisions }: PastDrawn): ChartOption {
  const { starts, series } = chart;
  // What lies before the first day is nothing to look at.
  const first = Math.max(from, (starts[0] ?? from) - DAY_MS);
  const isBar = measure === 'requests';
  const marks = {
    silent: true,
    symbol: 'none',
    lineStyle: { type: 'dashed' as const, width: 1, color: '#8d96a3' },
    label: { formatter: '{b}', fontSize: 10, position: 'end' as const, color: '#8d96a3' },
    data: changesIn(revisions, first, until),
  };
  return {
    grid: { left: 56, right: 14, top: 44, bottom: 26 },
    legend: { type: 'scroll', top: 0, left: 0, right: 0, icon: 'roundRect', itemWidth: 10 },
    tooltip: {
      trigger: 'axis',
      confine: true,
      formatter: (points) => tooltipOf(Array.isArray(points) ? points : [points], measure),
    },
    xAxis: {
      type: 'time',
      min: first,
      max: until,
      minInterval: DAY_MS,
      axisLabel: { formatter: (ms: number) => dayText(ms), hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      min: 0,
      splitNumber: 4,
      axisLabel: { formatter: (value: number) => shown(value, measure) },
    },
    series: series.map(({ name, color, cells }, index) => ({
      name,
      ...(color === null ? {} : { itemStyle: { color }, lineStyle: { color, width: 1.5 } }),
      ...(isBar
        ? { type: 'bar' as const, stack: 'requests', barMaxWidth: BAR_WIDTH_MAX }
        : { type: 'line' as const, showSymbol: true, symbolSize: 5 }),
      // In the middle of its day.
      data: starts.map((start, at) => {
        const cell = cells[at] ?? null;
        return [start + DAY_MS / 2, cell === null ? null : measured(cell, measure)];
      }),
      ...(index === 0 ? { markLine: marks } : {}),
    })),
  };
}

/** One mark a day: a drill is two revisions, and labels must stay readable. */
function changesIn(revisions: readonly RouteRevision[], from: number, until: number) {
  const inside = revisions.filter(({ now }) => {
    const at = chartTime(now);
    return at >= from && at < until;
  });
  const days = Map.groupBy(inside, ({ now }) => Math.floor(chartTime(now) / DAY_MS));
  return [...days.values()].map((own) => {
    const [newest] = own;
    const name =
      own.length === 1 ? `r${newest!.revision}` : `r${newest!.revision} +${own.length - 1}`;
    return { name, xAxis: chartTime(newest!.now) };
  });
}

function tooltipOf(points: readonly object[], measure: Measure): HTMLElement {
  const drawn = points as readonly {
    readonly seriesName: string;
    readonly color: string;
    readonly value: readonly [number, number | null];
  }[];
  const day = (drawn[0]?.value[0] ?? 0) - DAY_MS / 2;
  return chartTooltip(
    `${stretchText(day)} (domain clock, UTC)`,
    drawn.flatMap(({ seriesName, color, value: [, value] }) =>
      value === null ? [] : [{ color, label: seriesName, value: shown(value, measure) }],
    ),
  );
}

/** With its unit. */
function shown(value: number, measure: Measure): string {
  switch (measure) {
    case 'requests':
      return formatCount(value);
    case 'errors':
      return `${Number(value.toFixed(2))} %`;
    case 'p50':
    case 'p99':
      return formatMicroseconds(value * 1000);
  }
}
