import { instantText } from '../../../web/kit/instant-text.ts';
import type { ChartOption, ChartRows } from '../../../web/kit/chart.tsx';
import { formatCount, formatShare, formatValue } from '../../../web/kit/format.ts';
import { versionColor } from '../../../web/kit/version-color.ts';
import type { QualityDay, QualityHistory, QualityReference } from '../contract.ts';
import { dayText } from './day-range.ts';

const GREY = '#8d96a3';

const BAND = 'band';

export function versionsOf(days: readonly QualityDay[]): readonly number[] {
  return [...new Set(days.map(({ version }) => version))].sort((a, b) => a - b);
}

/** Label coverage of all versions together, by day; null while labels may still come. */
export function coverageByDay(
  days: readonly QualityDay[],
): readonly { readonly from: string; readonly share: number | null; readonly requests: number }[] {
  return [...Map.groupBy(days, ({ from }) => from)].map(([from, of]) => {
    const mature = of.filter(({ labelled }) => labelled !== null);
    const requests = of.reduce((sum, one) => sum + one.requests, 0);
    const asked = mature.reduce((sum, one) => sum + one.requests, 0);
    const labelled = mature.reduce((sum, one) => sum + (one.labelled ?? 0), 0);
    return { from, share: mature.length === 0 || asked === 0 ? null : labelled / asked, requests };
  });
}

/**
 * Above: the metric of each version over its window with its interval, and of each day alone as a
 * dot. Below: how much of each day has its labels. Days that have not had time for them are shaded.
 */
export function qualityOption(
  history: QualityHistory,
  references: readonly QualityReference[],
): ChartOption {
  const { days, matureUntil, until } = history;
  const versions = versionsOf(days);
  const shade =
    matureUntil === null || matureUntil >= until
      ? []
      : [[{ xAxis: matureUntil }, { xAxis: until }]];
  const area = {
    silent: true,
    itemStyle: { color: GREY, opacity: 0.16 },
    data: shade as [{ xAxis: string }, { xAxis: string }][],
  };
  const time = { type: 'time' as const, min: days[0]?.from ?? history.from, max: until };
  return {
    grid: [
      { left: 52, right: 16, top: 34, height: 190 },
      { left: 52, right: 16, top: 256, height: 52 },
    ],
    legend: { top: 0, left: 0, data: versions.map((version) => `v${version}`), type: 'scroll' },
    tooltip: { trigger: 'axis', confine: true, formatter: (shown) => tooltipOf(shown, history) },
    xAxis: [
      { ...time, gridIndex: 0, axisLabel: { show: false } },
      { ...time, gridIndex: 1, axisLabel: { hideOverlap: true } },
    ],
    yAxis: [
      {
        type: 'value',
        scale: true,
        gridIndex: 0,
        axisLabel: { formatter: (y: number) => formatValue(Number(y.toPrecision(4))) },
      },
      {
        type: 'value',
        min: 0,
        max: 1,
        interval: 0.5,
        gridIndex: 1,
        axisLabel: { formatter: (y: number) => formatShare(y, 1) },
      },
    ],
    series: [
      ...versions.flatMap((version) => versionSeries(history, references, version)),
      coverageSeries(history, area),
      {
        name: 'maturity',
        type: 'line',
        silent: true,
        data: [],
        markArea: area,
      },
    ],
  };
}

function coverageSeries({ days, coverage }: QualityHistory, markArea: object): object {
  return {
    name: 'label coverage',
    type: 'bar',
    xAxisIndex: 1,
    yAxisIndex: 1,
    barMaxWidth: 12,
    itemStyle: { color: GREY, opacity: 0.55 },
    data: coverageByDay(days).flatMap(({ from, share }) =>
      share === null ? [] : [[middleOf(from), share]],
    ),
    markLine: {
      symbol: 'none',
      silent: true,
      lineStyle: { type: 'dashed', color: GREY },
      label: { show: false },
      data: [{ yAxis: coverage }],
    },
    markArea,
  };
}

/** Noon: a day's point stands in the middle of it. */
function middleOf(from: string): string {
  return `${dayText(from)}T12:00:00Z`;
}

