import type { Micros } from '../../base/time.ts';
import type { Step } from '../db/port.ts';

/** Domain time (schedules, windows, cooldowns) or the machine's (leases, timeouts). */
export type TimerClock = 'now' | 'wall';

/** Which timer: at most one waits for a handler and a subject. */
export interface TimerKey {
  /** Who handles it: `monitoring.run`. */
  readonly handler: string;
  /** What for: `endpoint/late`. */
  readonly subject: string;
}

export interface TimerInput extends TimerKey {
  readonly clock: TimerClock;
  readonly due: Micros;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface FiredTimer extends TimerInput {
  /** New with every `schedule`, kept over retries: what a handler may deduplicate by. */
  readonly id: string;
  /** Times it has failed before. */
  readonly failures: number;
}

/**
 * Called when the timer is due, at least once. It starts what takes long and returns: other timers
 * wait for it. The steps it returns commit together with the
 * timer's end, exactly once, and not at all when the timer was cancelled or scheduled anew
 * meanwhile; a repeating timer returns the `schedule` of its next turn.
 */
export type TimerHandler = (
  timer: FiredTimer,
  context: { readonly signal: AbortSignal },
) => Promise<readonly Step[] | void>;

/** Timers that outlive the process, on either clock. */
export interface Timers {
  /** The step that sets the timer, replacing the one that waits for the same key. */
  schedule(timer: TimerInput): Step;
  /** The step that removes the timer, if it waits. */
  cancel(key: TimerKey): Step;
  /** Registers the handler of that name, once. Timers without a handler wait for it. */
  handle(name: string, handler: TimerHandler): void;
  /** Fires what is due on either clock, in order of due time; returns how many timers fired. */
  fireDue(): Promise<number>;
  /**
   * A replay clock's way from now to `to`: for each timer due on the domain clock until then, in
   * order, calls `advance` with its due time, then its handler, and waits until everything has
   * settled. Moving on to `to` itself is left to the caller. Returns how many timers fired.
   */
  fireUntil(to: Micros, advance: (at: Micros) => Promise<void>): Promise<number>;
  /** Fires timers as they become due from now on. */
  start(): void;
  /** Lets the handler under way finish, then stops. */
  stop(): Promise<void>;
}
