import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Env } from '../system.ts';
import { makeFolder, syncFolder } from './durable-file.ts';
import type { Environments, PythonLock } from './port.ts';
import { packageName, readRequirementsLock, type LockedRequirement } from './requirements-lock.ts';

/** Names beginning with it are being made, or were when somebody was killed. */
const UNFINISHED = 'making-';
/** What of an installer's output is kept for an error. */
const OUTPUT_BYTES_MAX = 256 * 1024;
const ERROR_LINES = 12;
const PROBE = 'import sys, sysconfig; print(sys.version.split()[0], sysconfig.get_platform())';

type Says = (line: string) => void;

interface Build {
  readonly promise: Promise<void>;
  readonly listeners: Set<Says>;
}

/**
 * Python environments below one folder, by what they were made from. One is made under another name
 * and renamed when it is complete, so what has its name is whole.
 */
export class PythonEnvironments implements Environments {
  readonly #folder: string;
  readonly #env: Env;
  readonly #builds = new Map<string, Build>();
  readonly #interpreters = new Map<string, Promise<string>>();
  readonly #ready = new Map<string, string>();

  constructor(options: { readonly folder: string; readonly env: Env }) {
    this.#folder = options.folder;
    this.#env = options.env;
  }

  folderOf(lock: PythonLock): string {
    return present(this.#ready.get(nameOf(lock)), 'an environment that was ensured');
  }

  async ensure(
    lock: PythonLock,
    { says, signal }: { readonly says: Says; readonly signal: AbortSignal },
  ): Promise<void> {
    if (this.#ready.has(nameOf(lock))) return;
    const interpreter = await this.#describe(lock.interpreter);
    const key = createHash('sha256').update(`${lock.sha256} ${interpreter}`).digest('hex');
    const folder = path.join(this.#folder, key.slice(0, KEY_DIGITS));
    const build = this.#builds.get(folder) ?? this.#start(lock, folder, signal);
    build.listeners.add(says);
    try {
      await build.promise;
    } finally {
      build.listeners.delete(says);
    }
    this.#ready.set(nameOf(lock), folder);
  }

  /** One builder; whoever else wants the same waits for it. */
  #start(lock: PythonLock, folder: string, signal: AbortSignal): Build {
    const listeners = new Set<Says>();
    const says = (line: string): void => {
      for (const listener of listeners) listener(line);
    };
    const promise = this.#build(lock, folder, { says, signal }).finally(() => {
      this.#builds.delete(folder);
    });
    const build = { promise, listeners };
    this.#builds.set(folder, build);
    return build;
  }

