import { createHash } from 'node:crypto';
import { AppError } from '../../base/errors.ts';
import { micros, MICROS_PER_SECOND, type Clock } from '../../base/time.ts';
import type { Db, Step } from '../db/port.ts';
import type { Timers } from '../timers/port.ts';

/** How long a key is remembered. */
export const IDEMPOTENCY_SECONDS = 24 * 3600;
const KEY_LENGTH_MAX = 200;
const SWEEP = 'idempotency.sweep';
const SWEEP_SECONDS = 3600;

interface IdempotencyTables {
  readonly idempotency_keys: {
    readonly key: string;
    readonly request_hash: string;
    readonly reply: string | null;
    readonly expires_at: number;
  };
}

/**
 * Makes a repeated POST answer what the first one answered. Within one process two at once are
 * serialised by the unique key; a request whose process died before it answered is free to run
 * again.
 */
export class Idempotency {
  readonly #db: Db;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #timers: Timers;
  readonly #running = new Set<string>();

  constructor(options: {
    readonly db: Db;
    readonly clock: Pick<Clock, 'wall'>;
    readonly timers: Timers;
  }) {
    this.#db = options.db;
    this.#clock = options.clock;
    this.#timers = options.timers;
  }

  /** Sets the timer that forgets expired keys, once an hour. */
  async start(): Promise<void> {
    this.#timers.handle(SWEEP, async () => [this.#sweep(), this.#nextSweep()]);
    await this.#db.write([this.#nextSweep()]);
  }

  async once(
    request: { readonly key: string; readonly scope: string; readonly content: unknown },
    run: () => Promise<unknown>,
  ): Promise<unknown> {
    if (request.key.length === 0 || request.key.length > KEY_LENGTH_MAX) {
      throw new AppError(
        'INVALID_INPUT',
        `Idempotency-Key must have 1 to ${KEY_LENGTH_MAX} characters.`,
      );
    }
    const key = `${request.scope} ${request.key}`;
    const hash = createHash('sha256').update(JSON.stringify(request.content)).digest('hex');
    // Before the look at what is kept: the first request may end between that look and this one.
    if (this.#running.has(key)) {
      throw new AppError('CONFLICT', 'A request with this Idempotency-Key is still running.', {
        hint: 'Repeat it when that one has answered.',
      });
    }
    this.#running.add(key);
    try {
      const former = await this.#former(key);
      if (former !== null) return replay(former, hash);
      const reply = await run();
      await this.#keep(key, { hash, reply });
      return reply;
    } finally {
      this.#running.delete(key);
    }
  }

  #sweep(): Step {
    const query = this.#db
      .queries<IdempotencyTables>()
      .deleteFrom('idempotency_keys')
      .where('expires_at', '<', this.#clock.wall());
    return { query };
  }

  #nextSweep(): Step {
    const due = micros(this.#clock.wall() + SWEEP_SECONDS * MICROS_PER_SECOND);
    return this.#timers.schedule({
      handler: SWEEP,
      subject: 'all',
      clock: 'wall',
      due,
      payload: {},
    });
  }

  async #former(key: string): Promise<{ request_hash: string; reply: string | null } | null> {
    const query = this.#db
      .queries<IdempotencyTables>()
      .selectFrom('idempotency_keys')
      .select(['request_hash', 'reply'])
      .where('key', '=', key)
      .where('expires_at', '>=', this.#clock.wall());
    const [row] = await this.#db.read(query);
    return row ?? null;
  }

  async #keep(key: string, kept: { hash: string; reply: unknown }): Promise<void> {
    const row = {
      key,
      request_hash: kept.hash,
      reply: JSON.stringify(kept.reply),
      expires_at: this.#clock.wall() + IDEMPOTENCY_SECONDS * MICROS_PER_SECOND,
    };
    const builder = this.#db.queries<IdempotencyTables>();
    await this.#db.write([
      { query: builder.deleteFrom('idempotency_keys').where('key', '=', key) },
      { query: builder.insertInto('idempotency_keys').values(row) },
    ]);
  }
}

function replay(former: { request_hash: string; reply: string | null }, hash: string): unknown {
  if (former.request_hash !== hash) {
    throw new AppError(
      'IDEMPOTENCY_KEY_REUSED',
      'This Idempotency-Key belongs to another request.',
      {
        hint: 'Use a new key for a new request.',
      },
    );
  }
  return JSON.parse(former.reply ?? 'null');
}
