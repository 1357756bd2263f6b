import type { ChartOption } from '../../../web/kit/chart.tsx';
import { formatCount, formatValue } from '../../../web/kit/format.ts';
import type { FeatureProfile } from '../contract.ts';

export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Share of the values for each unit of the axis: bins are of different widths. */
  readonly density: number;
}

/**
 * The bins between the least and the greatest value. One that has no width, because many values
 * are equal to the greatest, gets the mean width of the others.
 */
export function histogramBins(profile: FeatureProfile): readonly HistogramBin[] {
  const { min, max, count, histogram } = profile;
  if (min === null || max === null || count === 0) return [];
  const bounds = [min, ...histogram.edges, max];
  const widths = histogram.counts.map((_, index) => bounds[index + 1]! - bounds[index]!);
  const wide = widths.filter((width) => width > 0);
  const usual = wide.length === 0 ? 1 : wide.reduce((sum, one) => sum + one, 0) / wide.length;
  return histogram.counts.map((inBin, index) => {
    const width = widths[index]! > 0 ? widths[index]! : usual;
    const from = bounds[index]!;
    return { from, to: from + width, count: inBin, density: inBin / count / width };
  });
}

/** A line that stays level over each bin. */
export function histogramOption(bins: readonly HistogramBin[]): ChartOption {
  const last = bins.at(-1);
  const points = bins.map(({ from, density }) => [from, density]);
  if (last !== undefined) points.push([last.to, last.density]);
  return {
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    tooltip: {
      trigger: 'axis',
      confine: true,
      formatter: (shown) => {
        const [first] = Array.isArray(shown) ? shown : [shown];
        const bin = bins[Math.min(first?.dataIndex ?? 0, bins.length - 1)];
        return bin === undefined ? '' : binText(bin);
      },
    },
    xAxis: {
      type: 'value',
      min: 'dataMin',
      max: 'dataMax',
      axisLabel: { formatter: (x: number) => formatValue(x), hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: { type: 'value', min: 0, axisLabel: { show: false } },
    series: [
      {
        type: 'line',
        step: 'end',
        showSymbol: false,
        lineStyle: { width: 1 },
        areaStyle: { opacity: 0.5 },
        data: points,
      },
    ],
  };
}

function binText({ from, to, count }: HistogramBin): string {
  return `${formatCount(count)} from ${formatValue(from)} to ${formatValue(to)}`;
}
