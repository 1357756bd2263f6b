import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checks, runChecks } from './checks.ts';
import { ensureChromium } from './chromium.ts';
import { Obstacle, say, step } from './progress.mjs';
import { ensurePython } from './python.ts';
import { CACHE, ROOT, run } from './run.ts';
import { tally, type Failure, type Tally } from './vitest-report.ts';

const REPORT = join(CACHE, 'vitest.json');
/** Lines shown again of one failure: enough for a stack or a linter's list. */
const DETAIL_LINES_MAX = 60;

/**
 * `npm test`: everything a change has to pass. Installs the foreign programs the tests speak with,
 * runs the checks, all tests, and at last the package as others install it, unless further
 * arguments say which tests. The last line is the count.
 */
process.exitCode = await main();

async function main(): Promise<number> {
  let tools: Readonly<Record<string, string>>;
  try {
    tools = await installTools();
  } catch (error) {
    const detail = error instanceof Obstacle ? error.message : String((error as Error).stack);
    return conclude({ passed: 0, failures: [{ name: 'setting up', detail }] });
  }
  const filters = process.argv.slice(2);
  const checked = await runAllChecks();
  const tested = await runTests(tools, filters);
  const tallies = [checked, tested, ...(filters.length === 0 ? [await tryPackage()] : [])];
  return conclude({
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failures: tallies.flatMap(({ failures }) => failures),
  });
}

/** The programs of this machine that tests find by environment variable. */
async function installTools(): Promise<Readonly<Record<string, string>>> {
  const results = await Promise.allSettled([
    step('Chromium', ensureChromium),
    step('Python clients', ensurePython),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const [CHROMIUM, PYTHON] = results.map((it) => (it.status === 'fulfilled' ? it.value : ''));
  return { CHROMIUM: CHROMIUM!, PYTHON: PYTHON! };
}

async function runAllChecks(): Promise<Tally> {
  const failures: Failure[] = [];
  let passed = 0;
  await runChecks(checks(), (check, { code, output }, seconds) => {
    say(`  ${code === 0 ? '✔' : '✗'} ${check.name.padEnd(24)} ${seconds.toFixed(1)} s`);
    if (code === 0) passed++;
    else failures.push({ name: check.name, detail: output });
  });
  return { passed, failures };
}

async function runTests(
  env: Readonly<Record<string, string>>,
  filters: readonly string[],
): Promise<Tally> {
  mkdirSync(CACHE, { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const args = ['run', ...reporters, ...filters];
  const { code } = await run('vitest', args, { env, isShown: true });
  if (!existsSync(REPORT)) {
    return { passed: 0, failures: [{ name: 'vitest', detail: `ended with ${code}, no report` }] };
  }
  return tally(JSON.parse(readFileSync(REPORT, 'utf8')), code);
}

/** Last, because it builds what pages are served from. */
async function tryPackage(): Promise<Tally> {
  const { code, output } = await run('node', [join(ROOT, 'scripts', 'pack-check.ts')]);
  say(output.trimEnd());
  if (code === 0) return { passed: 1, failures: [] };
  return { passed: 0, failures: [{ name: 'package', detail: output }] };
}

/** Repeats what failed, where it can be read without scrolling, and gives the exit status. */
function conclude({ passed, failures }: Tally): number {
  const out = (text: string) => process.stdout.write(`${text}\n`);
  for (const { name, detail } of failures) {
    const lines = detail.trim().split('\n');
    const cut = lines.length - DETAIL_LINES_MAX;
    const shown = cut > 0 ? [`(${cut} lines before)`, ...lines.slice(cut)] : lines;
    out(`\n✗ ${name.replace(ROOT, '')}`);
    for (const line of shown) out(`    ${line}`);
  }
  out(`\n${passed} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}