function versionSeries(
  { days }: QualityHistory,
  references: readonly QualityReference[],
  version: number,
): NonNullable<ChartOption['series']> & readonly object[] {
  const own = days.filter((day) => day.version === version);
  const color = versionColor(version);
  const windows = own.filter(({ window }) => window !== null);
  const band = { name: BAND, type: 'line' as const, symbol: 'none', silent: true };
  const stack = { ...band, stack: `band ${version}`, stackStrategy: 'all' as const };
  const reference = references.find((one) => one.version === version);
  return [
    {
      ...stack,
      lineStyle: { opacity: 0 },
      data: windows.map(({ from, window }) => [middleOf(from), window!.lower]),
    },
    {
      ...stack,
      lineStyle: { opacity: 0 },
      areaStyle: { color, opacity: 0.18 },
      data: windows.map(({ from, window }) => [middleOf(from), window!.upper - window!.lower]),
    },
    {
      name: `v${version}`,
      type: 'line',
      symbol: 'circle',
      symbolSize: windows.length > 60 ? 3 : 5,
      itemStyle: { color },
      lineStyle: { color, width: 2 },
      data: windows.map(({ from, window }) => [middleOf(from), window!.value]),
      ...(reference === undefined
        ? {}
        : {
            markLine: {
              symbol: 'none',
              silent: true,
              lineStyle: { type: 'dashed' as const, color },
              label: {
                formatter: `v${version} at first`,
                fontSize: 11,
                position: 'insideStartTop' as const,
                color,
                textBorderWidth: 0,
              },
              data: [{ yAxis: reference.value }],
            },
          }),
    },
    {
      name: daySeries(version),
      type: 'scatter',
      symbolSize: 4,
      itemStyle: { color, opacity: 0.5 },
      data: own.flatMap(({ from, value }) => (value === null ? [] : [[middleOf(from), value]])),
    },
  ];
}

function daySeries(version: number): string {
  return `v${version} by day`;
}

/** The day and version of a clicked point; null for anything else. */
export function pickedDay(
  history: QualityHistory,
  { series, index }: { readonly series: string; readonly index: number },
): QualityDay | null {
  for (const version of versionsOf(history.days)) {
    const own = history.days.filter((day) => day.version === version);
    if (series === `v${version}`) return own.filter(({ window }) => window !== null)[index] ?? null;
    if (series === daySeries(version)) {
      return own.filter(({ value }) => value !== null)[index] ?? null;
    }
  }
  return null;
}

function tooltipOf(shown: unknown, history: QualityHistory): string {
  const [first] = (Array.isArray(shown) ? shown : [shown]) as { readonly axisValue?: number }[];
  if (first?.axisValue === undefined) return '';
  const day = new Date(first.axisValue).toISOString().slice(0, 10);
  const own = history.days.filter(({ from }) => dayText(from) === day);
  const lines = own.map((one) => `v${one.version}: ${dayLine(one, history)}`);
  return [`${instantText(`${day}T00:00:00Z`)} (domain clock, UTC)`, ...lines].join('<br>');
}

function dayLine({ requests, labelled, value, window }: QualityDay, of: QualityHistory): string {
  const parts = [`${formatCount(requests)} requests`];
  if (labelled === null) parts.push('labels may still come');
  else parts.push(`${formatShare(labelled, requests)} labelled`);
  if (value !== null) parts.push(`${of.metric} ${four(value)}`);
  if (window !== null) {
    const range = `${four(window.lower)} to ${four(window.upper)}`;
    parts.push(`over ${window.days} days ${four(window.value)} (${range})`);
  }
  return parts.join(', ');
}

export function four(value: number): string {
  return formatValue(Number(value.toPrecision(4)));
}

/** What is drawn, as a table. */
export function qualityRows({ days, metric }: QualityHistory): ChartRows {
  return {
    header: ['day', 'version', 'requests', 'labelled', metric, 'over window', 'lower', 'upper'],
    rows: days.map(({ from, version, requests, labelled, value, window }) => [
      dayText(from),
      version,
      requests,
      labelled,
      value,
      window?.value ?? null,
      window?.lower ?? null,
      window?.upper ?? null,
    ]),
  };
}

/** The chart in words: the newest value of each version. */
export function qualityText(history: QualityHistory): string {
  const { days, metric, windowDays } = history;
  const parts = versionsOf(days).map((version) => {
    const newest = days.findLast((day) => day.version === version && day.window !== null);
    if (newest?.window == null) return `v${version}: too few labelled days`;
    const { value, lower, upper } = newest.window;
    return `v${version} ${four(value)} (${four(lower)} to ${four(upper)}) until ${dayText(newest.from)}`;
  });
  if (parts.length === 0) return 'nothing was answered yet';
  return `${metric} over ${windowDays} days: ${parts.join('; ')}`;
}
