import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { ROOT } from '../scripts/run.ts';
import { RESULTS, type BenchResult, type Row } from './rig/result.ts';

/** Puts the tables of bench/results into bench/README.md. */

const README = join(ROOT, 'bench', 'README.md');
const [BEGIN, END] = ['<!-- results -->', '<!-- end of results -->'];
const NAMES = ['start', 'gateway', 'journal', 'interference', 'training-set', 'pipelines'] as const;

function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0]!);
  const line = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ].join('\n');
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

// A benchmark that has not been kept yet has no section.
const results = NAMES.map((name) => join(RESULTS, `${name}.json`))
  .filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, 'utf8')) as BenchResult);
const text = readFileSync(README, 'utf8');
const before = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
const after = text.slice(text.indexOf(END));
const filled = `${before}\n\n${results.map(section).join('\n\n')}\n\n${after}`;
const options = await prettier.resolveConfig(README);
writeFileSync(README, await prettier.format(filled, { ...options, filepath: README }));
