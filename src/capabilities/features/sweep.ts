import { assert } from '../../base/assert.ts';
import type { AggregateFunction } from './compiled.ts';
import { ExactSum } from './exact-sum.ts';

/**
 * Rows sorted by key, then time, then queries before events, which they do not see at equal times.
 * Column 0 is the key's number, column 1 the time in microseconds, column 2 the query's number or
 * -1 for an event, then the value of each aggregate, NaN for null.
 */
export interface SweepBatch {
  readonly rowCount: number;
  readonly columns: readonly Float64Array[];
}

export interface SweepPlan {
  /** Microseconds each. */
  readonly windows: readonly number[];
  /** In the order of the batch's values; a count has a column too, which is not read. */
  readonly aggregates: readonly AggregateFunction[];
  /** Where aggregate `a` over window `w` goes: `targets[a][w]`; null is not wanted. */
  readonly targets: readonly (readonly (Float64Array | null)[])[];
}

/**
 * Windows `[T - W, T)` of every query, in one pass over sorted rows: each window of the present
 * key is a pair of ends that only move on, what leaves it is subtracted (sums are exact, so nothing
 * stays behind), extremes are kept in monotonic queues. NaN stands for null in the results.
 */
export class Sweep {
  readonly #plan: SweepPlan;
  readonly #windows: readonly KeyWindow[];
  #key = Number.NaN;
  /** The present key's events: times, and the values of each aggregate. */
  #times = new Float64Array(FIRST_CAPACITY);
  #values: Float64Array[];
  #count = 0;

