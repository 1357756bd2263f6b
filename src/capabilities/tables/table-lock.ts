import { AppError } from '../../base/errors.ts';

/** Writers that may wait for one table; each holds its rows in memory. */
const WAITING_MAX = 64;

/** Runs actions on one table one after the other, in the order they came. */
export class TableLock {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #waiting = new Map<string, number>();

  async run<T>(table: string, action: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(table) ?? 0;
    if (waiting >= WAITING_MAX) {
      throw new AppError('OVERLOADED', `${waiting} writers are waiting for table ${table}.`, {
        hint: 'Send fewer, larger appends, or repeat this one later.',
      });
    }
    this.#waiting.set(table, waiting + 1);
    const before = this.#last.get(table) ?? Promise.resolve();
    const turn = before.then(action, action);
    this.#last.set(table, turn);
    try {
      return await turn;
    } finally {
      this.#leave(table, turn);
    }
  }

  #leave(table: string, turn: Promise<unknown>): void {
    const waiting = (this.#waiting.get(table) ?? 1) - 1;
    if (waiting === 0) this.#waiting.delete(table);
    else this.#waiting.set(table, waiting);
    if (this.#last.get(table) === turn) this.#last.delete(table);
  }
}
