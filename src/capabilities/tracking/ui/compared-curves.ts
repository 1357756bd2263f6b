import { SERIES_COLORS } from '../../../web/kit/chart-theme.ts';
import type { ChartOption, ChartRows } from '../../../web/kit/chart.tsx';
import { formatShort, formatValue } from '../../../web/kit/format.ts';
import { along, type Axis, type CurvePoint } from './curve.ts';

export type Scale = 'linear' | 'log';
/** Weight of what came before, in an exponential moving average; 0 draws what was measured. */
export const SMOOTHINGS = [0, 0.6, 0.9, 0.98] as const;
export type Smoothing = (typeof SMOOTHINGS)[number];

/** One run's values of the metric. */
export interface RunCurve {
  readonly name: string;
  readonly points: readonly CurvePoint[];
}

export interface Drawing {
  readonly metric: string;
  readonly axis: Axis;
  readonly scale: Scale;
  readonly smoothing: Smoothing;
}

const NAME_SHOWN = 28;

export function runColor(index: number): string {
  return SERIES_COLORS[index % SERIES_COLORS.length]!;
}

/**
 * An exponential moving average from the first value on, corrected for its start (Kingma and Ba
 * 2015, section 3), so that the first value is itself.
 */
export function smoothed(points: readonly CurvePoint[], weight: number): readonly CurvePoint[] {
  let [sum, share] = [0, 0];
  return points.map(([x, y]) => {
    sum = weight * sum + (1 - weight) * y;
    share = weight * share + (1 - weight);
    return [x, sum / share];
  });
}

/** A logarithm has no place for these. */
export function undrawable(curves: readonly RunCurve[], scale: Scale): number {
  if (scale === 'linear') return 0;
  return curves.reduce((sum, { points }) => sum + points.filter(([, y]) => y <= 0).length, 0);
}

/** The runs' curves of one metric over each other; smoothed ones with the measured ones faint. */
export function comparedOption(curves: readonly RunCurve[], drawing: Drawing): ChartOption {
  const { axis, scale, smoothing } = drawing;
  const lines = curves.flatMap(({ name, points }, index) => {
    const drawn = scale === 'log' ? points.filter(([, y]) => y > 0) : points;
    const color = runColor(index);
    const line = (of: readonly CurvePoint[], more: object) => ({
      name,
      type: 'line' as const,
      itemStyle: { color },
      showSymbol: of.length <= 60,
      symbolSize: 5,
      sampling: 'lttb' as const,
      data: of.map(([x, y]) => [x, y]),
      ...more,
    });
    if (smoothing === 0) return [line(drawn, { lineStyle: { color, width: 1.6 } })];
    const faint = {
      name: `${name}, measured`,
      silent: true,
      showSymbol: false,
      lineStyle: { color, width: 1, opacity: 0.25 },
      itemStyle: { color, opacity: 0.25 },
    };
    return [
      line(drawn, faint),
      line(smoothed(drawn, smoothing), { showSymbol: false, lineStyle: { color, width: 1.8 } }),
    ];
  });
  return {
    grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
    legend: {
      type: 'scroll',
      top: 0,
      left: 0,
      right: 0,
      icon: 'roundRect',
      itemWidth: 10,
      data: curves.map(({ name }) => name),
      formatter: (name: string) => formatShort(name, NAME_SHOWN),
    },
    ...along(axis),
    yAxis: {
      // Whole decades would press what lies within one flat.
      ...(scale === 'log'
        ? { type: 'log' as const, min: 'dataMin' as const, max: 'dataMax' as const }
        : { type: 'value' as const, scale: true }),
      axisLabel: { formatter: (y: number) => formatValue(y) },
    },
    series: lines,
  };
}

/** What was measured, and beside it what was smoothed where that is drawn. */
export function comparedCsv(curves: readonly RunCurve[], drawing: Drawing): ChartRows {
  const { metric, axis, smoothing } = drawing;
  const x = axis === 'step' ? 'step' : 'seconds since the first value';
  const isSmoothed = smoothing > 0;
  return {
    header: ['run', x, metric, ...(isSmoothed ? [`${metric} smoothed (EMA ${smoothing})`] : [])],
    rows: curves.flatMap(({ name, points }) => {
      const soft = isSmoothed ? smoothed(points, smoothing) : [];
      return points.map(([at, y], index) => [
        name,
        at,
        y,
        ...(isSmoothed ? [soft[index]![1]] : []),
      ]);
    }),
  };
}
