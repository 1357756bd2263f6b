import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Obstacle } from '../../scripts/progress.mjs';
import { childEnv, ROOT } from '../../scripts/run.ts';

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const STOP_TIMEOUT_MS = 10_000;
const OUTPUT_MAX = 64 * 1024;

/** A process under test. */
export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Ends it as Ctrl-C would, and waits. */
  stop(): Promise<void>;
  /** Ends it as `kill -9` does, and waits. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The only core it may use; null for any. */
  readonly core: number | null;
  readonly env?: Readonly<Record<string, string>>;
  /** A fourth stream for messages of Node. */
  readonly ipc?: boolean;
}

/** Starts a process; what it prints is shown only if it dies. */
export function start(options: StartOptions): Running {
  const { core, ipc = false } = options;
  const pin = core === null ? [] : ['taskset', '-c', String(core)];
  const [command, ...args] = [...pin, options.command, ...options.args];
  const child = spawn(command!, args, {
    cwd: ROOT,
    env: { ...childEnv(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_MAX);
  };
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  let isStopping = false;
  const exited = new Promise<void>((resolve) => {
    child.on('exit', (code, signal) => {
      if (!isStopping) {
        process.stderr.write(`${output}\n${command} ended: ${code ?? signal}\n`);
        process.exit(1);
      }
      resolve();
    });
  });
  return {
    pid: child.pid!,
    child,
    stop: async () => {
      isStopping = true;
      child.kill('SIGINT');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(kill);
    },
    kill: async () => {
      isStopping = true;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Resolves when the URL answers 200; returns the milliseconds that took. */
export async function answers(url: string, pollMs = POLL_MS): Promise<number> {
  const begin = performance.now();
  while (performance.now() - begin < READY_TIMEOUT_MS) {
    const response = await fetch(url).catch(() => null);
    await response?.arrayBuffer();
    if (response?.status === 200) return performance.now() - begin;
    await sleep(pollMs);
  }
  throw new Obstacle(`${url} did not answer within ${READY_TIMEOUT_MS / 1000} s.`);
}

/** A port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
