import { MICROS_PER_SECOND } from '../../base/time.ts';
import type { SourceRow } from './label-rows.ts';

/** Rows that wait at most: about 40 MB. Past it the oldest wait no longer. */
const WAITING_MAX = 200_000;
/** Domain time between looks for rows past the horizon, which go through all that wait. */
const SWEEP_EVERY = 3600 * MICROS_PER_SECOND;

interface WaitingRow extends SourceRow {
  /** Version of the source's table after which it was added. */
  readonly since: number;
}

/**
 * Rows of a label's source that came before their request did, by business key, in the order in
 * which they were appended. They wait as long as the label takes to mature. In memory: after a
 * restart they are read again, from the version after which the oldest was added.
 */
export class WaitingLabels {
  readonly #byKey = new Map<string, WaitingRow[]>();
  #size = 0;
  /** Rows may be known that were when they were added. */
  #isUnchecked = true;
  #sweptAt = -Infinity;

  add(row: SourceRow, since: number): void {
    const waiting = this.#byKey.get(row.key);
    if (waiting === undefined) this.#byKey.set(row.key, [{ ...row, since }]);
    else waiting.push({ ...row, since });
    this.#size += 1;
    if (this.#size <= WAITING_MAX) return;
    // The first in the map has waited longest.
    const [oldest] = this.#byKey.keys();
    this.#take(oldest!);
  }

  /**
   * Gives what has its request by now, as `isKnown` says: of the keys that `arrived`, or of all
   * where that is null. That goes, and so does, now and then, what is past `horizon`.
   */
  take(
    horizon: number,
    arrived: readonly string[] | null,
    isKnown: (key: string) => boolean,
  ): readonly SourceRow[] {
    const keys = this.#isUnchecked || arrived === null ? [...this.#byKey.keys()] : arrived;
    this.#isUnchecked = false;
    const taken: SourceRow[] = [];
    for (const key of keys) {
      if (this.#byKey.has(key) && isKnown(key)) taken.push(...this.#take(key));
    }
    if (horizon >= this.#sweptAt + SWEEP_EVERY) {
      this.#sweptAt = horizon;
      for (const [key, rows] of this.#byKey) if (rows.at(-1)!.time < horizon) this.#take(key);
    }
    return taken;
  }

  /** The version after which all that wait were added; `none` when nothing waits. */
  since(none: number): number {
    const [first] = this.#byKey.values();
    return first?.[0]?.since ?? none;
  }

  #take(key: string): readonly WaitingRow[] {
    const rows = this.#byKey.get(key)!;
    this.#byKey.delete(key);
    this.#size -= rows.length;
    return rows;
  }
}
