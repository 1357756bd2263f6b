import { randomBytes } from 'node:crypto';
import { enableCompileCache } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { IdPrefix, Ids } from '../base/ids.ts';
import { micros, MICROS_PER_MS, type Clock, type Micros } from '../base/time.ts';

/**
 * The only file that touches the machine's clock, randomness and environment; everything else gets
 * them by injection. test/tidy.test.ts enforces it.
 */

export const systemClock: Clock = {
  now: wall,
  wall,
  elapsed: () => performance.now(),
};

/** The system clock's resolution is a millisecond; order within one comes from sequence numbers. */
function wall(): Micros {
  return micros(Date.now() * MICROS_PER_MS);
}

/**
 * UUIDv7 (RFC 9562): 48 bits of milliseconds, then a counter that keeps one process's ids in order.
 */
export function createIds(clock: Pick<Clock, 'wall'>): Ids {
  let lastMs = 0;
  let counter = 0;
  return {
    next(prefix: IdPrefix): string {
      const ms = Math.max(Math.floor(clock.wall() / MICROS_PER_MS), lastMs);
      counter = ms === lastMs ? counter + 1 : nextRandom().readUInt16BE() & 0x3ff;
      if (counter > 0xfff) {
        lastMs = ms + 1;
        counter = 0;
      } else {
        lastMs = ms;
      }
      const random = nextRandom();
      random[0] = (random[0]! & 0x3f) | 0x80;
      const time = lastMs.toString(16).padStart(12, '0');
      return `${prefix}_${time}7${counter.toString(16).padStart(3, '0')}${random.toString('hex')}`;
    },
  };
}

const RANDOM_POOL_BYTES = 8 * 512;
let pool = Buffer.alloc(0);

/** Eight random bytes from a refilled pool: one system call for hundreds of ids. */
function nextRandom(): Buffer {
  if (pool.length < 8) pool = randomBytes(RANDOM_POOL_BYTES);
  const taken = pool.subarray(0, 8);
  pool = pool.subarray(8);
  return taken;
}

export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** Waits on the machine's clock; rejects with the signal's reason when aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}

/** A timer that does not keep the process alive. Call the result to stop it. */
export function every(ms: number, action: () => void): () => void {
  const timer = setInterval(action, ms);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** A one-shot timer that does not keep the process alive. Call the result to cancel it. */
export function after(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms);
  timer.unref();
  return () => {
    clearTimeout(timer);
  };
}

export type Env = Readonly<Record<string, string | undefined>>;

export const processEnv: Env = process.env;

/**
 * Keeps compiled modules for the next start. Worker threads and child processes find the folder in
 * the environment; without it each of them would load the TypeScript compiler, 15 MB a thread.
 */
export function startCompileCache(): void {
  const { directory } = enableCompileCache();
  if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] = directory;
}

/**
 * The file of a worker or child entry point beside its caller: `.ts` when run from source, `.js`
 * when built, because the compiler rewrites imports but not URLs.
 */
export function entryFile(callerUrl: string, name: string): string {
  const extension = callerUrl.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`${name}${extension}`, callerUrl));
}
