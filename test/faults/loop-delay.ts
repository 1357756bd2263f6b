import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { every, processEnv, systemClock } from '../../src/platform/system.ts';

/**
 * Preloaded into main by NODE_OPTIONS: SIGUSR2 writes how late its event loop was since the last
 * one to the file named by LOOP_DELAY_FILE. The engine and worker threads inherit the option, and
 * are none of its business.
 */

/** How late timers of a millisecond came, in milliseconds. */
export interface LoopDelay {
  /** By the clock. */
  readonly late: Quantiles;
  /** Without the time the thread had no core although it was ready: what main is to blame for. */
  readonly held: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const TICK_MS = 1;
const US_PER_MS = 1000;
const NS_PER_MS = 1e6;

const file = processEnv['LOOP_DELAY_FILE'];
if (isMainThread && file !== undefined && process.argv.includes('up')) measure(file);

function measure(target: string): void {
  const late = createHistogram();
  const held = createHistogram();
  let last = { at: systemClock.elapsed(), waited: waitedMs() };
  every(TICK_MS, () => {
    const tick = { at: systemClock.elapsed(), waited: waitedMs() };
    const delay = tick.at - last.at - TICK_MS;
    record(late, delay);
    record(held, delay - (tick.waited - last.waited));
    last = tick;
  });
  process.on('SIGUSR2', () => {
    const measured: LoopDelay = { late: quantiles(late), held: quantiles(held) };
    writeFileSync(`${target}.part`, JSON.stringify(measured));
    renameSync(`${target}.part`, target);
    late.reset();
    held.reset();
  });
}

/** Milliseconds the main thread has spent runnable without a core, as Linux counts them. */
function waitedMs(): number {
  const [, waitedNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(
    ' ',
  );
  return Number(waitedNs) / NS_PER_MS;
}

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * US_PER_MS)));
}

function quantiles(histogram: RecordableHistogram): Quantiles {
  return {
    p50: histogram.percentile(50) / US_PER_MS,
    p99: histogram.percentile(99) / US_PER_MS,
    max: histogram.max / US_PER_MS,
  };
}
