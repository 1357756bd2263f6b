import type { QuickstartReport } from './quickstart-report.ts';
import { weekChart } from './report-chart.ts';
import { comparison } from './report-comparison.ts';
import { count, counted, day, levelThree, moment, share, words } from './report-figures.ts';
import { markup, Markup, NO_MARKUP } from './report-markup.ts';
import { marksOf, type Mark } from './report-marks.ts';
import { proofOf, proofText } from './report-proof.ts';
import { REPORT_STYLE } from './report-style.ts';

/** Nothing in the page runs or loads, whatever text ends up in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The quickstart's report: one page that needs no other file, no script and no network. */
export function reportHtml(report: QuickstartReport): string {
  const marks = marksOf(report);
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millwright quickstart: late flights</title>
<style>${new Markup(REPORT_STYLE)}</style>
</head>
<body>
${introduction(report)}
<main>
${comparison(report)}
${charts(report, marks)}
${versions(report)}
${proof(report)}
${decisions(report, marks)}
${staged(report, marks)}
${maturity(report)}
${beginning(report)}
${phases(report)}
${further()}
</main>
</body>
</html>
`;
  return page.toString();
}

function introduction({ from, until, requests }: QuickstartReport): Markup {
  const isPlayed = requests > 0 && from !== '' && until !== '';
  const when = isPlayed ? markup`, from ${unbroken(from)} to ${unbroken(until)} UTC,` : NO_MARKUP;
  const asked = isPlayed ? `${count(requests)} times it was asked` : 'the question is';
  return markup`<header>
<h1>Will this flight arrive late?</h1>
<p>Real US flights of 2001, replayed minute by minute${when} against a live Millwright on a replay
clock. At departure ${asked}: will this flight arrive more than 15 minutes late?</p>
<p class="dim">All times are domain time, the time of the flights, in UTC.</p>
</header>`;
}

function unbroken(at: string): Markup {
  return markup`<span class="time">${moment(at)}</span>`;
}

function charts(report: QuickstartReport, marks: readonly Mark[]): Markup {
  const auc = weekChart(report, 'auc');
  const loss = weekChart(report, 'logloss');
  if (auc === NO_MARKUP && loss === NO_MARKUP) return NO_MARKUP;
  const drawn = [
    { chart: auc, says: 'AUC by week: higher is better.' },
    { chart: loss, says: 'Log-loss by week: lower is better.' },
  ].filter(({ chart }) => chart !== NO_MARKUP);
  return markup`<section>
<h2>Week by week</h2>
<ul class="legend">
<li>${sample('loop')}with the loop</li>
<li>${sample('static')}static February model</li>
</ul>
${drawn.map(
  ({ chart, says }) => markup`<figure>
<figcaption>${says} Points lie in the middle of their weeks; the vertical axis does not begin at 0.
</figcaption>
${chart}
</figure>
`,
)}
${marks.length === 0 ? NO_MARKUP : markKey(report, marks)}
</section>`;
}

function sample(model: string): Markup {
  return markup`<svg width="34" height="10" aria-hidden="true"><path class="line ${model}"
d="M0 5H34"/></svg>`;
}

function markKey(report: QuickstartReport, marks: readonly Mark[]): Markup {
  return markup`<ul class="legend" aria-label="Marks in the charts">
${marks.map((mark) => {
  const at = (mark.kind === 'staged' ? report.staged : report.decisions)[mark.index]?.at ?? '';
  return markup`<li><a class="pill ${mark.kind}" href="#mark-${mark.number}">${mark.number}</a>
${day(at)} ${words(mark.kind)}</li>
`;
})}</ul>`;
}

/** Enough to tell the versions of a quickstart apart; then they come again. */
const COLOURS = ['#3d7fc1', '#e39c37', '#2fa084', '#b0679d', '#c8643c', '#67b3dd', '#8d96a3'];

function versions(report: QuickstartReport): Markup {
  const whole = report.versions.reduce((sum, { requests }) => sum + requests, 0);
  if (whole === 0) return section('Versions', markup`<p>No version answered a request.</p>`);
  let left = 0;
  const bars = report.versions.map(({ requests }, index) => {
    const width = (100 * requests) / whole;
    const bar = markup`<rect x="${left.toFixed(3)}" width="${width.toFixed(3)}" height="10"
fill="${colour(index)}"/>`;
    left += width;
    return bar;
  });
  const told = report.versions.map(
    ({ version, requests }) => `version ${version} ${share(requests, whole)}`,
  );
  const rows = report.versions.map(
    ({ version, requests }, index) => markup`<tr>
<th scope="row"><svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1"
fill="${colour(index)}"/></svg>version ${version}</th>
<td class="number">${count(requests)}</td><td class="number">${share(requests, whole)}</td></tr>
`,
  );
  return section(
    'Versions that answered',
    markup`<svg class="shares" viewBox="0 0 100 10" preserveAspectRatio="none" role="img"
aria-label="Share of requests: ${told.join(', ')}">${bars}</svg>
<table class="short"><thead><tr><th scope="col">Version</th><th scope="col" class="number">Requests</th>
<th scope="col" class="number">Share</th></tr></thead><tbody>
${rows}</tbody></table>`,
  );
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '';
}

function proof(report: QuickstartReport): Markup {
  const { requests, answered, logged, recomputed, labelled, mismatches } = report;
  const steps: readonly (readonly [string, number])[] = [
    ['requests', requests],
    ['answered', answered],
    ['logged', logged],
    ['recomputed', recomputed],
  ];
  const chain = steps.map(([name, value], index) => {
    const before = steps[index - 1]?.[1];
    const isSame = before === undefined || before === value;
    const sign = before === undefined ? NO_MARKUP : isSame ? equal() : unequal();
    return markup`${sign}<div><b class="${isSame ? '' : 'bad'}">${count(value)}</b>
<span>${name}</span></div>
`;
  });
  const { isTrue } = proofOf(report);
  const look = isTrue === null ? 'open' : isTrue ? 'sound' : 'broken';
  return section(
    'Does it add up?',
    markup`<div class="chain">${chain}</div>
<p>Mismatches between served and recomputed vectors: <b class="${mismatches === 0 ? '' : 'bad'}"
>${count(mismatches)}</b>. Requests whose outcome is known: <b>${count(labelled)}</b>
(${share(labelled, logged)} of those logged).</p>
<p class="verdict ${look}">${proofText(report)}</p>`,
  );
}

function equal(): Markup {
  return markup`<i>=</i>`;
}

function unequal(): Markup {
  return markup`<i class="bad" aria-label="is not">≠</i>`;
}

function decisions(report: QuickstartReport, marks: readonly Mark[]): Markup {
  const rows = report.decisions.map(({ at, kind, reason }, index) => {
    const mark = marks.find((it) => it.kind !== 'staged' && it.index === index);
    return timelineRow({ at, mark, kind: words(kind), text: reason });
  });
  const head = ['Time (UTC)', 'Decision', 'Reason'];
  return section(
    'What was decided, and why',
    rows.length === 0 ? markup`<p>Nothing was decided.</p>` : timeline(head, rows),
  );
}

function staged(report: QuickstartReport, marks: readonly Mark[]): Markup {
  if (report.staged.length === 0) {
    return section('Staged faults', markup`<p>None were staged.</p>`);
  }
  const rows = report.staged.map(({ at, what }, index) => {
    const mark = marks.find((it) => it.kind === 'staged' && it.index === index);
    return timelineRow({ at, mark, kind: 'staged', text: what });
  });
  const head = ['Time (UTC)', '', 'What was done'];
  return section(
    'Staged faults',
    markup`<p>The quickstart did these on purpose, to show what becomes of them. They are not in the
real data.</p>
${timeline(head, rows)}`,
  );
}

function timeline(head: readonly string[], rows: readonly Markup[]): Markup {
  return markup`<table class="decisions"><thead><tr>${head.map(
    (it) => markup`<th scope="col">${it}</th>`,
  )}</tr></thead><tbody>
${rows}</tbody></table>`;
}

function timelineRow(row: {
  readonly at: string;
  readonly mark: Mark | undefined;
  readonly kind: string;
  readonly text: string;
}): Markup {
  const { mark } = row;
  const shown =
    mark === undefined
      ? markup`${row.kind}`
      : markup`<span class="pill ${mark.kind}" id="mark-${mark.number}">${mark.number} ${row.kind}</span>`;
  return markup`<tr><td class="time">${moment(row.at)}</td><td class="time">${shown}</td>
<td class="text">${row.text}</td></tr>
`;
}

function maturity({ level, checks }: QuickstartReport): Markup {
  const reached =
    level === null
      ? 'The level was not computed.'
      : `Level ${level} of 3, computed from recorded facts.`;
  const { exercised, of } = levelThree(checks);
  const states = [...new Set(checks.map(({ state }) => state))];
  const groups = states.map((state) => {
    const ids = checks.filter((check) => check.state === state).map(({ id }) => id);
    return markup`<dt>${words(state)} <span class="dim">${count(ids.length)}</span></dt>
<dd>${ids.join(', ')}</dd>
`;
  });
  const third = `Checks of level 3 that were exercised: ${exercised} of ${of}.`;
  return section(
    'Maturity level',
    markup`<p><b>${reached}</b> ${of === 0 ? '' : third}</p>
${groups.length === 0 ? NO_MARKUP : markup`<dl>${groups}</dl>`}`,
  );
}

function beginning({ training, deployment }: QuickstartReport): Markup {
  if (training === null && deployment.length === 0) return NO_MARKUP;
  const left = Object.entries(training?.leftOut ?? {});
  const out = left.map(([reason, rows]) => `${count(rows)} ${words(reason)}`).join(', ');
  const rows =
    training === null
      ? NO_MARKUP
      : markup`<p>The first version was trained on ${counted(training.rows, 'row')}.
${out === '' ? '' : `Left out: ${out}.`}</p>`;
  const checks = deployment.map(
    ({ name, result, summary }) => markup`<dt>${words(name)} <span class="dim">${result}</span></dt>
<dd>${summary}</dd>
`,
  );
  return section(
    'Before the first request',
    markup`${rows}${checks.length === 0 ? NO_MARKUP : markup`<dl>${checks}</dl>`}`,
  );
}

function phases({ phases: told }: QuickstartReport): Markup {
  if (told.length === 0) return NO_MARKUP;
  const whole = told.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = [...told, { name: 'together', seconds: whole }].map(
    ({ name, seconds }) => markup`<tr><th scope="row">${name}</th>
<td class="number">${seconds.toFixed(1)}</td></tr>
`,
  );
  return section(
    'How long it took',
    markup`<table class="short"><thead><tr><th scope="col">Phase</th>
<th scope="col" class="number">Seconds</th></tr></thead><tbody>
${rows}</tbody></table>`,
  );
}

const COMMANDS: readonly (readonly [string, string])[] = [
  ['millwright up', 'in this folder, brings the system back, with its pages'],
  ['millwright loop why late', 'why the loop did what it did last, and why it does nothing now'],
  ['millwright level late', 'the level, its checks, and the next step'],
  ['millwright trace REQUEST', 'one request: its features, version, training run, code and tables'],
];

function further(): Markup {
  const rows = COMMANDS.map(
    ([command, says]) => markup`<dt><code>${command}</code></dt><dd>${says}</dd>
`,
  );
  return section('How to look further', markup`<dl>${rows}</dl>`);
}

function section(title: string, content: Markup): Markup {
  return markup`<section>
<h2>${title}</h2>
${content}
</section>`;
}
