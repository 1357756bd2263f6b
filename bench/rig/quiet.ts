import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time all cores together spent on anything, microseconds since boot; ticks of 10 ms. */
export function machineCpuUs(): number {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/);
  const [user, nice, system, , , irq, softirq, steal] = fields.map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) * 10_000;
}

/** Cores' worth of work that still counts as quiet. */
const QUIET_CORES = 0.1;
const SAMPLE_MS = 500;

/** Waits for a moment in which nothing else runs; gives up after `patience` seconds. */
export async function untilQuiet(patience: number): Promise<void> {
  const deadline = performance.now() + patience * 1000;
  do {
    const [busy, begin] = [machineCpuUs(), performance.now()];
    await sleep(SAMPLE_MS);
    const cores = (machineCpuUs() - busy) / ((performance.now() - begin) * 1000);
    if (cores <= QUIET_CORES) return;
  } while (performance.now() < deadline);
}
