import { chartTooltip, type TooltipLine } from '../../../web/kit/chart-tooltip.ts';
import type { ChartOption, ChartPoint } from '../../../web/kit/chart.tsx';
import { DAY_MS, dayText, stretchText } from '../../../web/kit/day-axis.ts';
import { formatCount, formatSigned, formatValue } from '../../../web/kit/format.ts';
import { versionColor } from '../../../web/kit/version-color.ts';
import {
  LANES,
  type Story,
  type StoryDecision,
  type StoryQuality,
  type StoryStayed,
  type StoryTraffic,
} from './story.ts';

/** Heights of what is drawn above each other on one axis, in pixels. */
const TOP = 52;
const TRAFFIC = 110;
const QUALITY = 150;
const LANE = 24;
const GAP = 30;
const BOTTOM = 28;
const MARGINS = { left: 74, right: 16 };
const BAR_WIDTH_MAX = 22;
const TONES = { good: '#2fa084', bad: '#d1495b', plain: '#5b7fb0' } as const;
const STAYED = '#8d96a3';
const GRID = { traffic: 0, quality: 1, decisions: 2 } as const;

interface Grid {
  readonly top: number;
  readonly height: number;
}

/** Where each part lies: what there is nothing of takes no room. */
function layOut({ quality, stayed, decisions }: Story): {
  readonly grids: readonly [Grid, Grid, Grid];
  readonly height: number;
} {
  const qualityHeight = hasQuality({ quality, stayed }) ? QUALITY : 0;
  const lanes = decisions.length === 0 ? 0 : LANE * LANES.length;
  const qualityTop = TOP + TRAFFIC + (qualityHeight === 0 ? 0 : GAP);
  const lanesTop = qualityTop + qualityHeight + (lanes === 0 ? 0 : GAP);
  return {
    grids: [
      { top: TOP, height: TRAFFIC },
      { top: qualityTop, height: qualityHeight },
      { top: lanesTop, height: lanes },
    ],
    height: lanesTop + lanes + BOTTOM,
  };
}

function hasQuality({ quality, stayed }: Pick<Story, 'quality' | 'stayed'>): boolean {
  return quality.length + (stayed?.points.length ?? 0) > 0;
}

export function storyHeight(story: Story): number {
  return layOut(story).height;
}

/** Traffic by version, quality with its bounds, and decisions, on one axis of domain time. */
export function storyOption(story: Story): ChartOption {
  const { grids } = layOut(story);
  const { quality, stayed } = story;
  const isMeasured = hasQuality(story);
  const last = story.decisions.length > 0 ? 2 : isMeasured ? 1 : 0;
  return {
    legend: {
      type: 'scroll',
      top: 0,
      left: 0,
      right: 0,
      icon: 'roundRect',
      itemWidth: 10,
      data: [
        ...story.versions.map((version) => `v${version}`),
        ...(stayed === null ? [] : [stayedName(stayed)]),
      ],
    },
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    tooltip: {
      trigger: 'axis',
      confine: true,
      formatter: (points) => tooltipOf(Array.isArray(points) ? points : [points]),
    },
    grid: grids.map((grid) => ({ ...MARGINS, ...grid })),
    xAxis: grids.map((_, index) => ({
      type: 'time' as const,
      gridIndex: index,
      min: story.from,
      max: story.until,
      minInterval: DAY_MS,
      axisLabel: {
        show: index === last,
        formatter: (ms: number) => dayText(ms),
        hideOverlap: true,
      },
    })),
    yAxis: [
      {
        type: 'value',
        gridIndex: GRID.traffic,
        name: 'requests',
        min: 0,
        splitNumber: 3,
        nameGap: 8,
      },
      {
        type: 'value',
        gridIndex: GRID.quality,
        name: quality[0]?.metric ?? stayed?.metric ?? '',
        show: isMeasured,
        scale: true,
        splitNumber: 4,
        nameGap: 8,
      },
      {
        type: 'category',
        gridIndex: GRID.decisions,
        data: [...LANES].toReversed(),
        show: story.decisions.length > 0,
      },
    ],
    series: [
      ...trafficSeries(story),
      ...qualitySeries(story),
      ...stayedSeries(story),
      decisionSeries(story),
    ],
  };
}

type Series = Extract<ChartOption['series'], readonly unknown[]>;

function startsOf(traffic: readonly StoryTraffic[]): readonly number[] {
  return [...new Set(traffic.map(({ start }) => start))];
}

function trafficSeries({ traffic, versions }: Story): Series {
  const stretches = startsOf(traffic);
  return versions.map((version) => {
    const own = new Map(
      traffic.filter((one) => one.version === version).map((one) => [one.start, one]),
    );
    const length = traffic[0] === undefined ? 0 : traffic[0].end - traffic[0].start;
    return {
      name: `v${version}`,
      type: 'bar' as const,
      stack: 'traffic',
      xAxisIndex: GRID.traffic,
      yAxisIndex: GRID.traffic,
      barMaxWidth: BAR_WIDTH_MAX,
      itemStyle: { color: versionColor(version) },
      // A place for each stretch in every version, so that they lie on each other.
      data: stretches.map((start) => [start + length / 2, own.get(start)?.requests ?? null]),
    };
  });
}

