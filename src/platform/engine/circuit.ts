import type { Clock } from '../../base/time.ts';

/** Deaths within the window that open the circuit. */
const DEATHS_MAX = 5;
const DEATH_WINDOW_MS = 60_000;
const RESTART_DELAY_MS = 50;
/** The first pause of an open circuit; each engine that dies on trial doubles it. */
const PAUSE_MS_MIN = 5000;
const PAUSE_MS_MAX = 60_000;

/**
 * How long to wait before the next engine is started. An engine that dies in a loop is tried ever
 * more seldom, and at once again when one has lived through the window.
 */
export class Circuit {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #deaths: number[] = [];
  /** 0 while the circuit is closed. */
  #pauseMs = 0;
  #startedAt = 0;
  #diedSince = 0;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** Open until an engine has lived through the window. */
  get isOpen(): boolean {
    return this.#pauseMs > 0;
  }

  /** Deaths that keep it open; of a closed one those of the window. */
  get deaths(): number {
    return Math.max(this.#deaths.length, this.#diedSince);
  }

  started(): void {
    this.#startedAt = this.#clock.elapsed();
  }

  /** The milliseconds to wait. */
  died(): number {
    const now = this.#clock.elapsed();
    if (now - this.#startedAt >= DEATH_WINDOW_MS) this.close();
    this.#deaths = [...this.#deaths.filter((at) => now - at < DEATH_WINDOW_MS), now];
    this.#diedSince = this.isOpen ? this.#diedSince + 1 : this.#deaths.length;
    if (this.isOpen) this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
    else if (this.#deaths.length > DEATHS_MAX) this.#pauseMs = PAUSE_MS_MIN;
    return this.isOpen ? this.#pauseMs : RESTART_DELAY_MS;
  }

  /** How long the engine on trial has to live yet; null when none is on trial. */
  get trialMs(): number | null {
    if (!this.isOpen) return null;
    return Math.max(0, this.#startedAt + DEATH_WINDOW_MS - this.#clock.elapsed());
  }

  close(): void {
    this.#pauseMs = 0;
    this.#deaths = [];
    this.#diedSince = 0;
  }
}
