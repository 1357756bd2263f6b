import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { say } from '../../scripts/progress.mjs';
import { ROOT } from '../../scripts/run.ts';
import { isTrial } from './options.ts';

/** A number that DESIGN sets a limit for, with what was measured. */
export interface Budget {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** A line of the report's table. */
export type Row = Readonly<Record<string, string | number>>;

/** What one benchmark measured; everything but where and when is its own business. */
export interface Findings {
  readonly name: string;
  /** What was measured and how, in a paragraph that a reader can judge it by. */
  readonly method: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: unknown;
  /** Medians over the rounds, as the report shows them. */
  readonly table: readonly Row[];
  readonly budgets: readonly Budget[];
}

export interface BenchResult extends Findings {
  readonly date: string;
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly kernel: string;
  };
  /** One, five and fifteen minutes: other work on the machine shows here. */
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] };
}

export const RESULTS = join(ROOT, 'bench', 'results');

/** Measures, and keeps what was found in bench/results/NAME.json; a trial only shows it. */
export async function keepResult(measure: () => Promise<Findings>): Promise<BenchResult> {
  const before = loadavg();
  const findings = await measure();
  const result: BenchResult = {
    ...findings,
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1e9),
      kernel: release(),
    },
    versions: { node: process.version, ...findings.versions },
    load: { before, after: loadavg() },
  };
  if (isTrial()) {
    say(JSON.stringify({ table: result.table, budgets: result.budgets }, null, 2));
    return result;
  }
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

/** Version of an installed npm package. */
export function packageVersion(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** The commit of the tree, with `+` when files it runs from differ from it. */
function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--', 'src', 'bench/rig') !== '';
  return git('rev-parse', '--short', 'HEAD') + (isChanged ? '+' : '');
}
