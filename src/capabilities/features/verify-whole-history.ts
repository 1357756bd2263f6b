import { lowerBound } from './tiles-layout.ts';
import { EVENTS, NON_NULL, SUM, totalAt, windowStride } from './tiles-read.ts';
import type { KeyHistory, KeyInstant, KeyRevisions } from './verify-history.ts';

/** Running counts and sums of what a key's events are in the end; windows are differences. */
interface Running {
  readonly events: Uint32Array;
  /** By expression. */
  readonly known: readonly Uint32Array[];
  readonly sums: readonly Float64Array[];
}

/** Neighbours whose last change is kept together, and how many of those are in turn. */
const FANOUT = 32;

/**
 * Of events with whole numbers, whose sums are exact, and without extremes. What had not settled by
 * the version asked for corrects the totals of the end, one by one.
 */
export class WholeHistory implements KeyHistory {
  readonly #revisions: KeyRevisions;
  readonly #running: Running;
  /** The version from which on a revision changes no more; the latest of neighbours; and so on. */
  readonly #changes: readonly Float64Array[];
  /** Of the windows asked for last. */
  readonly #starts: number[] = [];
  #hadSettled = true;

  private constructor(revisions: KeyRevisions, running: Running) {
    this.#revisions = revisions;
    this.#running = running;
    this.#changes = changesOf(revisions);
  }

  /** Null where sums might round. */
  static of(revisions: KeyRevisions): WholeHistory | null {
    const running = runningOf(revisions);
    return running === null ? null : new WholeHistory(revisions, running);
  }

  get hadSettled(): boolean {
    return this.#hadSettled;
  }

  totals(windows: readonly number[], { time, version }: KeyInstant, totals: Float64Array): void {
    const { times, values } = this.#revisions;
    const end = lowerBound(times, time, 0, times.length);
    const [starts, stride] = [this.#starts, windowStride(values.length)];
    starts.length = windows.length;
    let start = end;
    for (let index = 0; index < windows.length; index += 1) {
      start = lowerBound(times, time - windows[index]!, 0, start);
      starts[index] = start;
      this.#addEnd(totals, index * stride, { start, end });
    }
    this.#hadSettled = true;
    this.#correctAll(totals, { start, end, version }, this.#changes.length - 1);
    for (let place = 0; place < windows.length * stride; place += stride) {
      for (let index = 0; index < values.length; index += 1) {
        const total = place + totalAt(index, 0);
        if (totals[total + NON_NULL] === 0) totals[total + SUM] = Number.NaN;
      }
    }
  }

  #addEnd(
    totals: Float64Array,
    place: number,
    { start, end }: { readonly start: number; readonly end: number },
  ): void {
    const { events, known, sums } = this.#running;
    totals[place + EVENTS] = events[end]! - events[start]!;
    for (let index = 0; index < known.length; index += 1) {
      const at = place + totalAt(index, 0);
      totals[at + NON_NULL] = known[index]![end]! - known[index]![start]!;
      totals[at + SUM] = sums[index]![end]! - sums[index]![start]!;
    }
  }

  /** Looks at revisions that change after the version, by blocks that hold one. */
  #correctAll(
    totals: Float64Array,
    range: { readonly start: number; readonly end: number; readonly version: number },
    level: number,
  ): void {
    const { start, end, version } = range;
    const changes = this.#changes[level]!;
    const size = FANOUT ** level;
    for (let at = Math.floor(start / size); at * size < end; at += 1) {
      if (changes[at]! <= version) continue;
      if (level === 0) {
        this.#correct(totals, at, version);
        continue;
      }
      const inside = {
        start: Math.max(start, at * size),
        end: Math.min(end, (at + 1) * size),
        version,
      };
      this.#correctAll(totals, inside, level - 1);
    }
  }

  #correct(totals: Float64Array, at: number, version: number): void {
    const { from, until, values } = this.#revisions;
    const wasSeen = from[at]! <= version;
    const isSeen = until[at] === Infinity;
    if (wasSeen === isSeen) return;
    this.#hadSettled = false;
    const sign = wasSeen ? 1 : -1;
    const stride = windowStride(values.length);
    for (let window = 0; window < this.#starts.length; window += 1) {
      if (at < this.#starts[window]!) continue;
      const place = window * stride;
      totals[place + EVENTS]! += sign;
      for (let index = 0; index < values.length; index += 1) {
        const value = values[index]![at]!;
        if (value !== value) continue;
        const total = place + totalAt(index, 0);
        totals[total + NON_NULL]! += sign;
        totals[total + SUM]! += sign * value;
      }
    }
  }
}

function runningOf({ times, until, values }: KeyRevisions): Running | null {
  const count = times.length;
  const running = {
    events: new Uint32Array(count + 1),
    known: values.map(() => new Uint32Array(count + 1)),
    sums: values.map(() => new Float64Array(count + 1)),
  };
  for (let at = 0; at < count; at += 1) {
    running.events[at + 1] = running.events[at]! + (until[at] === Infinity ? 1 : 0);
  }
  for (const [index, column] of values.entries()) {
    const [known, sums] = [running.known[index]!, running.sums[index]!];
    let size = 0;
    for (let at = 0; at < count; at += 1) {
      const value = column[at]!;
      const isNull = value !== value;
      if (!isNull && Math.floor(value) !== value) return null;
      if (!isNull) size += Math.abs(value);
      const counts = !isNull && until[at] === Infinity;
      known[at + 1] = known[at]! + (counts ? 1 : 0);
      sums[at + 1] = sums[at]! + (counts ? value : 0);
    }
    if (size > Number.MAX_SAFE_INTEGER) return null;
  }
  return running;
}

function changesOf({ from, until }: KeyRevisions): readonly Float64Array[] {
  let level = until.map((version, at) => (version === Infinity ? from[at]! : version));
  const levels = [level];
  while (level.length > FANOUT) {
    const below = level;
    level = new Float64Array(Math.ceil(below.length / FANOUT));
    for (let at = 0; at < below.length; at += 1) {
      const block = Math.floor(at / FANOUT);
      level[block] = Math.max(level[block]!, below[at]!);
    }
    levels.push(level);
  }
  return levels;
}
