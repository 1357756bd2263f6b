import { Button, Group, useComputedColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState, type ReactNode } from 'react';
import { Chart, type ChartOption, type ChartPoint } from '../../../web/kit/chart.tsx';
import { formatCount, formatCounted, formatShort } from '../../../web/kit/format.ts';
import { versioned } from '../../../web/kit/lineage-layers.ts';
import type { Lineage } from '../contract.ts';
import { CLOSED_SHOWN, keyOf, layOutLineage, type Box, type Layout } from './lineage-layout.ts';

const ROW_PX = 34;
const TITLES_PX = 30;
/** Of a column's width; the rest is for the lines. */
const BOX_SHARE = 0.8;
const BOX_PX = 24;
const CHAR_PX = 7;
const SERIES_BOXES = 'things';
/** How many times larger than the whole picture. */
const ZOOMS = [1, 1.5, 2, 3, 4, 6] as const;

interface LineageGraphProps {
  readonly lineage: Lineage;
  /** Layers whose things are all drawn, by title. */
  readonly open: readonly string[];
}

/** The picture of a lineage; a click leads on, and all of it stands in the relations below. */
export function LineageGraph({ lineage, open }: LineageGraphProps): ReactNode {
  const navigate = useNavigate({ from: '/lineage' });
  const scheme = useComputedColorScheme('light');
  const layout = useMemo(() => layOutLineage(lineage, open), [lineage, open.join(' ')]);
  // A new object also where the step stays: the picture may have been moved since.
  const [zoom, setZoom] = useState({ step: 0 });
  const option = useMemo(
    () => ({ ...optionOf(layout, lineage, scheme), dataZoom: windowsOf(ZOOMS[zoom.step]!) }),
    [layout, lineage, scheme, zoom],
  );
  const toggle = (title: string): void => {
    const next = open.includes(title) ? open.filter((one) => one !== title) : [...open, title];
    void navigate({
      search: (former) => ({ ...former, open: next.length === 0 ? undefined : next }),
      resetScroll: false,
    });
  };
  const follow = ({ series, index }: ChartPoint): void => {
    const box = series === SERIES_BOXES ? layout.boxes[index] : undefined;
    if (box === undefined) return;
    if (box.node === null && box.hidden === 0) return;
    if (box.node === null) toggle(layout.layers[box.layer]!.title);
    else
      void navigate({ search: (former) => ({ ...former, of: keyOf(box.node!), open: undefined }) });
  };
  const large = layout.layers.filter(({ count }) => count > CLOSED_SHOWN + 1);
  return (
    <>
      <Group gap="xs" mb="xs">
        <ZoomButtons step={zoom.step} onStep={(step) => setZoom({ step })} />
        {large.map(({ title, count, isOpen }) => (
          <Button
            key={title}
            size="compact-xs"
            variant="default"
            aria-pressed={isOpen}
            onClick={() => toggle(title)}
          >
            {isOpen ? `${title}: show fewer` : `${title}: show all ${formatCount(count)}`}
          </Button>
        ))}
      </Group>
      <Chart
        name={`Lineage of ${keyOf(lineage.of)}`}
        description={`${formatCounted(lineage.nodes.length, 'thing')} in ${formatCounted(
          layout.layers.length,
          'layer',
        )}: ${layout.layers.map(({ title, count }) => `${title} ${count}`).join(', ')}`}
        option={option}
        height={TITLES_PX + ROW_PX * Math.max(2, layout.rows)}
        rows={{
          header: ['this', 'is', 'that'],
          rows: lineage.edges.map(({ from, relation, to }) => [keyOf(from), relation, keyOf(to)]),
        }}
        onPoint={follow}
      />
    </>
  );
}

interface ZoomButtonsProps {
  readonly step: number;
  readonly onStep: (step: number) => void;
}

/** What Ctrl and the wheel, or dragging, do with the picture, by key. */
function ZoomButtons({ step, onStep }: ZoomButtonsProps): ReactNode {
  return (
    <Button.Group aria-label="Zoom of the picture">
      <Button
        size="compact-xs"
        variant="default"
        aria-label="Zoom out"
        disabled={step === 0}
        onClick={() => onStep(step - 1)}
      >
        −
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        title="The whole picture; Ctrl and the wheel zoom, dragging moves"
        onClick={() => onStep(0)}
      >
        {`${ZOOMS[step]! * 100} %`}
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        aria-label="Zoom in"
        disabled={step === ZOOMS.length - 1}
        onClick={() => onStep(step + 1)}
      >
        +
      </Button>
    </Button.Group>
  );
}

/** The middle of the plane; from there it is dragged. */
function windowsOf(zoom: number) {
  const span = { start: 50 - 50 / zoom, end: 50 + 50 / zoom };
  const inside = { type: 'inside', filterMode: 'none', zoomOnMouseWheel: 'ctrl' } as const;
  return [
    { ...inside, ...span, xAxisIndex: 0 },
    { ...inside, ...span, yAxisIndex: 0 },
  ];
}

interface Inks {
  readonly text: string;
  readonly faint: string;
  readonly box: string;
  readonly border: string;
  readonly line: string;
  readonly self: string;
}

const INKS: Readonly<Record<'light' | 'dark', Inks>> = {
  light: {
    text: '#1f2429',
    faint: '#5c6670',
    box: '#f7f9fb',
    border: '#cfd6dd',
    line: '#b4bec8',
    self: '#2b659f',
  },
  dark: {
    text: '#d4dae1',
    faint: '#9aa4b0',
    box: '#21262d',
    border: '#3a434d',
    line: '#4a5561',
    self: '#3d7fc1',
  },
};

