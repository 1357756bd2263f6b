import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { ROOT } from '../../scripts/run.ts';
import { BUDGETS, type BudgetRow } from './budgets.ts';
import { PROGRAMS } from './programs.ts';
import { RESULTS, type BenchResult, type Row } from './result.ts';

/** The results as documents show them: made of bench/results and nothing else. */

/** Where documents show results, and what goes between which marks. */
const REPORTS = [
  { path: 'bench/README.md', begin: '<!-- results -->', end: '<!-- end of results -->' },
  { path: 'README.md', begin: '<!-- budgets -->', end: '<!-- end of budgets -->' },
] as const;

export interface Report {
  /** Absolute. */
  readonly file: string;
  /** The whole document as it should be. */
  readonly text: string;
}

export async function reports(): Promise<readonly Report[]> {
  const results = keptResults();
  const [sections, budgets] = [allSections(results), budgetTable(results)];
  return await Promise.all(
    REPORTS.map(async ({ path, begin, end }, index) => {
      const file = join(ROOT, path);
      const text = between(readFileSync(file, 'utf8'), [begin, end], [sections, budgets][index]!);
      const options = await prettier.resolveConfig(file);
      return { file, text: await prettier.format(text, { ...options, filepath: file }) };
    }),
  );
}

export function keptResults(): ReadonlyMap<string, BenchResult> {
  const found = PROGRAMS.map((name) => join(RESULTS, `${name}.json`))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as BenchResult);
  return new Map(found.map((result) => [result.name, result]));
}

function between(text: string, [begin, end]: readonly [string, string], filling: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`There is no ${begin} … ${end}.`);
  return `${text.slice(0, from + begin.length)}\n\n${filling}\n\n${text.slice(to)}`;
}

/** Missed limits and missing measurements stand there like all others. */
export function budgetTable(results: ReadonlyMap<string, BenchResult>): string {
  const rows = BUDGETS.map((row) => ({ budget: row.what, ...outcomeOf(row, results) }));
  const used = [...results.values()].filter(({ budgets }) => budgets.length > 0);
  return [table(rows), aboutAll(used)].join('\n\n');
}

function outcomeOf(
  { program, what, limit }: BudgetRow,
  results: ReadonlyMap<string, BenchResult>,
): Row {
  if (program === null) return { limit, measured: 'not built yet', met: '' };
  const found = results.get(program)?.budgets.find((budget) => budget.what === what);
  if (found === undefined) return { limit, measured: 'not measured yet', met: '' };
  return { limit, measured: found.measured, met: found.isMet ? 'yes' : '**no**' };
}

function aboutAll(results: readonly BenchResult[]): string {
  const days = results.map(({ date }) => date.slice(0, 10)).sort();
  if (days.length === 0) return '';
  const machines = [
    ...new Set(results.map(({ machine }) => `${machine.cores} cores of ${machine.cpu}`)),
  ];
  const when = days[0] === days.at(-1) ? `On ${days[0]}` : `From ${days[0]} to ${days.at(-1)}`;
  return `${when}, ${machines.join(' and ')}.`;
}

function allSections(results: ReadonlyMap<string, BenchResult>): string {
  const sections = [...results.values()].map(section);
  const missing = PROGRAMS.filter((name) => !results.has(name));
  if (missing.length === 0) return sections.join('\n\n');
  return [...sections, `Not measured yet: ${missing.join(', ')}.`].join('\n\n');
}

function section(result: BenchResult): string {
  const { machine, load, versions } = result;
  const budgets = result.budgets.map(({ what, limit, measured, isMet }) => ({
    budget: what,
    limit,
    measured,
    met: isMet ? 'yes' : '**no**',
  }));
  const about = [
    `${result.date.slice(0, 16).replace('T', ' ')} UTC, commit ${result.commit}`,
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGb} GB, Linux ${machine.kernel}`,
    `load average ${load.before[0]!.toFixed(1)} before, ${load.after[0]!.toFixed(1)} after`,
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
  ];
  return [
    `### ${result.name}`,
    result.method,
    table(result.table),
    ...(budgets.length === 0 ? [] : [table(budgets)]),
    `${about.join(', ')}.`,
  ].join('\n\n');
}

function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0]!);
  const line = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ].join('\n');
}
