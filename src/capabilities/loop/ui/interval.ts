import type { ChartOption } from '../../../web/kit/chart.tsx';
import { formatValue } from '../../../web/kit/format.ts';
import type { Compared } from './evidence.ts';

type Improvement = NonNullable<Compared['improvement']>;

/** An improvement with its one-sided bounds, beside 0: there both versions are equally good. */
export function intervalOption({ value, lower, upper }: Improvement): ChartOption {
  const reach = 1.15 * Math.max(Math.abs(lower), Math.abs(upper), Math.abs(value), 1e-9);
  return {
    grid: { left: 12, right: 12, top: 20, bottom: 4, containLabel: true },
    xAxis: {
      type: 'value',
      min: -reach,
      max: reach,
      axisLabel: {
        formatter: (x: number) => formatValue(Number(x.toPrecision(3))),
        hideOverlap: true,
        showMinLabel: false,
        showMaxLabel: false,
      },
    },
    yAxis: { type: 'value', show: false, min: -1, max: 1 },
    series: [
      {
        name: 'bounds',
        type: 'line',
        symbol: 'rect',
        symbolSize: [3, 16],
        lineStyle: { width: 3 },
        itemStyle: { color: '#8d96a3' },
        data: [
          [lower, 0],
          [upper, 0],
        ],
        markLine: {
          symbol: 'none',
          silent: true,
          lineStyle: { type: 'dashed' },
          label: {
            formatter: 'as good',
            position: 'end',
            fontSize: 11,
            color: '#8d96a3',
            textBorderWidth: 0,
          },
          data: [{ xAxis: 0 }],
        },
      },
      {
        name: 'difference',
        type: 'scatter',
        symbolSize: 12,
        itemStyle: { color: lower > 0 ? '#2fa084' : upper < 0 ? '#d9534f' : '#e39c37' },
        data: [[value, 0]],
      },
    ],
  };
}
