import { after } from './system.ts';

/**
 * Lets one loop sleep until there is work. A call to `set` between two waits is not lost: the next
 * wait returns at once.
 */
export class Wakeup {
  #isSet = false;
  #resume: (() => void) | null = null;

  set(): void {
    this.#isSet = true;
    this.#resume?.();
  }

  /** True when set; false when the signal aborted or `ms` have passed (default: never). */
  async wait(options: { readonly signal: AbortSignal; readonly ms?: number }): Promise<boolean> {
    const { signal, ms } = options;
    if (!this.#isSet && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const cancel = ms === undefined ? () => undefined : after(ms, resume);
        function resume(): void {
          cancel();
          signal.removeEventListener('abort', resume);
          resolve();
        }
        this.#resume = resume;
        signal.addEventListener('abort', resume);
      });
      this.#resume = null;
    }
    const wasSet = this.#isSet;
    this.#isSet = false;
    return wasSet;
  }
}
