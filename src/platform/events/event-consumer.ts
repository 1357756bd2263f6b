import type { Step } from '../db/port.ts';
import type { Log } from '../log/log.ts';
import { Wakeup } from '../wakeup.ts';
import { ConsumerFenced, type EventsStore } from './events-store.ts';
import type { Consumer, EventHandler, StoredEvent } from './port.ts';

/** Events read at once: also how many are handled again, at most, after a crash. */
const BATCH = 100;
/** How long a position waits to be stored when nothing else happens. */
const STORE_AFTER_MS = 1000;
/** After so many failures an event is skipped, with an event that says so: the next ones wait. */
const ATTEMPTS_MAX = 8;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 30_000;
export const SKIPPED = 'consumer.skipped';

interface Deps {
  readonly after: EventsStore['after'];
  readonly move: EventsStore['move'];
  readonly log: Log;
  /** Waits before the next attempt. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The step that records that an event was skipped. */
  readonly skipped: (event: StoredEvent, facts: { consumer: string; error: string }) => Step;
}

/** Handles events one by one from its stored position on. */
export class EventConsumer implements Consumer {
  readonly name: string;
  readonly #handler: EventHandler;
  readonly #deps: Deps;
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  readonly #waiting = new Set<{ readonly seq: number; resolve(): void }>();
  /**
   * Where the stored position is, and the last event handled: at most a batch further. Storing each
   * would cost a commit an event, to spare handlers what they must stand anyway.
   */
  #stored: number;
  #handled: number;
  #running: Promise<void> | null = null;

  constructor(options: {
    readonly name: string;
    readonly position: number;
    readonly handler: EventHandler;
    readonly deps: Deps;
  }) {
    this.name = options.name;
    this.#stored = options.position;
    this.#handled = options.position;
    this.#handler = options.handler;
    this.#deps = options.deps;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  wake(): void {
    this.#wakeup.set();
  }

  /** Resolves when the event is handled, or when the consumer has stopped. */
  async reached(seq: number): Promise<void> {
    if (this.#handled >= seq || this.#stopping.signal.aborted) return;
    this.wake();
    await new Promise<void>((resolve) => {
      this.#waiting.add({ seq, resolve });
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    let isQuiet = false;
    while (!signal.aborted) {
      try {
        const count = await this.#batch();
        this.#release(this.#handled);
        if (isQuiet || this.#handled - this.#stored >= BATCH) await this.#store();
        isQuiet = false;
        failures = 0;
        // Fewer were all there are, and a later one wakes this.
        if (count === BATCH) continue;
        const ms = this.#handled > this.#stored ? STORE_AFTER_MS : null;
        const isWoken = await this.#wakeup.wait({ signal, ...(ms === null ? {} : { ms }) });
        isQuiet = !isWoken;
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        this.#warn('events.consumer.stalled', { failures, error: String(error) });
        if (error instanceof ConsumerFenced) this.#stopping.abort();
        await this.#pause(failures);
      }
    }
    this.#release(Number.POSITIVE_INFINITY);
    // What is not stored is handled again by the next process.
    await this.#store().catch(() => undefined);
  }

  async #store(): Promise<void> {
    if (this.#handled > this.#stored) await this.#move(this.#handled, []);
  }

  /** Handles what there is, up to a batch; returns how many events that were. */
  async #batch(): Promise<number> {
    const events = await this.#deps.after(this.#handled, BATCH);
    for (const event of events) {
      if (this.#stopping.signal.aborted) break;
      await this.#handle(event);
    }
    return events.length;
  }

  async #handle(event: StoredEvent): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const steps = (await this.#handler(event, { signal: this.#stopping.signal })) ?? [];
        if (steps.length > 0) await this.#move(event.seq, steps);
        this.#handled = event.seq;
        return;
      } catch (error) {
        if (error instanceof ConsumerFenced || this.#stopping.signal.aborted) throw error;
        this.#warn('events.consumer.failed', { seq: event.seq, attempt, error: String(error) });
        if (attempt === ATTEMPTS_MAX) return this.#skip(event, String(error));
        await this.#pause(attempt);
        if (this.#stopping.signal.aborted) throw error;
      }
    }
  }

  async #skip(event: StoredEvent, error: string): Promise<void> {
    // A consumer that fails on the notice of a skipped event must not cause the next notice.
    const isNotice = event.kind === SKIPPED;
    const steps = isNotice ? [] : [this.#deps.skipped(event, { consumer: this.name, error })];
    await this.#move(event.seq, steps);
    this.#handled = event.seq;
  }

  async #move(to: number, steps: readonly Step[]): Promise<void> {
    await this.#deps.move(this.name, { from: this.#stored, to }, steps);
    this.#stored = to;
  }

  async #pause(failures: number): Promise<void> {
    const ms = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MAX_MS);
    await this.#deps.pause(ms, this.#stopping.signal);
  }

  #release(seq: number): void {
    for (const waiting of this.#waiting) {
      if (waiting.seq > seq) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  #warn(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#deps.log.warn(event, { consumer: this.name, ...fields });
  }
}
