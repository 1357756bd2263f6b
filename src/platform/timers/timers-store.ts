import type { Ids } from '../../base/ids.ts';
import type { Micros } from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { FiredTimer, TimerClock, TimerInput, TimerKey } from './port.ts';

interface TimersRow {
  readonly id: string;
  readonly handler: string;
  readonly subject: string;
  readonly clock: TimerClock;
  readonly due: Micros;
  readonly payload: string;
  readonly state: 'waiting' | 'dead';
  readonly attempts: number;
  /** When it fires: its due time, or later after a failure; on its own clock. */
  readonly fire_at: Micros;
  readonly last_error: string | null;
}

interface Tables {
  readonly timers: TimersRow;
}

export interface WaitingTimer extends FiredTimer {
  readonly fireAt: Micros;
}

/** Enough of an error to recognise it. */
const ERROR_CHARACTERS_MAX = 2000;

/** The table `timers`. */
export class TimersStore {
  readonly #db: Db;
  readonly #ids: Ids;

  constructor(db: Db, ids: Ids) {
    this.#db = db;
    this.#ids = ids;
  }

  upsert(timer: TimerInput): Step {
    const { handler, subject, clock, due } = timer;
    const content = {
      id: this.#ids.next('tmr'),
      clock,
      due,
      payload: JSON.stringify(timer.payload),
      state: 'waiting' as const,
      attempts: 0,
      fire_at: due,
      last_error: null,
    };
    const query = this.#queries()
      .insertInto('timers')
      .values({ handler, subject, ...content })
      .onConflict((conflict) => conflict.columns(['handler', 'subject']).doUpdateSet(content));
    return { query };
  }

  remove(key: TimerKey): Step {
    const { handler, subject } = key;
    const query = this.#queries()
      .deleteFrom('timers')
      .where('handler', '=', handler)
      .where('subject', '=', subject);
    return { query };
  }

  /** Ends a timer that has fired, unless it was scheduled anew or cancelled meanwhile. */
  end(id: string) {
    return this.#queries().deleteFrom('timers').where('id', '=', id);
  }

  /** Keeps a timer whose handler has failed: until `fireAt`, or for good when that is null. */
  fail(timer: WaitingTimer, error: string, fireAt: Micros | null): Step {
    const query = this.#queries()
      .updateTable('timers')
      .set({
        attempts: timer.failures + 1,
        last_error: error.slice(0, ERROR_CHARACTERS_MAX),
        ...(fireAt === null ? { state: 'dead' as const } : { fire_at: fireAt }),
      })
      .where('id', '=', timer.id);
    return { query };
  }

  /** The timer of this clock that fires first, among those with one of the handlers. */
  async next(clock: TimerClock, handlers: readonly string[]): Promise<WaitingTimer | null> {
    if (handlers.length === 0) return null;
    const query = this.#queries()
      .selectFrom('timers')
      .select(['id', 'handler', 'subject', 'clock', 'due', 'payload', 'attempts', 'fire_at'])
      .where('state', '=', 'waiting')
      .where('clock', '=', clock)
      .where('handler', 'in', handlers)
      .orderBy('fire_at')
      .orderBy('id')
      .limit(1);
    const [row] = await this.#db.read(query);
    if (row === undefined) return null;
    const { attempts, fire_at, payload, ...timer } = row;
    return {
      ...timer,
      payload: JSON.parse(payload) as Readonly<Record<string, unknown>>,
      failures: attempts,
      fireAt: fire_at,
    };
  }

  #queries() {
    return this.#db.queries<Tables>();
  }
}
