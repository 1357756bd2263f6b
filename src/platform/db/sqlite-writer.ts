import { present } from '../../base/assert.ts';
import { AppError } from '../../base/errors.ts';
import type { WireOutcome, WireTransaction } from './sqlite-protocol.ts';
import type { SqliteThread } from './sqlite-thread.ts';

/**
 * Transactions that may wait; at 0.2 ms a commit and groups of BATCH_MAX, well under a second's
 * worth.
 */
const QUEUE_MAX = 10_000;
/** Transactions of one commit: bounds how long the first of them waits for the others. */
const BATCH_MAX = 256;
/** Statements of one commit, unless one transaction alone has more. */
const BATCH_STATEMENTS_MAX = 2000;

interface Waiting {
  readonly transaction: WireTransaction;
  resolve(outcome: WireOutcome): void;
  reject(error: unknown): void;
}

/**
 * Group commit: while the thread commits one batch, the next one gathers, so that many callers
 * share one fsync and a lone caller does not wait.
 */
export class SqliteWriter {
  readonly #thread: SqliteThread;
  readonly #queueMax: number;
  readonly #queue: Waiting[] = [];
  #draining: Promise<void> | null = null;
  #committing: Promise<void> | null = null;
  #held: Promise<void> | null = null;

  constructor(thread: SqliteThread, queueMax: number = QUEUE_MAX) {
    this.#thread = thread;
    this.#queueMax = queueMax;
  }

  submit(transaction: WireTransaction): Promise<WireOutcome> {
    if (this.#queue.length >= this.#queueMax) {
      throw new AppError(
        'OVERLOADED',
        `${this.#queueMax} changes wait for the metadata database already.`,
        { hint: 'Try again in a moment; nothing of this change was kept.' },
      );
    }
    const outcome = new Promise<WireOutcome>((resolve, reject) => {
      this.#queue.push({ transaction, resolve, reject });
    });
    this.#draining ??= this.#drain();
    return outcome;
  }

  /** Once what is being committed is: nothing more is, until the result is called. */
  async hold(): Promise<() => void> {
    while (this.#held !== null) await this.#held;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    await this.#committing;
    return () => {
      this.#held = null;
      resolve();
    };
  }

  /** Commits what waits, then ends the thread. */
  async close(): Promise<void> {
    await this.#draining;
    await this.#thread.close();
  }

  async #drain(): Promise<void> {
    // Callers of the same turn of the event loop belong to one batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      if (this.#held !== null) {
        await this.#held;
        continue;
      }
      this.#committing = this.#commit(this.#takeBatch());
      await this.#committing;
    }
    this.#committing = null;
    this.#draining = null;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#thread.call<'write'>({
        kind: 'write',
        batch: batch.map((waiting) => waiting.transaction),
      });
      for (const [index, waiting] of batch.entries()) {
        waiting.resolve(present(outcomes[index], 'the outcome of a transaction'));
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }

  #takeBatch(): readonly Waiting[] {
    let statements = 0;
    let count = 0;
    for (const { transaction } of this.#queue) {
      statements += transaction.length;
      if (count > 0 && (count === BATCH_MAX || statements > BATCH_STATEMENTS_MAX)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }
}
