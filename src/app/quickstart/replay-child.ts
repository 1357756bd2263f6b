import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { AppError } from '../../base/errors.ts';
import { entryFile, processEnv } from '../../platform/system.ts';
import type { ReplayOrder, ReplayProgress } from './replay-order.ts';

/** Runs a replay in a process of its own and answers what it said last. */
export async function runReplay(
  order: ReplayOrder,
  token: string,
  onProgress: (progress: ReplayProgress) => void,
): Promise<ReplayProgress> {
  const entry = entryFile(import.meta.url, './replay-process');
  const child = spawn(process.execPath, [entry, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not on its command line, which everybody on the machine may read.
    env: { ...processEnv, MILLWRIGHT_TOKEN: token },
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let last: ReplayProgress | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as ReplayProgress;
    onProgress(last);
  }
  const code = await exited;
  if (code === 0 && last !== null) return last;
  throw new AppError('INTERNAL', `The replay ended with ${code}: ${words.trim()}`, {
    hint: 'Started again, it goes on where it stopped: millwright quickstart',
  });
}
