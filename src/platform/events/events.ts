import { assert } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { Log } from '../log/log.ts';
import { every } from '../system.ts';
import { Wakeup } from '../wakeup.ts';
import { EventConsumer, SKIPPED } from './event-consumer.ts';
import { EventsStore } from './events-store.ts';
import type {
  ConsumeOptions,
  Consumer,
  EventHandler,
  EventInput,
  Events,
  StoredEvent,
} from './port.ts';

/** How soon events of other processes on the same PostgreSQL schema are noticed. */
const POLL_MS = 1000;

/** Far more causes and effects than any chain of handlers has. */
const SETTLE_ROUNDS_MAX = 1000;

export interface EventsOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** How a consumer waits before it tries a failed event again. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

class DatabaseEvents implements Events {
  readonly #db: Db;
  readonly #store: EventsStore;
  readonly #log: Log;
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #consumers = new Map<string, EventConsumer>();
  readonly #listeners = new Set<() => void>();
  /** The statements that record events, to recognise them when they have committed. */
  readonly #inserts = new WeakSet<Step['query']>();
  readonly #stopListening: () => void;
  #stopPolling: (() => void) | null = null;
  #seen = 0;
  /** How often events were told of. */
  #told = 0;
  /**
   * What consumers read since the last event, by the position they read from: they wake together
   * and mostly stand at one place.
   */
  readonly #read = new Map<number, Promise<readonly StoredEvent[]>>();

  constructor(options: EventsOptions) {
    const { db, clock, log, pause = waitFor } = options;
    this.#db = db;
    this.#pause = pause;
    this.#store = new EventsStore(db, clock);
    this.#log = log;
    this.#stopListening = db.onCommit((steps) => {
      if (steps.some((step) => this.#inserts.has(step.query))) this.#notify();
    });
    // SQLite has one owner process; a PostgreSQL schema may have others that record events.
    if (db.dialect === 'postgres') {
      this.#stopPolling = every(POLL_MS, () => void this.#poll());
    }
  }

  step(event: EventInput): Step {
    const step = this.#store.insert(event);
    this.#inserts.add(step.query);
    return step;
  }

  async record(event: EventInput): Promise<void> {
    await this.#db.write([this.step(event)]);
  }

  list(query: {
    readonly subject?: string;
    readonly before?: number;
    readonly limit: number;
  }): Promise<readonly StoredEvent[]> {
    return this.#store.list(query);
  }

  after(seq: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.#store.after(seq, limit);
  }

  latest(): Promise<number> {
    return this.#store.latest();
  }

  async consume(name: string, handler: EventHandler, options: ConsumeOptions): Promise<Consumer> {
    if (this.#consumers.has(name)) {
      throw new AppError('CONFLICT', `The consumer ${name} runs already.`);
    }
    const start = options.from === 'first' ? 0 : await this.latest();
    const consumer = new EventConsumer({
      name,
      position: await this.#store.position(name, start),
      handler,
      deps: {
        after: (seq, limit) => this.#readTogether(seq, limit),
        move: (...moved) => this.#store.move(...moved),
        log: this.#log,
        pause: this.#pause,
        skipped: (event, { consumer, error }) => this.step(skippedEvent(event, consumer, error)),
      },
    });
    this.#consumers.set(name, consumer);
    consumer.start();
    return {
      name,
      stop: async () => {
        await consumer.stop();
        this.#consumers.delete(name);
      },
    };
  }

  async settled(): Promise<void> {
    for (let round = 1; ; round += 1) {
      const told = this.#told;
      const latest = await this.latest();
      // Another process may have recorded events that nobody here was told of.
      this.#read.clear();
      for (const consumer of this.#consumers.values()) await consumer.reached(latest);
      if (await this.#isNewest(latest, told)) return;
      assert(round < SETTLE_ROUNDS_MAX, 'consumers record events about each other without end');
    }
  }

  /** Whether no event came after it. SQLite has one process, which is told of each. */
  async #isNewest(seq: number, told: number): Promise<boolean> {
    if (this.#told !== told) return false;
    return this.#db.dialect === 'sqlite' || (await this.latest()) === seq;
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#stopPolling?.();
    this.#listeners.clear();
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.stop()));
    this.#consumers.clear();
  }

  #readTogether(seq: number, limit: number): Promise<readonly StoredEvent[]> {
    const known = this.#read.get(seq);
    if (known !== undefined) return known;
    const reading = this.#store.after(seq, limit);
    this.#read.set(seq, reading);
    reading.catch(() => this.#read.delete(seq));
    return reading;
  }

  #notify(): void {
    this.#told += 1;
    this.#read.clear();
    for (const consumer of this.#consumers.values()) consumer.wake();
    for (const listener of this.#listeners) listener();
  }

  async #poll(): Promise<void> {
    if (this.#consumers.size === 0 && this.#listeners.size === 0) return;
    try {
      const latest = await this.latest();
      if (latest === this.#seen) return;
      this.#seen = latest;
      this.#notify();
    } catch (error) {
      this.#log.warn('events.poll.failed', { error: String(error) });
    }
  }
}

export function createEvents(options: EventsOptions): Events {
  return new DatabaseEvents(options);
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await new Wakeup().wait({ signal, ms });
}

function skippedEvent(event: StoredEvent, consumer: string, error: string): EventInput {
  const data = { consumer, seq: event.seq, kind: event.kind, error: error.slice(0, 2000) };
  return { actor: 'millwright', kind: SKIPPED, subject: event.subject, data };
}
