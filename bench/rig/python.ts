import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Obstacle, step } from '../../scripts/progress.mjs';
import { CACHE, findProgram, ROOT, run } from '../../scripts/run.ts';

const VENV = join(CACHE, 'bench-venv');
const REQUIREMENTS = join(ROOT, 'bench', 'requirements.txt');
/** Written after a complete install. */
const STAMP = join(VENV, '.installed');
const NAMES = ['python3.11', 'python3.12'];

export const python = join(VENV, 'bin', 'python');

/** The benchmarks' own virtual environment, made when it is missing or stale. */
export async function ensureBenchPython(): Promise<void> {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  await step('Python environment', async () => {
    rmSync(VENV, { recursive: true, force: true });
    const base = NAMES.map(findProgram).find((path) => path !== null);
    if (base === undefined) throw new Obstacle(`MLServer needs one of ${NAMES.join(', ')}.`);
    await must(base, ['-m', 'venv', VENV]);
    await must(python, ['-m', 'pip', 'install', '--quiet', '--no-input', '-r', REQUIREMENTS]);
    writeFileSync(STAMP, wanted);
  });
}

/** Name to version of what is installed. */
export async function pythonVersions(
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const code = [
    'import sys, importlib.metadata as m',
    'print("python", sys.version.split()[0])',
    'for name in sys.argv[1:]: print(name, m.version(name))',
  ].join('\n');
  const { output } = await run(python, ['-c', code, ...names]);
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}

export async function must(command: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(command, args);
  if (code !== 0) throw new Obstacle(`${output.slice(-4000)}\n${command} ended with ${code}.`);
}
