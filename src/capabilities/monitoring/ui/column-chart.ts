import type { ChartOption, ChartRows } from '../../../web/kit/chart.tsx';
import { formatShare, formatShort, formatValue } from '../../../web/kit/format.ts';
import type { ColumnBin, ColumnHistory } from '../contract.ts';
import { dayText } from './day-range.ts';

type ColumnDay = ColumnHistory['days'][number];

const NOISE = '#8d96a3';
const REFERENCE = '#67b3dd';
const CURRENT = '#e39c37';
const MOVED = '#d9534f';
/** Texts longer than this would push the axis out of the chart. */
const LEVEL_SHOWN = 14;

export function binText(bin: ColumnBin): string {
  switch (bin.kind) {
    case 'level':
      return formatShort(bin.level, LEVEL_SHOWN);
    case 'other':
      return 'other';
    case 'missing':
      return 'missing';
    case 'numbers': {
      const [from, until] = [bin.from, bin.until].map((edge) =>
        edge === null ? null : shown(edge),
      );
      if (from === null) return until === null ? 'all' : `< ${until}`;
      return until === null ? `≥ ${from}` : `${from} to ${until}`;
    }
  }
}

function shown(value: number | null | undefined): string {
  return formatValue(Number((value ?? 0).toPrecision(4)));
}

/** Bins that hold anything on either side: a column that is never missing has no such bar. */
function filledBins(history: ColumnHistory, day: ColumnDay): readonly number[] {
  return history.bins.flatMap((_, bin) =>
    day.shares[bin]! > 0 || history.reference.greatest[bin]! > 0 ? [bin] : [],
  );
}

/** Shares of a day beside those of the training rows, with how far single training days went. */
export function histogramOption(history: ColumnHistory, day: ColumnDay): ChartOption {
  const { reference, bins } = history;
  const filled = filledBins(history, day);
  const of = (shares: readonly number[]) => filled.map((bin) => shares[bin]!);
  const edge = { type: 'scatter' as const, symbol: 'rect', symbolSize: [16, 2], silent: true };
  return {
    grid: { left: 8, right: 16, top: 34, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, data: [TRAINED, dayText(day.from), RANGE] },
    tooltip: {
      trigger: 'axis',
      confine: true,
      valueFormatter: (value) => formatShare(Number(value), 1),
    },
    xAxis: {
      type: 'category',
      data: filled.map((bin) => binText(bins[bin]!)),
      axisLabel: { hideOverlap: true, rotate: filled.length > 6 ? 30 : 0 },
    },
    yAxis: { type: 'value', axisLabel: { formatter: (y: number) => formatShare(y, 1) } },
    series: [
      { name: TRAINED, type: 'bar', itemStyle: { color: REFERENCE }, data: of(reference.shares) },
      {
        name: dayText(day.from),
        type: 'bar',
        itemStyle: { color: CURRENT },
        data: of(day.shares),
      },
      { ...edge, name: RANGE, itemStyle: { color: NOISE }, data: of(reference.least) },
      { ...edge, name: RANGE, itemStyle: { color: NOISE }, data: of(reference.greatest) },
    ],
  };
}

const TRAINED = 'training rows';
const RANGE = 'range of training days';

export function histogramRows(history: ColumnHistory, day: ColumnDay): ChartRows {
  const { reference, bins } = history;
  return {
    header: ['bin', 'training rows', dayText(day.from), 'least training day', 'greatest'],
    rows: bins.map((bin, index) => [
      binText(bin),
      reference.shares[index]!,
      day.shares[index]!,
      reference.least[index]!,
      reference.greatest[index]!,
    ]),
  };
}

/** The evaluation that looked at a day: the one at its end. */
export function foundOn(
  { found }: ColumnHistory,
  { until }: ColumnDay,
): ColumnHistory['found'][number] | undefined {
  return found.find(({ at }) => at === until);
}

/** How far each day is from the training rows, beside what stays without drift. */
export function distanceOption(history: ColumnHistory, chosen: ColumnDay): ChartOption {
  const { days, found, effect } = history;
  return {
    grid: { left: 8, right: 24, top: 34, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, data: [DISTANCE, FLOOR] },
    tooltip: {
      trigger: 'axis',
      confine: true,
      valueFormatter: (value) => shown(Number(value)),
    },
    xAxis: { type: 'time', axisLabel: { hideOverlap: true } },
    yAxis: { type: 'value', min: 0, axisLabel: { formatter: (y: number) => formatValue(y) } },
    series: [
      {
        name: FLOOR,
        type: 'line',
        symbol: 'none',
        itemStyle: { color: NOISE },
        lineStyle: { color: NOISE, width: 1 },
        areaStyle: { color: NOISE, opacity: 0.18 },
        data: found.flatMap(({ at, floor }) => (floor === null ? [] : [[at, floor]])),
        markLine: {
          symbol: 'none',
          silent: true,
          lineStyle: { type: 'dashed', color: NOISE },
          label: {
            formatter: 'worth telling',
            position: 'insideStartTop',
            fontSize: 11,
            color: NOISE,
            textBorderWidth: 0,
          },
          data: [{ yAxis: effect }],
        },
      },
      {
        name: DISTANCE,
        type: 'line',
        symbol: 'circle',
        symbolSize: 7,
        cursor: 'pointer',
        itemStyle: { color: CURRENT },
        lineStyle: { width: 1.5, color: CURRENT },
        data: drawnDays(days).map((day) => ({
          value: [day.until, day.distance],
          symbolSize: day === chosen ? 12 : 7,
          ...(foundOn(history, day)?.isBreach === true ? { itemStyle: { color: MOVED } } : {}),
        })),
      },
    ],
  };
}

export const DISTANCE = 'distance from training rows';
const FLOOR = 'noise floor: without drift it stays below';

export function drawnDays(days: readonly ColumnDay[]): readonly ColumnDay[] {
  return days.filter(({ distance }) => distance !== null);
}

export function distanceRows(history: ColumnHistory): ChartRows {
  return {
    header: ['day', 'rows', 'distance', 'floor', 'state'],
    rows: history.days.map((day) => {
      const found = foundOn(history, day);
      const { from, rows, distance } = day;
      return [dayText(from), rows, distance, found?.floor ?? null, found?.state ?? null];
    }),
  };
}