  async #build(
    lock: PythonLock,
    folder: string,
    { says, signal }: { readonly says: Says; readonly signal: AbortSignal },
  ): Promise<void> {
    if (await isFolder(folder)) return;
    const name = path.basename(lock.requirements);
    const text = await readFile(lock.requirements, 'utf8');
    if (createHash('sha256').update(text).digest('hex') !== lock.sha256) {
      throw new AppError('ENVIRONMENT_FAILED', `${name} was changed after the run began.`, {
        hint: 'Run again.',
      });
    }
    const requirements = readRequirementsLock(text, name);
    await makeFolder(this.#folder);
    await this.#removeUnfinished(folder);
    const making = path.join(this.#folder, `${UNFINISHED}${path.basename(folder)}`);
    try {
      says('making a virtual environment');
      const uv = await this.#uv();
      await this.#venv(lock.interpreter, making, uv, signal);
      await this.#install(lock, { making, uv, requirements, says, signal });
      await renameInside(making, folder);
      await rename(making, folder);
      await syncFolder(this.#folder);
    } catch (thrown) {
      await rm(making, { recursive: true, force: true });
      throw thrown;
    }
  }

  async #venv(
    interpreter: string,
    making: string,
    uv: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const command = uv
      ? ['uv', 'venv', '--quiet', '--python', interpreter, making]
      : [interpreter, '-m', 'venv', making];
    const { code, output } = await this.#run(command, { signal, says: () => undefined });
    if (code === 0) return;
    const isDebian = output.includes('ensurepip');
    throw new AppError(
      'ENVIRONMENT_FAILED',
      `${interpreter} could not make a virtual environment:\n${lastLines(output)}`,
      {
        hint: isDebian
          ? 'Install the package python3-venv, or uv.'
          : 'Does `python3 -m venv` work in a terminal? Installing uv helps as well.',
      },
    );
  }

  async #install(
    lock: PythonLock,
    build: {
      readonly making: string;
      readonly uv: boolean;
      readonly requirements: readonly LockedRequirement[];
      readonly says: Says;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { making, uv, requirements, says, signal } = build;
    const python = path.join(making, 'bin', 'python');
    const command = uv
      ? ['uv', 'pip', 'install', '--python', python, '--require-hashes', '-r', lock.requirements]
      : [python, '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check'].concat(
          '--progress-bar=off',
          '--require-hashes',
          '-r',
          lock.requirements,
        );
    const total = requirements.length;
    let collected = 0;
    const { code, output } = await this.#run(command, {
      signal,
      says: (line) => {
        const name = /^Collecting (\S+)/.exec(line)?.[1];
        if (name !== undefined) {
          collected += 1;
          says(`installing ${Math.min(collected, total)} of ${total}: ${name}`);
        } else if (/^(?:Installing|Building|Resolved|Prepared|Installed|Downloading)/.test(line)) {
          says(line.slice(0, SAID_MAX));
        }
      },
    });
    if (code !== 0) throw notInstalled(lock, requirements, output);
  }

  /** Its version and platform: an environment of another is another one. */
  async #describe(interpreter: string): Promise<string> {
    const known = this.#interpreters.get(interpreter) ?? this.#probe(interpreter);
    this.#interpreters.set(interpreter, known);
    try {
      return await known;
    } catch (thrown) {
      // It may be installed meanwhile.
      this.#interpreters.delete(interpreter);
      throw thrown;
    }
  }

  async #probe(interpreter: string): Promise<string> {
    const { code, output } = await this.#run([interpreter, '-c', PROBE], {
      says: () => undefined,
    });
    if (code === 0) return output.trim();
    throw new AppError(
      'ENVIRONMENT_FAILED',
      `There is no Python here: ${interpreter} does not run.`,
      {
        hint: 'Install Python 3, or name one in millwright.yaml: pipelines.python.interpreter',
        details: { output: lastLines(output) },
      },
    );
  }

  async #uv(): Promise<boolean> {
    return (await this.#run(['uv', '--version'], { says: () => undefined })).code === 0;
  }

  /** What a killed process has left; others of this one are being built. */
  async #removeUnfinished(own: string): Promise<void> {
    const others = [...this.#builds.keys()].filter((folder) => folder !== own);
    const kept = others.map((folder) => `${UNFINISHED}${path.basename(folder)}`);
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(UNFINISHED) || kept.includes(name)) continue;
      await rm(path.join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Exit status (null: it could not be started) and what it said on either stream. */
  #run(
    [command = '', ...args]: readonly string[],
    options: { readonly says: Says; readonly signal?: AbortSignal },
  ): Promise<{ readonly code: number | null; readonly output: string }> {
    const { says, signal } = options;
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...this.#env },
        ...(signal === undefined ? {} : { signal }),
      });
      let output = '';
      const hear = (chunk: Buffer): void => {
        const text = chunk.toString('utf8');
        output = `${output}${text}`.slice(-OUTPUT_BYTES_MAX);
        for (const line of text.split('\n')) if (line.trim() !== '') says(line.trim());
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', (error) => {
        if (error.name === 'AbortError') reject(new AppError('STOPPING', 'It was stopped.'));
        else resolve({ code: null, output: error.message });
      });
      child.once('close', (code) => resolve({ code, output }));
    });
  }
}

/** Enough of a SHA-256 to be the only one, short enough for `#!` lines. */
const KEY_DIGITS = 20;
const SAID_MAX = 100;

function nameOf({ sha256, interpreter }: PythonLock): string {
  return `${sha256} ${interpreter}`;
}

/** Scripts in `bin` begin with the path of their interpreter, which is about to change. */
async function renameInside(making: string, folder: string): Promise<void> {
  const bin = path.join(making, 'bin');
  for (const entry of await readdir(bin, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(bin, entry.name);
    const text = await readFile(file, 'latin1');
    if (text.includes(making)) await writeFile(file, text.replaceAll(making, folder), 'latin1');
  }
}

function notInstalled(
  lock: PythonLock,
  requirements: readonly LockedRequirement[],
  output: string,
): AppError {
  const name = path.basename(lock.requirements);
  const line = culprit(requirements, output);
  const at = line === null ? name : `${name}:${line.line}: ${line.text}`;
  const isHash = /hash/i.test(lastLines(output)) && /match/i.test(output);
  return new AppError('ENVIRONMENT_FAILED', `${at} could not be installed:\n${lastLines(output)}`, {
    hint: isHash
      ? 'What was downloaded is not what was locked: make the lock again, and ask why.'
      : 'Does the version exist for this Python and platform, and is the package index reachable?',
  });
}

/** The requirement an installer complains of, told by the name in its error. */
function culprit(
  requirements: readonly LockedRequirement[],
  output: string,
): LockedRequirement | null {
  const errors = output
    .split('\n')
    .filter((line) => /error|no matching|cause|because|from/i.test(line));
  for (const error of errors.toReversed()) {
    const words = error.split(/[\s'"`,()]+/).map((word) => packageName(word));
    const found = requirements.find(({ name }) => words.includes(name));
    if (found !== undefined) return found;
  }
  return null;
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-ERROR_LINES).join('\n');
}

async function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
