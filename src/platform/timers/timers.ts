import { assert, present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { micros, MICROS_PER_MS, type Clock, type Micros } from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { Events } from '../events/port.ts';
import type { Log } from '../log/log.ts';
import { Wakeup } from '../wakeup.ts';
import type { TimerHandler, TimerInput, TimerKey, Timers } from './port.ts';
import { TimersStore, type WaitingTimer } from './timers-store.ts';

/** A timer that has failed so often is kept as dead, and an event says so. */
const ATTEMPTS_MAX = 10;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 5 * 60_000;
/** The longest sleep between two looks: how late a jump of the machine's clock is noticed. */
const LOOK_MS = 5000;
/** Timers that fire at one instant; more is a timer that schedules itself for ever. */
const FIRES_AT_ONCE_MAX = 1000;

export interface TimersOptions {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly events: Pick<Events, 'step'>;
  /** Waits until what a timer has started is done: event consumers, monitor runs, flushes. */
  readonly settle: () => Promise<void>;
  readonly log: Log;
}

class DurableTimers implements Timers {
  readonly #options: TimersOptions;
  readonly #store: TimersStore;
  readonly #handlers = new Map<string, TimerHandler>();
  /** The statements that set timers, to recognise them when they have committed. */
  readonly #changes = new WeakSet<Step['query']>();
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  /** Whoever fires timers holds the turn, so that no two fire at once. */
  #turn: Promise<unknown> = Promise.resolve();
  #polling: Promise<void> | null = null;

  constructor(options: TimersOptions) {
    this.#options = options;
    this.#store = new TimersStore(options.db, options.ids);
  }

  schedule(timer: TimerInput): Step {
    const step = this.#store.upsert(timer);
    this.#changes.add(step.query);
    return step;
  }

  cancel(key: TimerKey): Step {
    return this.#store.remove(key);
  }

  handle(name: string, handler: TimerHandler): void {
    assert(!this.#handlers.has(name), `the timers ${name} have one handler`);
    this.#handlers.set(name, handler);
    this.#wakeup.set();
  }

  fireDue(): Promise<number> {
    return this.#inTurn(async () => {
      let fired = 0;
      while (!this.#stopping.signal.aborted) {
        const timer = await this.#next();
        if (timer === null || timer.fireAt > this.#time(timer)) break;
        assert(fired < FIRES_AT_ONCE_MAX, `${timer.handler} timers fire without end`);
        await this.#fire(timer);
        fired += 1;
      }
      return fired;
    });
  }

  fireUntil(to: Micros, advance: (at: Micros) => Promise<void>): Promise<number> {
    return this.#inTurn(async () => {
      const { clock, settle } = this.#options;
      let fired = 0;
      let firedAtOnce = 0;
      await settle();
      for (;;) {
        const timer = await this.#store.next('now', [...this.#handlers.keys()]);
        if (timer === null || timer.fireAt > to) return fired;
        firedAtOnce = timer.fireAt > clock.now() ? 0 : firedAtOnce + 1;
        assert(firedAtOnce < FIRES_AT_ONCE_MAX, `${timer.handler} timers fire without end`);
        if (timer.fireAt > clock.now()) await advance(timer.fireAt);
        await this.#fire(timer);
        await settle();
        fired += 1;
      }
    });
  }

  start(): void {
    this.#polling ??= this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
    await this.#turn;
  }

  async #poll(): Promise<void> {
    const { db, log } = this.#options;
    const { signal } = this.#stopping;
    const stopListening = db.onCommit((steps) => {
      if (steps.some((step) => this.#changes.has(step.query))) this.#wakeup.set();
    });
    while (!signal.aborted) {
      let ms = LOOK_MS;
      try {
        await this.fireDue();
        ms = await this.#untilNext();
      } catch (error) {
        log.error('timers.poll.failed', { error: String(error) });
      }
      await this.#wakeup.wait({ signal, ms });
    }
    stopListening();
  }

  async #untilNext(): Promise<number> {
    const timer = await this.#next();
    if (timer === null) return LOOK_MS;
    const ms = Math.ceil((timer.fireAt - this.#time(timer)) / MICROS_PER_MS);
    return Math.min(Math.max(ms, 0), LOOK_MS);
  }

  /** The timer that fires first: a due one before a later one, whatever their clocks. */
  async #next(): Promise<WaitingTimer | null> {
    const handlers = [...this.#handlers.keys()];
    const now = await this.#store.next('now', handlers);
    const wall = await this.#store.next('wall', handlers);
    if (now === null || wall === null) return now ?? wall;
    const [untilNow, untilWall] = [now, wall].map((timer) => timer.fireAt - this.#time(timer));
    return untilNow! <= untilWall! ? now : wall;
  }

  async #fire(timer: WaitingTimer): Promise<void> {
    const { db } = this.#options;
    const handler = present(this.#handlers.get(timer.handler), 'the handler of a timer');
    const { fireAt: _, ...fired } = timer;
    try {
      const steps = (await handler(fired, { signal: this.#stopping.signal })) ?? [];
      const superseded = new Superseded();
      const end = { query: this.#store.end(timer.id), expect: { rows: 1, otherwise: superseded } };
      await db.write([end, ...steps]);
    } catch (error) {
      if (error instanceof Superseded) return;
      await this.#failed(timer, String(error));
    }
  }

  async #failed(timer: WaitingTimer, error: string): Promise<void> {
    const { db, events, log } = this.#options;
    const { handler, subject } = timer;
    const attempts = timer.failures + 1;
    log.warn('timers.failed', { handler, subject, attempts, error });
    if (attempts < ATTEMPTS_MAX) {
      const ms = Math.min(RETRY_FIRST_MS * 2 ** timer.failures, RETRY_MAX_MS);
      const fireAt = micros(this.#time(timer) + ms * MICROS_PER_MS);
      await db.write([this.#store.fail(timer, error, fireAt)]);
      return;
    }
    const data = { handler, attempts, error: error.slice(0, 2000) };
    await db.write([
      this.#store.fail(timer, error, null),
      events.step({ actor: 'millwright', kind: 'timer.dead', subject, data }),
    ]);
  }

  #time(timer: WaitingTimer): Micros {
    return timer.clock === 'now' ? this.#options.clock.now() : this.#options.clock.wall();
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** The timer was cancelled or scheduled anew while its handler ran. */
class Superseded extends AppError {
  constructor() {
    super('CONFLICT', 'The timer has changed.');
  }
}

export function createTimers(options: TimersOptions): Timers {
  return new DurableTimers(options);
}
