import { AppError } from '../base/errors.ts';
import { formatInstant, type Clock, type Micros } from '../base/time.ts';

/**
 * The clock everything gets. In a live workspace domain time is the machine's; in a replay
 * workspace it stands still until it is moved, and never goes back.
 */
export class DomainClock implements Clock {
  readonly kind: 'live' | 'replay';
  readonly #machine: Clock;
  #now: Micros | null;

  constructor(machine: Clock, replayNow: Micros | null) {
    this.#machine = machine;
    this.#now = replayNow;
    this.kind = replayNow === null ? 'live' : 'replay';
  }

  now(): Micros {
    return this.#now ?? this.#machine.wall();
  }

  wall(): Micros {
    return this.#machine.wall();
  }

  elapsed(): number {
    return this.#machine.elapsed();
  }

  /** Rejects moves of a live clock, and moves back. */
  assertCanMove(to: Micros): void {
    if (this.#now === null) {
      throw new AppError('CLOCK_IS_LIVE', 'This workspace runs on the real clock.', {
        hint: 'Only a workspace created with --clock replay has a clock to move.',
      });
    }
    if (to < this.#now) {
      throw new AppError(
        'CLOCK_BACKWARDS',
        `The clock is at ${formatInstant(this.#now)}; ${formatInstant(to)} is before that.`,
      );
    }
  }

  /** Moves domain time; the caller has already made the move durable. */
  move(to: Micros): void {
    this.assertCanMove(to);
    this.#now = to;
  }
}
