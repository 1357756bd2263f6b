import { createHash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import {
  micros,
  MICROS_PER_MS,
  MICROS_PER_SECOND,
  type Clock,
  type Micros,
} from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { OutboxInput, OutboxMessage } from './port.ts';

/** Messages are notices; what is larger is stored elsewhere and referred to. */
const PAYLOAD_CHARACTERS_MAX = 256 * 1024;
const ERROR_CHARACTERS_MAX = 2000;
/** The longest wait before a message is tried again. */
export const RETRY_MAX_MS = 2 * 3600 * 1000;
/**
 * How long a delivered message is remembered, so that its cause, repeated, does not send it again.
 */
const KEPT_SECONDS = 30 * 24 * 3600;

interface OutboxRow {
  readonly id: string;
  readonly kind: string;
  readonly target: string;
  readonly payload: string;
  readonly state: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly next_at: Micros;
  readonly last_error: string | null;
  readonly created_at: Micros;
  readonly finished_at: Micros | null;
}

interface Tables {
  readonly outbox: OutboxRow;
}

/** The table `outbox`. Its times are the machine's. */
export class OutboxStore {
  readonly #db: Db;
  readonly #clock: Pick<Clock, 'wall'>;

  constructor(db: Db, clock: Pick<Clock, 'wall'>) {
    this.#db = db;
    this.#clock = clock;
  }

  insert(message: OutboxInput): Step {
    const { kind, target } = message;
    const payload = JSON.stringify(message.payload);
    assert(payload.length <= PAYLOAD_CHARACTERS_MAX, `the payload of a ${kind} is too large`);
    const at = this.#clock.wall();
    const query = this.#queries()
      .insertInto('outbox')
      .values({
        id: messageId(message),
        kind,
        target,
        payload,
        state: 'pending',
        attempts: 0,
        next_at: at,
        last_error: null,
        created_at: at,
        finished_at: null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing());
    return { query };
  }

  /** Due messages of these kinds but for those under way, the longest waiting first. */
  async due(filter: {
    readonly kinds: readonly string[];
    readonly except: readonly string[];
    readonly limit: number;
  }): Promise<readonly OutboxMessage[]> {
    const { kinds, except, limit } = filter;
    if (kinds.length === 0 || limit === 0) return [];
    const wall = this.#clock.wall();
    const latest = micros(wall + RETRY_MAX_MS * MICROS_PER_MS);
    const query = this.#queries()
      .selectFrom('outbox')
      .select(['id', 'kind', 'target', 'payload', 'attempts'])
      .where('state', '=', 'pending')
      .where((eb) =>
        eb.or([
          eb('next_at', '<=', wall),
          // Nothing waits before it is tried, or longer than that: the clock was set back.
          eb('attempts', '=', 0),
          eb('next_at', '>', latest),
        ]),
      )
      .where('kind', 'in', kinds)
      .$if(except.length > 0, (pending) => pending.where('id', 'not in', except))
      .orderBy('next_at')
      .orderBy('id')
      .limit(limit);
    return (await this.#db.read(query)).map(({ attempts, payload, ...message }) => ({
      ...message,
      payload: JSON.parse(payload) as Readonly<Record<string, unknown>>,
      failures: attempts,
    }));
  }

  /** When the next message of these kinds is due, but for those under way. */
  async nextAt(kinds: readonly string[], except: readonly string[]): Promise<Micros | null> {
    if (kinds.length === 0) return null;
    const query = this.#queries()
      .selectFrom('outbox')
      .select('next_at')
      .where('state', '=', 'pending')
      .where('kind', 'in', kinds)
      .$if(except.length > 0, (pending) => pending.where('id', 'not in', except))
      .orderBy('next_at')
      .limit(1);
    const [row] = await this.#db.read(query);
    return row?.next_at ?? null;
  }

  delivered(message: OutboxMessage): Step {
    return this.#update(message, { state: 'delivered', finished_at: this.#clock.wall() });
  }

  failed(message: OutboxMessage, error: string, nextAt: Micros): Step {
    const last_error = error.slice(0, ERROR_CHARACTERS_MAX);
    return this.#update(message, { last_error, next_at: nextAt });
  }

  dead(message: OutboxMessage, error: string): Step {
    const last_error = error.slice(0, ERROR_CHARACTERS_MAX);
    return this.#update(message, { state: 'dead', last_error, finished_at: this.#clock.wall() });
  }

  async forgetDelivered(): Promise<void> {
    const before = micros(this.#clock.wall() - KEPT_SECONDS * MICROS_PER_SECOND);
    const query = this.#queries()
      .deleteFrom('outbox')
      .where('state', '=', 'delivered')
      .where('finished_at', '<', before);
    await this.#db.write([{ query }]);
  }

  #update(message: OutboxMessage, change: Partial<OutboxRow>): Step {
    const query = this.#queries()
      .updateTable('outbox')
      .set({ ...change, attempts: message.failures + 1 })
      .where('id', '=', message.id)
      .where('state', '=', 'pending');
    return { query };
  }

  #queries() {
    return this.#db.queries<Tables>();
  }
}

/** From the content, not from a counter: the same cause gives the same message on every replay. */
function messageId({ kind, target, key }: OutboxInput): string {
  const text = JSON.stringify([kind, target, key]);
  return `out_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
