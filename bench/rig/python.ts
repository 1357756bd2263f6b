import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Obstacle, step } from '../../scripts/progress.mjs';
import { CACHE, findProgram, ROOT, run } from '../../scripts/run.ts';

/** A virtual environment of a peer, from a file of requirements in bench/. */
interface Environment {
  readonly folder: string;
  readonly requirements: string;
  readonly about: string;
}

const NAMES = ['python3.11', 'python3.12'];

const MLSERVER: Environment = {
  folder: join(CACHE, 'bench-venv'),
  requirements: 'requirements.txt',
  about: 'MLServer',
};
/** Apart from the other one: their pins contradict each other. */
const FEAST: Environment = {
  folder: join(CACHE, 'bench-feast-venv'),
  requirements: 'requirements-feast.txt',
  about: 'Feast',
};

export const python = interpreterOf(MLSERVER);
export const feastPython = interpreterOf(FEAST);

/** The benchmarks' own virtual environment, made when it is missing or stale. */
export async function ensureBenchPython(): Promise<void> {
  await ensure(MLSERVER);
}

export async function ensureFeast(): Promise<void> {
  await ensure(FEAST);
}

function interpreterOf({ folder }: Environment): string {
  return join(folder, 'bin', 'python');
}

async function ensure(environment: Environment): Promise<void> {
  const { folder, about } = environment;
  const requirements = join(ROOT, 'bench', environment.requirements);
  // Written after a complete install.
  const stamp = join(folder, '.installed');
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await step(`Python, ${about}`, async () => {
    rmSync(folder, { recursive: true, force: true });
    const base = NAMES.map(findProgram).find((path) => path !== null);
    if (base === undefined) throw new Obstacle(`${about} needs one of ${NAMES.join(', ')}.`);
    await must(base, ['-m', 'venv', folder]);
    const install = ['-m', 'pip', 'install', '--quiet', '--no-input', '-r', requirements];
    await must(interpreterOf(environment), install);
    writeFileSync(stamp, wanted);
  });
}

/** Name to version of what is installed. */
export async function pythonVersions(
  names: readonly string[],
  interpreter = python,
): Promise<Readonly<Record<string, string>>> {
  const code = [
    'import sys, importlib.metadata as m',
    'print("python", sys.version.split()[0])',
    'for name in sys.argv[1:]: print(name, m.version(name))',
  ].join('\n');
  const { output } = await run(interpreter, ['-c', code, ...names]);
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
