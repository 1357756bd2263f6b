import { ActionIcon, Skeleton, Tooltip } from '@mantine/core';
import { IconPhotoDown } from '@tabler/icons-react';
import { lazy, Suspense, useRef, type ReactNode } from 'react';
import type { ChartHandle, ChartOption } from './chart-canvas.tsx';
import classes from './chart.module.css';
import { download } from './download.ts';

export type { ChartOption };

/** ECharts is the largest part of the page: it loads with the first chart, not with the shell. */
const ChartCanvas = lazy(() =>
  import('./chart-canvas.tsx').then((module) => ({ default: module.ChartCanvas })),
);

interface ChartProps {
  /** File name of a saved picture, and the start of what a screen reader hears. */
  readonly name: string;
  /** The chart in words, for who cannot see it: what is drawn and what stands out. */
  readonly description: string;
  readonly option: ChartOption;
  readonly height?: number;
}

/** An ECharts chart in the page's colour scheme that follows its width and saves as PNG. */
export function Chart({ name, description, option, height = 240 }: ChartProps): ReactNode {
  const handle = useRef<ChartHandle>(null);
  const savePng = (): void => {
    const url = handle.current?.pngUrl();
    if (url !== undefined) download(`${name.replaceAll(/\W+/g, '-').toLowerCase()}.png`, url);
  };
  return (
    <div className={classes['root']}>
      <Suspense fallback={<Skeleton className={classes['picture'] ?? ''} height={height} />}>
        <div className={classes['picture']} role="img" aria-label={`${name}: ${description}`}>
          <ChartCanvas ref={handle} option={option} height={height} />
        </div>
      </Suspense>
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
    </div>
  );
}
