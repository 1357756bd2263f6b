import { MICROS_PER_SECOND, parseInstant } from '../../base/time.ts';
import type { QuickstartReport } from './quickstart-report.ts';
import { day, figure, METRIC_NAMES, words, type Metric } from './report-figures.ts';
import { marksOf, spanOf, type Mark } from './report-marks.ts';
import { markup, NO_MARKUP, type Markup } from './report-markup.ts';
import { timeScale, valueScale, type Scale } from './report-scale.ts';

const WEEK = 7 * 86_400 * MICROS_PER_SECOND;

/** Drawn twice, and the page shows the one that fits: scaled down, text could not be read. */
const SIZES = [
  { name: 'wide', width: 920, left: 52, right: 908, plot: 200, hasWords: true },
  { name: 'narrow', width: 360, left: 44, right: 354, plot: 170, hasWords: false },
] as const;
type Size = (typeof SIZES)[number];

const LANE = 20;
const LABEL_HEIGHT = 16;
/** Of a character in a label; labels keep apart by it, so it is rather too wide. */
const CHARACTER = 6.9;
const LABEL_PADDING = 6;
/** More labels than this leave no room for words beside their numbers. */
const WORDS_MAX = 16;
const AXIS_ROOM = 26;

const MODELS = ['loop', 'static'] as const;
type Model = (typeof MODELS)[number];
const MODEL_NAMES: Readonly<Record<Model, string>> = {
  loop: 'with the loop',
  static: 'static February model',
};

/** Both models' figure by week, with the loop's marks; nothing when no week has one. */
export function weekChart(report: QuickstartReport, metric: Metric): Markup {
  const values = MODELS.flatMap((model) => report.weeks.map((week) => week[model][metric]));
  if (spanOf(report) === null || values.every((value) => value === null)) return NO_MARKUP;
  const charts = SIZES.map((size) => drawing(report, metric, size));
  return markup`<div class="chart">${charts}</div>`;
}

function drawing(report: QuickstartReport, metric: Metric, size: Size): Markup {
  const { width, left, right, plot } = size;
  const span = spanOf(report)!;
  const marks = marksOf(report);
  const time = timeScale(span, left, right);
  const labels = laid(marks, time, size);
  const lanes = Math.max(0, ...labels.map(({ lane }) => lane + 1));
  const top = 8 + lanes * LANE;
  const bottom = top + plot;
  const points = pointsOf(report, metric);
  const value = valueScale(
    points.map((point) => point.value),
    bottom,
    top + 4,
  );
  const id = `${metric}-${size.name}`;
  return markup`
<svg class="${size.name}" viewBox="0 0 ${width} ${bottom + AXIS_ROOM}" role="img"
  aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${METRIC_NAMES[metric]} by week</title>
<desc id="${id}-desc">${describe(report, metric, marks)}</desc>
${value.ticks.map(
  ({
    at,
    text,
  }) => markup`<line class="grid" x1="${left}" x2="${right}" y1="${px(at)}" y2="${px(at)}"/>
<text class="tick" x="${left - 6}" y="${px(at + 4)}" text-anchor="end">${text}</text>
`,
)}
${timeTicks(time, bottom, size)}
${labels.map((label) => markLine(label, bottom))}
${MODELS.map((model) => line(points, model, time, value))}
${labels.map(markLabel)}
</svg>`;
}

interface Point {
  readonly model: Model;
  /** Place of its week. */
  readonly index: number;
  /** The middle of the part of its week that was replayed. */
  readonly at: number;
  readonly value: number;
  readonly text: string;
}

function pointsOf(report: QuickstartReport, metric: Metric): readonly Point[] {
  const span = spanOf(report)!;
  return MODELS.flatMap((model) =>
    report.weeks.flatMap((week, index) => {
      const from = parseInstant(week.from);
      const value = week[model][metric];
      if (from === null || value === null) return [];
      const at = (Math.max(from, span.from) + Math.min(from + WEEK, span.until)) / 2;
      if (at < span.from || at > span.until) return [];
      const text = `${MODEL_NAMES[model]}, week from ${day(week.from)}: ${figure(value)}`;
      return [{ model, index, at, value, text }];
    }),
  );
}

