import { assert, present } from '../../base/assert.ts';
import { AppError, type ErrorCode } from '../../base/errors.ts';
import { micros, MICROS_PER_MS, type Clock } from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { Events } from '../events/port.ts';
import type { Log } from '../log/log.ts';
import { Wakeup } from '../wakeup.ts';
import { OutboxStore, RETRY_MAX_MS } from './outbox-store.ts';
import type { Outbox, OutboxHandler, OutboxInput, OutboxMessage } from './port.ts';

/** Deliveries at once: a slow receiver holds up one of them. */
const CONCURRENCY = 4;
/** More than half a day of trying; then the message is dead, and an event says so. */
const ATTEMPTS_MAX = 20;
const RETRY_FIRST_MS = 1000;
/** How long an outcome that could not be recorded waits before it is recorded again. */
const RECORD_RETRY_MS = 1000;
const LOOK_MS = 5000;
const FORGET_EVERY_MS = 3600 * 1000;
/** Errors that say the message itself is wrong. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'OUTGOING_URL_REFUSED',
  'INVALID_INPUT',
  'INVALID_CONFIG',
]);

export interface OutboxOptions {
  readonly db: Db;
  readonly clock: Pick<Clock, 'wall' | 'elapsed'>;
  readonly events: Pick<Events, 'step'>;
  readonly log: Log;
}

class DatabaseOutbox implements Outbox {
  readonly #options: OutboxOptions;
  readonly #store: OutboxStore;
  readonly #handlers = new Map<string, OutboxHandler>();
  /** The statements that put messages in, to recognise them when they have committed. */
  readonly #inserts = new WeakSet<Step['query']>();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  /** One look at the table at a time: a message that two looks found would go out twice. */
  #looking: Promise<unknown> = Promise.resolve();
  #dispatching: Promise<void> | null = null;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#store = new OutboxStore(options.db, options.clock);
  }

  step(message: OutboxInput): Step {
    const step = this.#store.insert(message);
    this.#inserts.add(step.query);
    return step;
  }

  handle(kind: string, handler: OutboxHandler): void {
    assert(!this.#handlers.has(kind), `messages ${kind} have one handler`);
    this.#handlers.set(kind, handler);
    this.#wakeup.set();
  }

  async deliverDue(): Promise<number> {
    let tried = 0;
    for (;;) {
      tried += await this.#fill();
      if (this.#underWay.size === 0) return tried;
      await Promise.race(this.#underWay.values());
    }
  }

  start(): void {
    this.#dispatching ??= this.#dispatch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#dispatching;
    await this.#looking;
    await Promise.all(this.#underWay.values());
  }

  async #dispatch(): Promise<void> {
    const { db, clock, log } = this.#options;
    const { signal } = this.#stopping;
    const stopListening = db.onCommit((steps) => {
      if (steps.some((step) => this.#inserts.has(step.query))) this.#wakeup.set();
    });
    let forgotAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      let ms = LOOK_MS;
      try {
        await this.#fill();
        ms = await this.#untilNext();
        if (clock.elapsed() - forgotAt > FORGET_EVERY_MS) {
          await this.#store.forgetDelivered();
          forgotAt = clock.elapsed();
        }
      } catch (error) {
        log.error('outbox.dispatch.failed', { error: String(error) });
      }
      await this.#wakeup.wait({ signal, ms });
    }
    stopListening();
  }

  /** Starts deliveries until all places are taken or nothing else is due; returns how many. */
  #fill(): Promise<number> {
    const looked = this.#looking.then(async () => {
      if (this.#stopping.signal.aborted) return 0;
      const due = await this.#store.due({
        kinds: [...this.#handlers.keys()],
        except: [...this.#underWay.keys()],
        limit: CONCURRENCY - this.#underWay.size,
      });
      for (const message of due) this.#begin(message);
      return due.length;
    });
    this.#looking = looked.catch(() => undefined);
    return looked;
  }

  #begin(message: OutboxMessage): void {
    const delivery = this.#deliver(message).finally(() => {
      this.#underWay.delete(message.id);
      this.#wakeup.set();
    });
    this.#underWay.set(message.id, delivery);
  }

  async #deliver(message: OutboxMessage): Promise<void> {
    const { signal } = this.#stopping;
    const handler = present(this.#handlers.get(message.kind), 'the handler of a message');
    try {
      await handler(message, { signal });
      await this.#record([this.#store.delivered(message)]);
    } catch (error) {
      // A delivery that was aborted says nothing about its receiver.
      if (!signal.aborted) await this.#record(this.#failure(message, error));
    }
  }

  #failure(message: OutboxMessage, thrown: unknown): readonly Step[] {
    const { clock, events, log } = this.#options;
    const { id, kind } = message;
    const attempts = message.failures + 1;
    const error = String(thrown);
    log.warn('outbox.failed', { id, kind, attempts, error });
    const isFinal = thrown instanceof AppError && FINAL.has(thrown.code);
    if (!isFinal && attempts < ATTEMPTS_MAX) {
      const ms = Math.min(RETRY_FIRST_MS * 2 ** message.failures, RETRY_MAX_MS);
      return [this.#store.failed(message, error, micros(clock.wall() + ms * MICROS_PER_MS))];
    }
    const data = { kind, attempts, error: error.slice(0, 2000) };
    return [
      this.#store.dead(message, error),
      events.step({ actor: 'millwright', kind: 'outbox.dead', subject: `outbox/${id}`, data }),
    ];
  }

  /** Until it is recorded, the message stays under way: else it would go out again at once. */
  async #record(steps: readonly Step[]): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      try {
        await this.#options.db.write(steps);
        return;
      } catch (error) {
        this.#options.log.error('outbox.record.failed', { error: String(error) });
        if (signal.aborted) return;
        await new Wakeup().wait({ signal, ms: RECORD_RETRY_MS });
      }
    }
  }

  async #untilNext(): Promise<number> {
    // With all places taken, the end of a delivery wakes the dispatcher.
    if (this.#underWay.size >= CONCURRENCY) return LOOK_MS;
    const nextAt = await this.#store.nextAt([...this.#handlers.keys()], [...this.#underWay.keys()]);
    if (nextAt === null) return LOOK_MS;
    const ms = Math.ceil((nextAt - this.#options.clock.wall()) / MICROS_PER_MS);
    return Math.min(Math.max(ms, 0), LOOK_MS);
  }
}

export function createOutbox(options: OutboxOptions): Outbox {
  return new DatabaseOutbox(options);
}