/** A line a version, in a band between its bounds. */
function qualitySeries({ quality, versions }: Story): Series {
  return versions.flatMap((version) => {
    const own = quality.filter((one) => one.version === version);
    if (own.length === 0) return [];
    const at = { xAxisIndex: GRID.quality, yAxisIndex: GRID.quality };
    const band = {
      ...at,
      name: `band of v${version}`,
      type: 'line' as const,
      stack: `band of v${version}`,
      stackStrategy: 'all' as const,
      symbol: 'none',
      silent: true,
      lineStyle: { opacity: 0 },
    };
    const color = versionColor(version);
    return [
      { ...band, data: own.map(({ at: time, lower }) => [time, lower]) },
      {
        ...band,
        areaStyle: { color, opacity: 0.16 },
        data: own.map(({ at: time, lower, upper }) => [time, upper - lower]),
      },
      {
        ...at,
        name: `v${version}`,
        type: 'line' as const,
        lineStyle: { color, width: 1.6 },
        itemStyle: { color },
        symbolSize: 5,
        data: own.map(({ at: time, value, isAlarm }) => ({
          value: [time, value],
          ...(isAlarm ? { symbolSize: 8, itemStyle: { color: TONES.bad } } : {}),
        })),
      },
    ];
  });
}

export function stayedName({ version }: Pick<StoryStayed, 'version'>): string {
  return `v${version}, had it stayed`;
}

/** What was never served is dashed. */
function stayedSeries({ stayed }: Story): Series {
  if (stayed === null) return [];
  return [
    {
      name: stayedName(stayed),
      type: 'line',
      xAxisIndex: GRID.quality,
      yAxisIndex: GRID.quality,
      // Where it is what was served, that is what is seen.
      z: 1,
      symbolSize: 4,
      lineStyle: { color: STAYED, width: 1.4, type: 'dashed' },
      itemStyle: { color: STAYED },
      data: stayed.points.map((point) => ({ value: [point.at, point.fixed], stayed: point })),
    },
  ];
}

const DECISIONS = 'decisions';

function decisionSeries({ decisions }: Story): Series[number] {
  return {
    name: DECISIONS,
    type: 'scatter',
    xAxisIndex: GRID.decisions,
    yAxisIndex: GRID.decisions,
    symbolSize: 11,
    data: decisions.map((one) => ({
      value: [one.at, one.lane],
      itemStyle: { color: TONES[one.tone], opacity: 1 },
      symbol: one.tone === 'bad' ? 'diamond' : 'circle',
      decision: one,
    })),
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { type: 'dashed', width: 1, color: '#8d96a3', opacity: 0.6 },
      data: decisions.filter(({ lane }) => lane === 'route').map(({ at }) => ({ xAxis: at })),
    },
  };
}

type StayedPoint = StoryStayed['points'][number];

interface Point {
  readonly seriesName: string;
  readonly seriesType: string;
  readonly color: string;
  readonly value: readonly [number, number | string | null];
  readonly data: { readonly decision?: StoryDecision; readonly stayed?: StayedPoint };
}

function tooltipOf(given: readonly object[]): HTMLElement {
  const points = given as readonly Point[];
  const shown = points.filter(({ seriesName }) => !seriesName.startsWith('band'));
  const lines = shown.flatMap((point): readonly TooltipLine[] => {
    const { seriesName, seriesType, color, value, data } = point;
    const [, measured] = value;
    if (data.decision !== undefined) {
      const { what, reason } = data.decision;
      return [
        { color, label: what, value: '' },
        { label: reason, value: '' },
      ];
    }
    if (typeof measured !== 'number') return [];
    const isTraffic = seriesType === 'bar';
    const text = isTraffic ? `${formatCount(measured)} requests` : formatValue(measured);
    const line = { color, label: seriesName, value: text };
    return data.stayed === undefined ? [line] : [line, ...besideLines(data.stayed)];
  });
  const [first] = shown;
  const day = first === undefined ? '' : stretchText(Math.round(first.value[0] / 60_000) * 60_000);
  return chartTooltip(`${day} (domain clock, UTC)`, lines);
}

function besideLines({ served, better, lower, upper }: StayedPoint): readonly TooltipLine[] {
  const range = `${formatSigned(lower)} to ${formatSigned(upper)}`;
  return [
    { label: 'served, the same requests', value: formatValue(served) },
    { label: `better by ${formatSigned(better)} (${range})`, value: '' },
  ];
}

/** What is behind a drawn point: one of these, or nothing. */
export interface Behind {
  readonly stayed?: StayedPoint | undefined;
  readonly traffic?: StoryTraffic | undefined;
  readonly quality?: StoryQuality | undefined;
  readonly decision?: StoryDecision | undefined;
}

export function behindPoint(story: Story, { series, seriesIndex, index }: ChartPoint): Behind {
  const { versions, traffic, quality, stayed, decisions } = story;
  if (series === DECISIONS) return { decision: decisions[index] };
  if (stayed !== null && series === stayedName(stayed)) return { stayed: stayed.points[index] };
  const version = versions.find((one) => `v${one}` === series);
  // The bars of all versions come before the lines of any.
  if (seriesIndex >= versions.length) {
    return { quality: quality.filter((one) => one.version === version)[index] };
  }
  const start = startsOf(traffic)[index];
  return { traffic: traffic.find((one) => one.version === version && one.start === start) };
}
