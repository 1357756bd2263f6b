import { useComputedColorScheme } from '@mantine/core';
import { useMergedRef, useResizeObserver } from '@mantine/hooks';
import {
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  type BarSeriesOption,
  type CustomSeriesOption,
  type LineSeriesOption,
  type ScatterSeriesOption,
} from 'echarts/charts';
import {
  DataZoomInsideComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  type DataZoomComponentOption,
  type GridComponentOption,
  type LegendComponentOption,
  type MarkAreaComponentOption,
  type MarkLineComponentOption,
  type TooltipComponentOption,
} from 'echarts/components';
import { init, use, type ComposeOption, type ECElementEvent, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useImperativeHandle, useRef, type ReactNode, type Ref } from 'react';
import { chartTheme } from './chart-theme.ts';

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  DataZoomInsideComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
]);

export type ChartOption = ComposeOption<
  | BarSeriesOption
  | CustomSeriesOption
  | LineSeriesOption
  | ScatterSeriesOption
  | DataZoomComponentOption
  | GridComponentOption
  | LegendComponentOption
  | MarkAreaComponentOption
  | MarkLineComponentOption
  | TooltipComponentOption
>;

export interface ChartHandle {
  /** A data URL of what is drawn now, at twice the screen's resolution. */
  readonly pngUrl: () => string | undefined;
}

/** A drawn point that was clicked. */
export interface ChartPoint {
  readonly series: string;
  readonly seriesIndex: number;
  /** Its place in the series' data. */
  readonly index: number;
}

interface ChartCanvasProps {
  readonly option: ChartOption;
  readonly height: number;
  readonly ref: Ref<ChartHandle>;
  readonly onPoint: ((point: ChartPoint) => void) | undefined;
}

export function ChartCanvas({ option, height, ref, onPoint }: ChartCanvasProps): ReactNode {
  const scheme = useComputedColorScheme('light');
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(null);
  const [observed, size] = useResizeObserver<HTMLDivElement>();
  const target = useMergedRef(element, observed);

  useEffect(() => {
    if (element.current === null) return;
    const made = init(element.current, chartTheme(scheme));
    chart.current = made;
    return () => {
      made.dispose();
    };
  }, [scheme]);
  useEffect(() => {
    chart.current?.setOption({ useUTC: true, animation: false, ...option }, { notMerge: true });
  }, [option, scheme]);
  useEffect(() => {
    const drawn = chart.current;
    if (drawn === null || onPoint === undefined) return;
    const clicked = (point: ECElementEvent): void => {
      const { componentType, seriesName = '', seriesIndex = 0, dataIndex } = point;
      if (componentType !== 'series') return;
      onPoint({ series: seriesName, seriesIndex, index: dataIndex });
    };
    drawn.on('click', clicked);
    return () => {
      drawn.off('click', clicked);
    };
  }, [onPoint, scheme]);
  useEffect(() => {
    chart.current?.resize();
  }, [size.width, height]);
  useImperativeHandle(ref, () => ({
    pngUrl: () =>
      chart.current?.getDataURL({
        type: 'png',
        pixelRatio: 2,
        backgroundColor: scheme === 'dark' ? '#161b22' : '#ffffff',
      }),
  }));
  return <div ref={target} style={{ height }} />;
}