/** Boxes and lines in a plane whose x is the layer and whose y is the row, downwards. */
function optionOf(layout: Layout, lineage: Lineage, scheme: 'light' | 'dark'): ChartOption {
  const { layers, rows, boxes, lines } = layout;
  const inks = INKS[scheme];
  const hidden = { show: false, type: 'value' } as const;
  return {
    grid: { left: 4, right: 4, top: TITLES_PX, bottom: 4 },
    xAxis: { ...hidden, min: -0.5, max: layers.length - 0.5 },
    yAxis: { ...hidden, min: -0.5, max: Math.max(2, rows) - 0.5, inverse: true },
    tooltip: { trigger: 'item' },
    series: [
      {
        type: 'custom',
        name: 'titles',
        silent: true,
        clip: false,
        data: layers.map((_, index) => [index, 0]),
        renderItem: ({ dataIndex }, api) => {
          const [x = 0] = api.coord([dataIndex, 0]);
          const { title } = layers[dataIndex]!;
          // Above the plane, wherever it was moved to.
          const style = { text: title, x, y: TITLES_PX - 14, fill: inks.faint } as const;
          return { type: 'text', style: { ...style, align: 'center', fontSize: 12 } };
        },
      },
      {
        type: 'custom',
        name: 'relations',
        silent: true,
        clip: true,
        data: lines.map(() => [0, 0]),
        renderItem: ({ dataIndex }, api) => {
          const { from, to } = lines[dataIndex]!;
          const shape = lineShape(api, boxes[from]!, boxes[to]!);
          return { type: 'bezierCurve', shape, style: { stroke: inks.line, fill: 'none' } };
        },
      },
      {
        type: 'custom',
        name: SERIES_BOXES,
        clip: true,
        tooltip: {
          formatter: (point) => tooltipOf(boxes[(point as { dataIndex: number }).dataIndex]!),
        },
        data: boxes.map(({ layer, row }) => [layer, row]),
        renderItem: ({ dataIndex }, api) => boxShape(api, boxes[dataIndex]!, lineage, inks),
      },
    ],
  };
}

interface Plane {
  readonly coord: (point: number[]) => number[];
  readonly size?: ((span: number[]) => number | number[]) | undefined;
}

function widthOf(api: Plane): number {
  const size = api.size?.([1, 0]) ?? 0;
  return BOX_SHARE * (typeof size === 'number' ? size : (size[0] ?? 0));
}

/** From the right side of the origin to the left of the outcome; to its right within a layer. */
function lineShape(api: Plane, origin: Box, outcome: Box) {
  const half = widthOf(api) / 2;
  const [x1 = 0, y1 = 0] = api.coord([origin.layer, origin.row]);
  const [x2 = 0, y2 = 0] = api.coord([outcome.layer, outcome.row]);
  const [start, isWithin] = [x1 + half, origin.layer === outcome.layer];
  const end = isWithin ? x2 + half : x2 - half;
  const bend = isWithin ? 20 : Math.max(12, (end - start) / 2);
  return {
    x1: start,
    y1,
    x2: end,
    y2,
    cpx1: start + bend,
    cpy1: y1,
    cpx2: isWithin ? end + bend : end - bend,
    cpy2: y2,
  };
}

function boxShape(api: Plane, box: Box, { of }: Lineage, inks: Inks) {
  const width = widthOf(api);
  const [x = 0, y = 0] = api.coord([box.layer, box.row]);
  if (box.node === null && box.hidden === 0) {
    const shape = { x1: x - width / 2, y1: y, x2: x + width / 2, y2: y };
    return { type: 'line' as const, shape, style: { stroke: inks.line } };
  }
  const isSelf = box.node !== null && keyOf(box.node) === keyOf(of);
  const chars = Math.max(3, Math.floor((width - 12) / CHAR_PX));
  return {
    type: 'group' as const,
    children: [
      {
        type: 'rect' as const,
        shape: { x: x - width / 2, y: y - BOX_PX / 2, width, height: BOX_PX, r: 4 },
        style: {
          fill: isSelf ? inks.self : inks.box,
          stroke: isSelf ? inks.self : inks.border,
          ...(box.node === null ? { lineDash: [4, 3] } : {}),
        },
      },
      {
        type: 'text' as const,
        style: {
          text: boxText(box, chars),
          x,
          y,
          align: 'center' as const,
          verticalAlign: 'middle' as const,
          fill: isSelf ? '#ffffff' : box.node === null ? inks.faint : inks.text,
          fontSize: 12,
        },
      },
    ],
  };
}

/** Where it is too long, of its name: which version it is matters most. */
function boxText({ node, hidden }: Box, chars: number): string {
  if (node === null) return `and ${formatCount(hidden)} more`;
  const of = versioned(node.id);
  const name = (of?.name ?? node.id).replace(/^default\./, '');
  const version = of === null ? '' : ` v${of.version}`;
  return `${formatShort(name, Math.max(3, chars - 1 - version.length))}${version}`;
}

/** ECharts takes it for HTML, and ids are whatever clients called them. */
function tooltipOf(box: Box): string {
  if (box.node === null && box.hidden === 0) return '';
  const text = box.node === null ? boxText(box, Infinity) : keyOf(box.node);
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
