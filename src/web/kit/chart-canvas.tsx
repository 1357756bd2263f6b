import { useComputedColorScheme } from '@mantine/core';
import { useMergedRef, useResizeObserver } from '@mantine/hooks';
import { LineChart, type LineSeriesOption } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  TooltipComponent,
  type GridComponentOption,
  type LegendComponentOption,
  type TooltipComponentOption,
} from 'echarts/components';
import { init, use, type ComposeOption, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useImperativeHandle, useRef, type ReactNode, type Ref } from 'react';
import { chartTheme } from './chart-theme.ts';

use([LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

export type ChartOption = ComposeOption<
  LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption
>;

export interface ChartHandle {
  /** A data URL of what is drawn now, at twice the screen's resolution. */
  readonly pngUrl: () => string | undefined;
}

interface ChartCanvasProps {
  readonly option: ChartOption;
  readonly height: number;
  readonly ref: Ref<ChartHandle>;
}

export function ChartCanvas({ option, height, ref }: ChartCanvasProps): ReactNode {
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
    chart.current?.resize();
  }, [size.width]);
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
