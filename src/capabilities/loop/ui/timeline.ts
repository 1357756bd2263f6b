import type { ChartOption } from '../../../web/kit/chart.tsx';
import { instantText } from '../../../web/kit/instant-text.ts';
import type { Tone } from '../../../web/kit/number-card.tsx';
import type { Decision } from '../contract.ts';
import { about, LANES } from './decision-kind.ts';

const COLORS: Readonly<Record<Tone, string>> = {
  good: '#2fa084',
  bad: '#d9534f',
  warn: '#e39c37',
  plain: '#3d7fc1',
};

/** Text of one decision in a tooltip, cut into lines that fit a narrow screen. */
const LINE = 56;

/** Every decision as a point in its lane; those of one instance are joined by a line. */
export function timelineOption(decisions: readonly Decision[]): ChartOption {
  const points = decisions.toReversed();
  const instances = Map.groupBy(
    points.filter(({ instance }) => instance !== null),
    ({ instance }) => instance,
  );
  const lanes = [...LANES].toReversed();
  return {
    grid: { left: 8, right: 16, top: 12, bottom: 8, containLabel: true },
    tooltip: {
      trigger: 'item',
      confine: true,
      formatter: (shown) => {
        const { seriesName, dataIndex } = Array.isArray(shown) ? shown[0]! : shown;
        const decision = seriesName === DECISIONS ? points[dataIndex] : undefined;
        return decision === undefined ? '' : tooltipOf(decision);
      },
    },
    xAxis: { type: 'time', boundaryGap: ['3%', '3%'], axisLabel: { hideOverlap: true } },
    yAxis: { type: 'category', data: lanes, splitLine: { show: true } },
    series: [
      ...[...instances.values()].map((own) => ({
        name: 'one instance',
        type: 'line' as const,
        symbol: 'none',
        silent: true,
        lineStyle: { width: 1.5, color: '#8d96a3', opacity: 0.7 },
        data: own.map(({ at, kind }) => [at, about(kind).lane]),
      })),
      {
        name: DECISIONS,
        type: 'scatter',
        symbolSize: 13,
        cursor: 'pointer',
        data: points.map(({ at, kind }) => ({
          value: [at, about(kind).lane],
          itemStyle: { color: COLORS[about(kind).tone] },
        })),
      },
    ],
  };
}

export const DECISIONS = 'decisions';

function tooltipOf({ at, kind, reason }: Decision): string {
  const head = `${instantText(at)} (domain clock, UTC) · ${about(kind).word}`;
  return [head, ...linesOf(reason)].map(escaped).join('<br>');
}

/** Words of a text, at most so many characters a line. */
export function linesOf(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= LINE) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Reasons come from callers, and a tooltip is HTML. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The timeline in words. */
export function timelineText(decisions: readonly Decision[]): string {
  if (decisions.length === 0) return 'nothing was decided yet';
  const counts = Map.groupBy(decisions, ({ kind }) => about(kind).word);
  const parts = [...counts].map(([word, of]) => `${word} ${of.length}`);
  return `${decisions.length} decisions: ${parts.join(', ')}`;
}
