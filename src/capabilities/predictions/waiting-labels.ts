import type { SourceRow } from './label-rows.ts';

/** Rows that wait at most: about 40 MB. Past it the oldest wait no longer. */
const WAITING_MAX = 200_000;

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

  /** Gives what `isKnown` says has its request by now; that, and what is past `horizon`, goes. */
  take(horizon: number, isKnown: (key: string) => boolean): readonly SourceRow[] {
    const taken: SourceRow[] = [];
    for (const [key, rows] of this.#byKey) {
      if (isKnown(key)) taken.push(...this.#take(key));
      else if (rows.at(-1)!.time < horizon) this.#take(key);
    }
    return taken;
  }

  /** The version after which all that wait were added; `none` when nothing waits. */
  since(none: number): number {
    let since = none;
    for (const [first] of this.#byKey.values()) since = Math.min(since, first!.since);
    return since;
  }

  #take(key: string): readonly WaitingRow[] {
    const rows = this.#byKey.get(key)!;
    this.#byKey.delete(key);
    this.#size -= rows.length;
    return rows;
  }
}