  constructor(plan: SweepPlan) {
    this.#plan = plan;
    this.#values = plan.aggregates.map(() => new Float64Array(FIRST_CAPACITY));
    this.#windows = plan.windows.map(
      (micros, index) =>
        new KeyWindow(
          micros,
          plan.aggregates.map((kind, at) => (plan.targets[at]![index] === null ? null : kind)),
        ),
    );
  }

  add({ rowCount, columns }: SweepBatch): void {
    const [keys, times, queries] = columns as [Float64Array, Float64Array, Float64Array];
    for (let row = 0; row < rowCount; row += 1) {
      if (keys[row] !== this.#key) this.#startKey(keys[row]!);
      const query = queries[row]!;
      if (query < 0) this.#addEvent(times[row]!, columns, row);
      else this.#answer(times[row]!, query);
    }
  }

  #startKey(key: number): void {
    this.#key = key;
    this.#count = 0;
    for (const window of this.#windows) window.clear();
  }

  #addEvent(time: number, columns: readonly Float64Array[], row: number): void {
    if (this.#count === this.#times.length) this.#grow();
    assert(
      this.#count === 0 || this.#times[this.#count - 1]! <= time,
      'events of a key are not in order',
    );
    this.#times[this.#count] = time;
    for (let index = 0; index < this.#values.length; index += 1) {
      this.#values[index]![this.#count] = columns[index + 3]![row]!;
    }
    this.#count += 1;
  }

  #grow(): void {
    const wider = (array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(array.length * 2);
      next.set(array);
      return next;
    };
    this.#times = wider(this.#times);
    this.#values = this.#values.map((values) => wider(values as Float64Array<ArrayBuffer>));
  }

  #answer(time: number, query: number): void {
    const { targets } = this.#plan;
    for (const [index, window] of this.#windows.entries()) {
      window.moveTo(time, { times: this.#times, values: this.#values, count: this.#count });
      for (let at = 0; at < targets.length; at += 1) {
        const target = targets[at]![index]!;
        if (target !== null) target[query] = window.value(at, this.#values[at]!);
      }
    }
  }
}

const FIRST_CAPACITY = 1024;

interface KeyEvents {
  readonly times: Float64Array;
  readonly values: readonly Float64Array[];
  readonly count: number;
}

/** One window over the present key's events: those from `#tail` to before `#head`. */
class KeyWindow {
  readonly #micros: number;
  readonly #kinds: readonly (AggregateFunction | null)[];
  readonly #sums: readonly (ExactSum | null)[];
  readonly #known: Float64Array;
  readonly #extremes: readonly (ExtremeQueue | null)[];
  #tail = 0;
  #head = 0;

  constructor(micros: number, kinds: readonly (AggregateFunction | null)[]) {
    this.#micros = micros;
    this.#kinds = kinds;
    this.#sums = kinds.map((kind) => (kind === 'sum' || kind === 'avg' ? new ExactSum() : null));
    this.#known = new Float64Array(kinds.length);
    this.#extremes = kinds.map((kind) =>
      kind === 'min' || kind === 'max' ? new ExtremeQueue(kind === 'min' ? 1 : -1) : null,
    );
  }

  clear(): void {
    this.#tail = 0;
    this.#head = 0;
    this.#known.fill(0);
    for (const sum of this.#sums) sum?.clear();
    for (const queue of this.#extremes) queue?.clear();
  }

  moveTo(time: number, { times, values, count }: KeyEvents): void {
    const start = time - this.#micros;
    let head = this.#head;
    while (head < count && times[head]! < time) head += 1;
    let tail = this.#tail;
    while (tail < head && times[tail]! < start) tail += 1;
    for (let at = 0; at < this.#kinds.length; at += 1) {
      const sum = this.#sums[at]!;
      const queue = this.#extremes[at]!;
      if (sum !== null) this.#moveSum(at, sum, values[at]!, { head, tail });
      else if (queue !== null) queue.move(values[at]!, { from: this.#head, head, tail });
    }
    this.#head = head;
    this.#tail = tail;
  }

  #moveSum(
    at: number,
    sum: ExactSum,
    values: Float64Array,
    { head, tail }: { readonly head: number; readonly tail: number },
  ): void {
    let known = this.#known[at]!;
    // What enters and leaves between two queries is never added.
    for (let index = Math.max(this.#head, tail); index < head; index += 1) {
      const value = values[index]!;
      if (value !== value) continue;
      sum.add(value);
      known += 1;
    }
    for (let index = this.#tail; index < Math.min(tail, this.#head); index += 1) {
      const value = values[index]!;
      if (value !== value) continue;
      sum.subtract(value);
      known -= 1;
    }
    this.#known[at] = known;
  }

  value(at: number, values: Float64Array): number {
    const kind = this.#kinds[at]!;
    if (kind === 'count') return this.#head - this.#tail;
    const queue = this.#extremes[at]!;
    if (queue !== null) return queue.best(values);
    const known = this.#known[at]!;
    if (known === 0) return Number.NaN;
    const sum = this.#sums[at]!.value();
    const value = kind === 'avg' ? sum / known : sum;
    return Number.isFinite(value) ? value : Number.NaN;
  }
}

/** Indexes of values that can still become the extreme, the best first. */
class ExtremeQueue {
  readonly #sign: 1 | -1;
  #indexes = new Int32Array(FIRST_CAPACITY);
  #first = 0;
  #end = 0;

  /** 1 keeps the least, -1 the greatest. */
  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  clear(): void {
    this.#first = 0;
    this.#end = 0;
  }

  move(
    values: Float64Array,
    { from, head, tail }: { readonly from: number; readonly head: number; readonly tail: number },
  ): void {
    for (let index = Math.max(from, tail); index < head; index += 1) {
      const value = values[index]! * this.#sign;
      if (value !== value) continue;
      while (
        this.#end > this.#first &&
        values[this.#indexes[this.#end - 1]!]! * this.#sign >= value
      )
        this.#end -= 1;
      if (this.#end === this.#indexes.length) this.#makeRoom();
      this.#indexes[this.#end] = index;
      this.#end += 1;
    }
    while (this.#first < this.#end && this.#indexes[this.#first]! < tail) this.#first += 1;
  }

  best(values: Float64Array): number {
    return this.#first === this.#end ? Number.NaN : values[this.#indexes[this.#first]!]!;
  }

  #makeRoom(): void {
    const live = this.#indexes.subarray(this.#first, this.#end);
    const isMostlyDead = live.length * 2 <= this.#indexes.length;
    const next = new Int32Array(isMostlyDead ? this.#indexes.length : this.#indexes.length * 2);
    next.set(live);
    this.#indexes = next;
    this.#end = live.length;
    this.#first = 0;
  }
}
