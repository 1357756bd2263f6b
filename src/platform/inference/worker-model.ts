import type { OnnxThread } from './onnx-thread.ts';

/**
 * A model as the worker thread knows it: by a number. A thread that died took its models along; its
 * successor opens this one again when asked.
 */
export class WorkerModel {
  readonly #thread: OnnxThread;
  readonly #file: string;
  readonly #underWay = new Set<Promise<unknown>>();
  #current: { readonly opened: Promise<number>; readonly life: object | null } | null = null;

  constructor(thread: OnnxThread, file: string) {
    this.#thread = thread;
    this.#file = file;
  }

  /** Does something with its number, before which it is not released. */
  async use<Result>(action: (model: number) => Promise<Result>): Promise<Result> {
    const used = this.open().then(action);
    this.#underWay.add(used);
    try {
      return await used;
    } finally {
      this.#underWay.delete(used);
    }
  }

  /** Opens it unless it is open in the thread as it lives now. */
  open(): Promise<number> {
    const thread = this.#thread;
    if (this.#current !== null && thread.life !== null && this.#current.life === thread.life) {
      return this.#current.opened;
    }
    const opened = thread.ask<number>({ kind: 'open', file: this.#file });
    const current = { opened, life: thread.life };
    this.#current = current;
    // An open that failed is not the last word.
    opened.catch(() => {
      if (this.#current === current) this.#current = null;
    });
    return opened;
  }

  /** Frees it in the thread once its runs are done; one never opened there costs nothing. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    const current = this.#current;
    if (current?.life == null || current.life !== this.#thread.life) return;
    await this.#thread.ask({ kind: 'release', model: await current.opened });
  }
}
