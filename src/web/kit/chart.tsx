import { ActionIcon, Skeleton, Stack, Tooltip } from '@mantine/core';
import { IconPhotoDown, IconTableDown } from '@tabler/icons-react';
import { lazy, Suspense, useRef, type ReactNode } from 'react';
import type { ChartHandle, ChartOption, ChartPoint } from './chart-canvas.tsx';
import classes from './chart.module.css';
import { toCsv, type CsvValue } from '../../base/csv.ts';
import { download } from './download.ts';

export type { ChartOption, ChartPoint };

/** ECharts is the largest part of the page: it loads with the first chart, not with the shell. */
const ChartCanvas = lazy(() =>
  import('./chart-canvas.tsx').then((module) => ({ default: module.ChartCanvas })),
);

/** What a chart draws, as a table. */
export interface ChartRows {
  readonly header: readonly string[];
  readonly rows: readonly (readonly CsvValue[])[];
}

interface ChartProps {
  /** File name of a saved picture, and the start of what a screen reader hears. */
  readonly name: string;
  /** The chart in words, for who cannot see it: what is drawn and what stands out. */
  readonly description: string;
  readonly option: ChartOption;
  readonly height?: number;
  /** The numbers drawn, as they are saved. */
  readonly rows: ChartRows;
  /** What a click on a point does; what it leads to is reachable by key elsewhere. */
  readonly onPoint?: (point: ChartPoint) => void;
}

/** An ECharts chart in the page's colour scheme that follows its width and saves as PNG. */
export function Chart(props: ChartProps): ReactNode {
  const { name, description, option, height = 240, rows, onPoint } = props;
  const handle = useRef<ChartHandle>(null);
  const fileName = name.replaceAll(/\W+/g, '-').toLowerCase();
  const savePng = (): void => {
    const url = handle.current?.pngUrl();
    if (url !== undefined) download(`${fileName}.png`, url);
  };
  return (
    <div className={classes['root']}>
      <Suspense fallback={<Skeleton className={classes['picture'] ?? ''} height={height} />}>
        <div className={classes['picture']} role="img" aria-label={`${name}: ${description}`}>
          <ChartCanvas ref={handle} option={option} height={height} onPoint={onPoint} />
        </div>
      </Suspense>
      <Stack gap={4}>
        <Tooltip label="Save as PNG">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={`Save ${name} as PNG`}
            onClick={savePng}
          >
            <IconPhotoDown size={16} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Save the numbers as CSV">
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={`Save ${name} as CSV`}
            onClick={() => {
              const text = toCsv(rows.header, rows.rows);
              download(`${fileName}.csv`, new Blob([text], { type: 'text/csv' }));
            }}
          >
            <IconTableDown size={16} />
          </ActionIcon>
        </Tooltip>
      </Stack>
    </div>
  );
}
