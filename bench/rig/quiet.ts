import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Cores' worth of work that still counts as quiet. */
const QUIET_CORES = 0.1;
const SAMPLE_MS = 2000;

/** Waits for a while in which nothing runs; gives up after `patience` seconds. */
export async function untilQuiet(patience: number): Promise<void> {
  const deadline = performance.now() + patience * 1000;
  while (performance.now() < deadline) {
    const others = watchOthers(() => 0);
    await sleep(SAMPLE_MS);
    if (others() <= QUIET_CORES) return;
  }
}

/**
 * Watches what the machine does besides us. `oursUs` tells the CPU time of our running processes so
 * far; the result takes that of those that ended meanwhile, and answers cores.
 */
export function watchOthers(oursUs: () => number): (endedUs?: number) => number {
  const [begin, machine, ours] = [performance.now(), machineCpuUs(), oursUs()];
  return (endedUs = 0) => {
    const othersUs = machineCpuUs() - machine - (oursUs() - ours) - endedUs;
    return Math.max(0, othersUs / ((performance.now() - begin) * 1000));
  };
}

/** Time all cores together spent on anything, microseconds since boot; ticks of 10 ms. */
function machineCpuUs(): number {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/);
  const [user, nice, system, , , irq, softirq, steal] = fields.map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) * 10_000;
}