/** Weeks without a figure are gaps: a line over them would tell what nobody measured. */
function line(points: readonly Point[], model: Model, time: Scale, value: Scale): Markup {
  const own = points.filter((point) => point.model === model);
  const steps = own.map(({ at, index, value: figured }, place) => {
    const goesOn = own[place - 1]?.index === index - 1;
    return `${goesOn ? 'L' : 'M'}${px(time.place(at))} ${px(value.place(figured))}`;
  });
  return markup`<path class="line ${model}" d="${steps.join('')}"/>
${own.map(
  (point) => markup`<circle class="dot ${model}" cx="${px(time.place(point.at))}"
  cy="${px(value.place(point.value))}" r="2.6"><title>${point.text}</title></circle>
`,
)}`;
}

function timeTicks(time: Scale, bottom: number, size: Size): Markup {
  return markup`${time.ticks.map(({ at, text }) => {
    const anchor = at > size.right - 36 ? 'end' : at < size.left + 30 ? 'start' : 'middle';
    const shown = size.name === 'narrow' ? text.slice(5) : text;
    return markup`<line class="axis" x1="${px(at)}" x2="${px(at)}" y1="${bottom}" y2="${bottom + 5}"/>
<text class="tick" x="${px(at)}" y="${bottom + 19}" text-anchor="${anchor}">${shown}</text>
`;
  })}<line class="axis" x1="${size.left}" x2="${size.right}" y1="${bottom}" y2="${bottom}"/>`;
}

interface Label {
  readonly mark: Mark;
  readonly x: number;
  readonly left: number;
  readonly width: number;
  /** From the top; labels of one lane keep apart. */
  readonly lane: number;
  readonly text: string;
}

function laid(marks: readonly Mark[], time: Scale, size: Size): readonly Label[] {
  const ends: number[] = [];
  const hasWords = size.hasWords && marks.length <= WORDS_MAX;
  return marks.map((mark) => {
    const text = hasWords ? `${mark.number} ${words(mark.kind)}` : String(mark.number);
    const width = text.length * CHARACTER + LABEL_PADDING * 2;
    const x = time.place(mark.at);
    const left = Math.min(Math.max(x - width / 2, size.left), size.right - width);
    const free = ends.findIndex((end) => end + 3 <= left);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = left + width;
    return { mark, x, left, width, lane, text };
  });
}

function markLine({ mark, x, lane }: Label, bottom: number): Markup {
  const top = 4 + lane * LANE + LABEL_HEIGHT;
  return markup`<line class="mark ${mark.kind}" x1="${px(x)}" x2="${px(x)}" y1="${top}"
  y2="${bottom}"/>
`;
}

function markLabel({ mark, left, width, lane, text }: Label): Markup {
  const top = 4 + lane * LANE;
  return markup`<rect class="badge ${mark.kind}" x="${px(left)}" y="${top}" width="${px(width)}"
  height="${LABEL_HEIGHT}" rx="8"/>
<text class="badge-text" x="${px(left + width / 2)}" y="${top + 12}"
  text-anchor="middle">${text}</text>
`;
}

function describe(report: QuickstartReport, metric: Metric, marks: readonly Mark[]): string {
  const told = MODELS.map((model) => {
    const values = report.weeks.map((week) => week[model][metric]).filter((it) => it !== null);
    const range = `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`;
    return values.length === 0
      ? `${MODEL_NAMES[model]}: no labels`
      : `${MODEL_NAMES[model]}: from ${range} in ${values.length} of ${report.weeks.length} weeks`;
  });
  const marked = marks.map(({ number, kind, at }) => {
    return `${number} ${words(kind)} on ${day(new Date(at / 1000).toISOString())}`;
  });
  const also = marked.length === 0 ? '' : ` Marked: ${marked.join(', ')}.`;
  return `${told.join('; ')}. The table by week holds every figure.${also}`;
}

/** Tenths of a pixel are as fine as anybody sees. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
