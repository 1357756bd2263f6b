import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What scripts remember between runs; deleting it is always safe. */
export const CACHE = join(ROOT, 'node_modules', '.cache', 'millwright');

const BIN = join(ROOT, 'node_modules', '.bin');

/** The environment of what we start: our own Node and tools come first. */
export function childEnv(): NodeJS.ProcessEnv {
  const path = process.env['PATH'] ?? '';
  return { ...process.env, PATH: path.startsWith(BIN) ? path : `${BIN}${delimiter}${path}` };
}

export interface Ran {
  /** Exit status; 127 when the program does not exist. */
  readonly code: number;
  /** Standard output and error together, in order, at most the last 256 KiB. */
  readonly output: string;
}

const OUTPUT_MAX = 256 * 1024;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The child prints to our terminal and `output` stays empty. */
  readonly isShown?: boolean;
}

/** Runs a program from the repository's root to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...childEnv(), ...options.env },
      stdio: options.isShown === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_MAX);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Full path of a program on the PATH, or null. */
export function findProgram(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && isExecutable(path)) return path;
  }
  return null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
