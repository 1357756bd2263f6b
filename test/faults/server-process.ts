import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../../src/app/program.ts';
import { processEnv, sleep, systemClock } from '../../src/platform/system.ts';

/** `up`, and any other command, as the processes a user starts. */

const MAIN = path.join(packageFolder, 'src/app/main.ts');
const READY = /ready at (\S+) /;
const START_MS_MAX = 30_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly state: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More words for the command line, such as `--port 7070`; the last one of a kind counts. */
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  /** `ulimit -n`, soft and hard. */
  readonly openFiles?: number;
}

/** Processes this test file has started and that still live. */
const running = new Set<ChildProcess>();

/** Ends whatever a failed test has left running. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map((child) => killed(child)));
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill('SIGKILL');
  await exited;
}

/** A program of ours under way, with what it prints. */
export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  #exit: Exit | null = null;

  constructor(words: readonly string[], options: Omit<StartOptions, 'state' | 'args'>) {
    const { env = {}, cwd, uid, openFiles } = options;
    const limited = ['-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, process.execPath];
    const [program, before] = openFiles === undefined ? [process.execPath, []] : ['sh', limited];
    const child = spawn(program, [...before, MAIN, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...processEnv, NODE_ENV: 'production', ...env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    running.add(child);
    this.child = child;
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        running.delete(child);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  get isRunning(): boolean {
    return this.#exit === null && this.child.exitCode === null && this.child.signalCode === null;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }
}

/** A server that has said where it listens. */
export class Server extends Program {
  url = '';

  /** Ends it as Ctrl-C does. */
  async stop(): Promise<Exit> {
    this.kill('SIGTERM');
    return this.exited;
  }
}

/** Starts `up` on the folder; without a URL it ended before it was ready, as faults may make it. */
export async function tryStart(options: StartOptions): Promise<Server> {
  const { state, args = [], ...rest } = options;
  const words = ['--state', state, 'up', '--port', '0', '--log', 'warn', ...args];
  const server = new Server(words, rest);
  const deadline = systemClock.elapsed() + START_MS_MAX;
  while (server.isRunning) {
    const url = READY.exec(server.stdout)?.[1];
    if (url !== undefined) {
      server.url = url;
      return server;
    }
    if (systemClock.elapsed() > deadline) throw new Error(`not ready: ${server.stderr}`);
    await sleep(5);
  }
  await server.exited;
  return server;
}

export async function startServer(options: StartOptions): Promise<Server> {
  const server = await tryStart(options);
  if (server.url !== '') return server;
  throw new Error(`up ended before it was ready: ${server.stdout}${server.stderr}`);
}

/** Runs one command line to its end. */
export async function runCommand(
  words: readonly string[],
  options: Omit<StartOptions, 'state' | 'args'> = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const program = new Program(words, options);
  const exit = await program.exited;
  return { ...exit, stdout: program.stdout, stderr: program.stderr };
}

/** Whether a process runs; one that has died and was not collected yet does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^\d+ \(.*\) [ZX]/s.test(stat);
  } catch {
    return false;
  }
}

/** Processes that have the folder on their command line: main and engine, as long as they run. */
export function processesOf(state: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => isAlive(pid) && commandLine(pid).includes(state));
}

function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Polls until the condition holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = systemClock.elapsed() + withinMs;
  while (!(await holds())) {
    if (systemClock.elapsed() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(10);
  }
}
