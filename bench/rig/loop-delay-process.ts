import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into the program with `--import`: measures how late its event loop is and tells the
 * benchmark whenever that asks. The histogram holds intervals of a timer of one millisecond.
 */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 1;

if (isMainThread && process.send !== undefined) {
  const intervals = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  intervals.enable();
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  process.on('message', () => {
    process.send!({
      p50Ms: ms(intervals.percentile(50)),
      p99Ms: ms(intervals.percentile(99)),
      maxMs: ms(intervals.max),
    } satisfies LoopDelay);
    intervals.reset();
  });
  // Listening must not keep the program alive.
  process.channel?.unref();
}
