import type { Log } from '../log/log.ts';
import type { CommitListener, Step, StepResult } from './port.ts';

/** Who wants to know of commits. One that throws is logged: the write it heard of is done. */
export class CommitListeners {
  readonly #log: Log;
  readonly #listeners = new Set<CommitListener>();

  constructor(log: Log) {
    this.#log = log;
  }

  add(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  notify(steps: readonly Step[], results: readonly StepResult[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(steps, results);
      } catch (error) {
        this.#log.error('db.listener.failed', { error: String(error) });
      }
    }
  }
}
