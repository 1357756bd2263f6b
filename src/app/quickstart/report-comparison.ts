import type { Figures, QuickstartReport } from './quickstart-report.ts';
import {
  counted,
  day,
  difference,
  figure,
  METRIC_NAMES,
  METRICS,
  type Metric,
} from './report-figures.ts';
import { markup, NO_MARKUP, type Markup } from './report-markup.ts';

interface Compared {
  readonly static: Figures;
  readonly loop: Figures;
}

/** The static model against the loop: in a sentence for all weeks, and as a table by week. */
export function comparison(report: QuickstartReport): Markup {
  const { weeks } = report;
  return markup`<section>
<h2>The static February model against the loop</h2>
<p>${overallText(report)} ${METRICS.map((metric) => weeksText(weeks, metric)).join(' ')}</p>
<table class="weeks">
<caption>The static model is the first version, the loop is whatever version served; both are scored
on the same labelled requests. Difference: loop minus static, so higher is better for AUC and lower
for log-loss; the better figure is bold. No intervals were computed for these differences: small ones
may be chance.</caption>
<thead>
<tr><td></td>${METRICS.map(
    (metric) => markup`<th scope="colgroup" colspan="3" class="group">${METRIC_NAMES[metric]}</th>`,
  )}</tr>
<tr><th scope="col">Week from</th>${METRICS.map(
    () => markup`<th scope="col" class="number first">static</th>
<th scope="col" class="number">loop</th><th scope="col" class="number">diff.</th>`,
  )}</tr>
</thead>
<tbody>
<tr class="all"><th scope="row">Overall</th>${cells(report)}</tr>
${weeks.map(
  (week) => markup`<tr><th scope="row">${shortDay(week.from)}</th>${cells(week)}</tr>
`,
)}</tbody>
</table>
</section>`;
}

/** The year stands in a part of its own, which a narrow page leaves out. */
function shortDay(from: string): Markup {
  const text = day(from);
  const match = /^(\d{4}-)(\d\d-\d\d)$/.exec(text);
  if (match === null) return markup`${text}`;
  return markup`<span class="year">${match[1] ?? ''}</span>${match[2] ?? ''}`;
}

function cells(of: Compared): Markup {
  const isBlank = METRICS.every((metric) => of.static[metric] === null && of.loop[metric] === null);
  if (isBlank) return markup`<td colspan="6" class="dim first">no labels of both outcomes</td>`;
  return markup`${METRICS.map((metric) => {
    const { text, verdict } = difference(metric, of);
    const look = { better: 'good', worse: 'bad', equal: 'dim', unknown: 'dim' }[verdict];
    const spoken =
      verdict === 'better' || verdict === 'worse'
        ? markup`<span class="spoken"> ${verdict}</span>`
        : NO_MARKUP;
    return markup`<td class="number first">${bold(of.static[metric], verdict === 'worse')}</td>
<td class="number">${bold(of.loop[metric], verdict === 'better')}</td>
<td class="number ${look}">${text}${spoken}</td>`;
  })}`;
}

function bold(value: number | null, isBetter: boolean): Markup {
  return isBetter ? markup`<b>${figure(value)}</b>` : markup`${figure(value)}`;
}

function overallText(report: QuickstartReport): string {
  const auc = overallPart(report, 'auc');
  const loss = overallPart(report, 'logloss');
  if (auc === null || loss === null) {
    return 'There are no labelled requests of both outcomes, so nothing is compared yet.';
  }
  return `Over all labelled requests, the loop against the static model: ${auc}, ${loss}.`;
}

function overallPart(report: QuickstartReport, metric: Metric): string | null {
  const { text, verdict } = difference(metric, report);
  const name = metric === 'auc' ? 'AUC' : 'log-loss';
  if (verdict === 'unknown') return null;
  if (verdict === 'equal') return `${name} the same`;
  const way = text.startsWith('−') ? 'lower' : 'higher';
  return `${name} ${text.slice(1)} ${way} (${verdict})`;
}

function weeksText(weeks: readonly Compared[], metric: Metric): string {
  const verdicts = weeks.map((week) => difference(metric, week).verdict);
  const times = (verdict: string): number => verdicts.filter((it) => it === verdict).length;
  const measured = weeks.length - times('unknown');
  if (measured === 0) return '';
  return (
    `By ${METRIC_NAMES[metric] === 'AUC' ? 'AUC' : 'log-loss'} it is better in ${times('better')}, ` +
    `worse in ${times('worse')} and equal in ${times('equal')} of ${counted(measured, 'week')}.`
  );
}
