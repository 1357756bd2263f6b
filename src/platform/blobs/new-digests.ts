import type { Digest } from './port.ts';

/** Uploads whose fate may still be open; who decides later than that keeps what there is. */
const REMEMBERED_MAX = 1000;

/**
 * Digests that one `put` of this process brought and no other has named since. Only those may be
 * discarded: anything else somebody may rely on.
 */
export class NewDigests {
  readonly #digests = new Set<Digest>();

  /** To be told of every `put`, before its content can be found. */
  note(digest: Digest, isNew: boolean): void {
    if (this.#digests.delete(digest) || !isNew) return;
    this.#digests.add(digest);
    if (this.#digests.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#digests;
    this.#digests.delete(oldest!);
  }

  /** Whether it may be discarded; it is forgotten with the answer. */
  take(digest: Digest): boolean {
    return this.#digests.delete(digest);
  }
}
