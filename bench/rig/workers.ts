import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from './processes.ts';
import type { Running } from './running.ts';

const GONE_POLL_MS = 50;

/** Ends a server and the workers it started, which may outlive it. */
export async function stopWithWorkers(running: Running): Promise<void> {
  const workers = processTree(running.pid).slice(1);
  await running.stop();
  for (const pid of workers) await ended(pid);
}

async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return;
    }
    await sleep(GONE_POLL_MS);
  }
}
