import path from 'node:path';
import type { Figures, QuickstartReport } from './quickstart-report.ts';
import {
  count,
  counted,
  day,
  difference,
  figure,
  levelThree,
  share,
  tally,
  words,
} from './report-figures.ts';
import { proofOf } from './report-proof.ts';

const WIDTH_MAX = 100;
/** A replay of four months has eighteen weeks, the last one short. */
const WEEKS_MAX = 18;
const INDENT = 2;

/** The closing lines of the quickstart for a terminal; `folder` is where report.html lies. */
export function reportLines(report: QuickstartReport, folder: string): readonly string[] {
  return [
    ...overall(report),
    ...weekly(report),
    '',
    ...proof(report),
    ...versions(report),
    ...decisions(report),
    ...level(report),
    `report: ${path.join(folder, 'report.html')}`,
  ];
}

interface Compared {
  readonly static: Figures;
  readonly loop: Figures;
}

function overall(report: QuickstartReport): readonly string[] {
  const auc = difference('auc', report);
  const loss = difference('logloss', report);
  const told = (name: string, { auc: area, logloss }: Figures): string =>
    `${name.padEnd(24)}AUC ${figure(area).padEnd(9)}log-loss ${figure(logloss).padEnd(9)}`;
  const by =
    auc.verdict === 'unknown' || loss.verdict === 'unknown'
      ? 'no labels of both outcomes'
      : `${auc.text} (${auc.verdict}), ${loss.text} (${loss.verdict})`;
  return [
    told('static February model', report.static).trimEnd(),
    `${told('with the loop', report.loop)}${by}`,
  ];
}

function weekly({ weeks }: QuickstartReport): readonly string[] {
  if (weeks.length === 0) return [];
  const isCut = weeks.length > WEEKS_MAX;
  const shown = isCut ? weeks.slice(0, WEEKS_MAX - 1) : weeks;
  const rest = isCut ? [`  and ${counted(weeks.length - shown.length, 'more week')}`] : [];
  return [
    '',
    `  week from   ${columns('AUC static', 'loop', 'diff.')}    ${columns('log-loss static', 'loop', 'diff.')}`,
    ...shown.map((week) => `  ${day(week.from).padEnd(12)}${weekFigures(week)}`.trimEnd()),
    ...rest,
  ].map((line) => line.trimEnd());
}

function weekFigures(week: Compared): string {
  const auc = difference('auc', week);
  const loss = difference('logloss', week);
  if ([week.static, week.loop].every((it) => it.auc === null && it.logloss === null)) {
    return 'no labels of both outcomes';
  }
  return (
    columns(figure(week.static.auc), figure(week.loop.auc), auc.text) +
    '    ' +
    columns(figure(week.static.logloss), figure(week.loop.logloss), loss.text)
  );
}

function columns(still: string, loop: string, by: string): string {
  return `${still.padStart(15)}${loop.padStart(9)}${by.padStart(10)}`;
}

function proof(report: QuickstartReport): readonly string[] {
  const { requests, answered, logged, recomputed, labelled, mismatches } = report;
  const { isTrue, faults } = proofOf(report);
  const steps: readonly (readonly [string, number])[] = [
    ['requests', requests],
    ['answered', answered],
    ['logged', logged],
    ['recomputed', recomputed],
  ];
  const chain = steps.map(([name, value], index) => {
    const before = steps[index - 1]?.[1];
    const sign = before === undefined ? '' : before === value ? '= ' : '≠ ';
    return `${sign}${name} ${count(value)}`;
  });
  const tail = [`· mismatches ${count(mismatches)}`, `· labelled ${count(labelled)}`];
  return [
    ...wrapped([...chain, ...tail], ' '),
    ...(isTrue === false ? wrapped(listed('DOES NOT ADD UP:', faults, ';'), ' ') : []),
  ];
}

function versions(report: QuickstartReport): readonly string[] {
  if (report.versions.length === 0) return [];
  const whole = report.versions.reduce((sum, { requests }) => sum + requests, 0);
  const shares = report.versions.map(
    ({ version, requests }) => `v${version} ${share(requests, whole)}`,
  );
  return wrapped(listed('served by', shares, ','), ' ');
}

function decisions(report: QuickstartReport): readonly string[] {
  const kinds = tally(report.decisions.map(({ kind }) => kind));
  const told = kinds.map(([kind, times]) => `${words(kind)} ${count(times)}`);
  const staged = counted(report.staged.length, 'staged fault');
  const all = counted(report.decisions.length, 'decision');
  const counts = told.length === 0 ? [all] : listed(`${all}:`, told, ',');
  return wrapped([...counts, `· ${staged}`], ' ');
}

function level(report: QuickstartReport): readonly string[] {
  const { exercised, of } = levelThree(report.checks);
  const reached = report.level === null ? 'level not computed' : `level ${report.level}`;
  return [`${reached} · level-3 checks exercised: ${exercised} of ${of}`];
}

/** A name and its items, each but the last followed by a sign. */
function listed(name: string, items: readonly string[], sign: string): readonly string[] {
  return [name, ...items.map((item, at) => (at === items.length - 1 ? item : item + sign))];
}

/** Items on as few lines as they fit on, all but the first line indented. */
function wrapped(items: readonly string[], between: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const text of items) {
    const item = lines.length === 0 && line === '' ? cut(text) : between + cut(text);
    const start = lines.length === 0 ? '' : ' '.repeat(INDENT);
    const longer = line === '' ? start + item : line + item;
    if (longer.length <= WIDTH_MAX) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = ' '.repeat(INDENT) + item.trimStart();
  }
  return [...lines, line];
}

function cut(text: string): string {
  const most = WIDTH_MAX - INDENT;
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
