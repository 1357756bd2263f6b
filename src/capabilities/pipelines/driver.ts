import type { Clock } from '../../base/time.ts';
import { toAppError } from '../../base/errors.ts';
import type { Log } from '../../platform/log/log.ts';
import { Wakeup } from '../../platform/wakeup.ts';
import type { Runner } from './runner.ts';

/** A step is looked at this often at first, then less and less: a twentieth of its time. */
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 500;
const LOOK_SHARE = 20;
/** After a trouble that passes, such as an engine that restarts. */
const TROUBLE_MS = 1000;

export interface DriverDeps {
  readonly runner: Runner;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly log: Log;
}

interface Driven {
  readonly wakeup: Wakeup;
  interrupt: AbortController;
  activity: string | null;
}

/** Keeps every open run moving, each in a loop of its own. */
export class Driver {
  readonly #deps: DriverDeps;
  readonly #driven = new Map<string, Driven>();
  readonly #loops = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #url: string | null = null;

  constructor(deps: DriverDeps) {
    this.#deps = deps;
  }

  listening(url: string): void {
    this.#url = url;
  }

  /** Starts a loop for the run, unless it has one or nobody listens. */
  drive(id: string): void {
    if (this.#url === null || this.#driven.has(id) || this.#stopping.signal.aborted) return;
    const driven: Driven = {
      wakeup: new Wakeup(),
      interrupt: new AbortController(),
      activity: null,
    };
    this.#driven.set(id, driven);
    const loop = this.#loop(id, driven, this.#url).finally(() => {
      this.#loops.delete(loop);
      this.#driven.delete(id);
      // The next run of the folder may be waiting for this one.
      for (const other of this.#driven.values()) other.wakeup.set();
    });
    this.#loops.add(loop);
  }

  activityOf(id: string): string | null {
    return this.#driven.get(id)?.activity ?? null;
  }

  /** Breaks off what the run waits for, so that it looks at its state again. */
  interrupt(id: string): void {
    const driven = this.#driven.get(id);
    driven?.interrupt.abort();
    driven?.wakeup.set();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  async #loop(id: string, driven: Driven, url: string): Promise<void> {
    const { runner, clock, log } = this.#deps;
    const says = (activity: string | null): void => {
      driven.activity = activity;
    };
    let since = clock.elapsed();
    while (!this.#stopping.signal.aborted) {
      if (driven.interrupt.signal.aborted) driven.interrupt = new AbortController();
      const signal = AbortSignal.any([this.#stopping.signal, driven.interrupt.signal]);
      let delay = TROUBLE_MS;
      try {
        const progress = await runner.advance(id, { url, signal, says });
        if (progress === 'done') return;
        if (progress === 'again') {
          since = clock.elapsed();
          continue;
        }
        const waited = (clock.elapsed() - since) / LOOK_SHARE;
        delay = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, waited));
      } catch (thrown) {
        if (this.#stopping.signal.aborted) return;
        if (signal.aborted) continue;
        log.warn('pipeline.advance.failed', { run: id, error: toAppError(thrown).message });
      }
      await driven.wakeup.wait({ signal: this.#stopping.signal, ms: delay });
    }
  }
}
