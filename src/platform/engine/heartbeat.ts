import type { Clock } from '../../base/time.ts';

export interface HeartbeatLimits {
  /** How often the engine is asked for a sign of life. */
  readonly everyMs: number;
  /** Silence after which it counts as unresponsive. */
  readonly unresponsiveMs: number;
  /** Silence without any use of CPU after which it is killed: stopped, or blocked for good. */
  readonly hungMs: number;
  /** Silence after which it is killed however busy it is: an endless loop looks like that. */
  readonly busyMs: number;
}

/** A wait for the disk or for a core takes seconds at worst; no task computes for ten minutes. */
export const HEARTBEAT: HeartbeatLimits = {
  everyMs: 2000,
  unresponsiveMs: 10_000,
  hungMs: 60_000,
  busyMs: 600_000,
};

export interface HeartbeatOptions {
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly limits: HeartbeatLimits;
  /** CPU time the engine's process has used, in any unit; null where nobody tells. */
  readonly cpuUsed: () => number | null;
}

/**
 * Judges the engine by its silence. It is the engine's event loop that answers: DuckDB, compression
 * and file work run on other threads and leave it free, however long they take. What does hold the
 * loop, a sweep over arrays or a synchronous native call, uses CPU; so silence alone makes the
 * engine unresponsive, and only silence without CPU time, or a very long one, makes it hung.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardAt: number;
  #lookedAt: number;
  #movedAt: number;
  #cpu: number | null = null;

  /** Begins with the start of a process, which counts as a sign of life. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardAt = options.clock.elapsed();
    this.#lookedAt = this.#heardAt;
    this.#movedAt = this.#heardAt;
  }

  get isUnresponsive(): boolean {
    const { clock, limits } = this.#options;
    return clock.elapsed() - this.#heardAt >= limits.unresponsiveMs;
  }

  heard(): void {
    this.#heardAt = this.#options.clock.elapsed();
  }

  /** Whether the process is to be killed; to be asked every `everyMs`. */
  isHung(): boolean {
    const { clock, limits } = this.#options;
    const now = clock.elapsed();
    const wasAway = now - this.#lookedAt > Math.max(limits.everyMs * 2, limits.unresponsiveMs / 2);
    this.#lookedAt = now;
    // Whoever was stopped itself, or had no core for so long, cannot have heard anybody.
    if (wasAway) this.#heardAt = now;
    const silentMs = now - this.#heardAt;
    if (silentMs < limits.everyMs) {
      this.#movedAt = now;
      this.#cpu = null;
      return false;
    }
    const cpu = this.#options.cpuUsed();
    if (cpu === null || cpu !== this.#cpu) this.#movedAt = now;
    this.#cpu = cpu;
    return silentMs >= limits.busyMs || now - this.#movedAt >= limits.hungMs;
  }
}
