import { parseInstant } from '../../../base/time.ts';
import type { ChartOption } from '../../../web/kit/chart.tsx';
import { formatSeconds, formatValue } from '../../../web/kit/format.ts';
import type { MetricPoint } from '../contract.ts';

export type Axis = 'step' | 'time';
/** Step or seconds since the first value, and the value. */
export type CurvePoint = readonly [x: number, y: number];

const MICROS = 1e6;

/** The points that can be drawn, in the order of the axis; NaN cannot. */
export function curveOf(points: readonly MetricPoint[], axis: Axis): readonly CurvePoint[] {
  const times = points.map(({ at }) => (parseInstant(at) ?? 0) / MICROS);
  const start = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const drawn = points.flatMap(({ value, step }, index): readonly CurvePoint[] =>
    value === null ? [] : [[axis === 'step' ? step : times[index]! - start, value]],
  );
  return drawn.toSorted(([a], [b]) => a - b);
}

/** What charts of curves share: the axis they run along, and what the pointer tells. */
export function along(axis: Axis): Pick<ChartOption, 'tooltip' | 'xAxis'> {
  const xText = axis === 'step' ? formatValue : formatSeconds;
  return {
    tooltip: {
      trigger: 'axis',
      confine: true,
      valueFormatter: (value) => formatValue(Number(value)),
    },
    xAxis: {
      type: 'value',
      min: 'dataMin',
      max: 'dataMax',
      minInterval: axis === 'step' ? 1 : 0,
      axisLabel: { formatter: (x: number) => xText(x), hideOverlap: true },
      axisPointer: { label: { formatter: ({ value }) => `${axis} ${xText(Number(value))}` } },
    },
  };
}

export function curveOption(
  curve: readonly CurvePoint[],
  { metric, axis }: { readonly metric: string; readonly axis: Axis },
): ChartOption {
  return {
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    ...along(axis),
    yAxis: { type: 'value', scale: true, axisLabel: { formatter: (y: number) => formatValue(y) } },
    series: [
      {
        name: metric,
        type: 'line',
        // A single value is a dot; among many the line tells more.
        showSymbol: curve.length <= 60,
        symbolSize: 5,
        sampling: 'lttb',
        data: curve.map(([x, y]) => [x, y]),
      },
    ],
  };
}
