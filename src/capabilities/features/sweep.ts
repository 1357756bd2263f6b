import type { AggregateFunction } from './compiled.ts';
import { ExactSum } from './exact-sum.ts';

/** Rows by key: those of key `k` from `starts[k]` to before `starts[k + 1]`, their times rising. */
interface KeyedTimes {
  readonly starts: Uint32Array;
  /** Microseconds. */
  readonly times: Float64Array;
}

export interface SweepEvents extends KeyedTimes {
  /** Of each aggregate, NaN for null; a count needs none. */
  readonly values: readonly (Float64Array | null)[];
}

export interface SweepQueries extends KeyedTimes {
  /** Where in the results each one's answer goes. */
  readonly rows: Uint32Array;
}

export interface SweepPlan {
  /** Microseconds each. */
  readonly windows: readonly number[];
  readonly aggregates: readonly AggregateFunction[];
  /** Where aggregate `a` over window `w` goes: `targets[a][w]`; null is not wanted. */
  readonly targets: readonly (readonly (Float64Array | null)[])[];
  readonly events: SweepEvents;
  readonly queries: SweepQueries;
}

/**
 * Windows `[T - W, T)` of every query, key by key: ends of windows only move on. Sums of whole
 * numbers are differences of running sums; others are added to and subtracted from exactly, so
 * that nothing stays behind; extremes are kept in monotonic queues. NaN stands for null in the
 * results.
 */
export class Sweep {
  readonly #plan: SweepPlan;
  /** Of the present key's queries: the events before T, and those before the window. */
  #heads = new Uint32Array(FIRST_CAPACITY);
  #tails = new Uint32Array(FIRST_CAPACITY);
  readonly #running: readonly RunningSums[];
  /** Of a sum or mean: all sums and means of the same values, itself among them. */
  readonly #alike: readonly (readonly number[])[];
  readonly #sum = new ExactSum();
  readonly #queue = new ExtremeQueue();

  constructor(plan: SweepPlan) {
    this.#plan = plan;
    this.#running = plan.aggregates.map(() => new RunningSums());
    this.#alike = alikeSums(plan);
  }

  get keyCount(): number {
    return this.#plan.queries.starts.length - 1;
  }

  /** Queries and events of a key: what answering it takes. */
  rowsOf(key: number): number {
    const { events, queries } = this.#plan;
    const count = ({ starts }: KeyedTimes): number => starts[key + 1]! - starts[key]!;
    return count(events) + count(queries);
  }

  /** Answers all queries of a key. */
  answer(key: number): void {
    const { windows, aggregates, targets, queries } = this.#plan;
    const count = queries.starts[key + 1]! - queries.starts[key]!;
    if (count === 0) return;
    this.#makeRoom(count);
    const rows = this.#rowsOf(key);
    const values = aggregates.map((_, at) => this.#valuesOf(at, key));
    const sums = aggregates.map((kind, at) =>
      kind === 'sum' || kind === 'avg' ? this.#running[at]!.of(values[at]!) : null,
    );
    this.#moveEnds(key, 0, this.#heads);
    for (const [index, window] of windows.entries()) {
      this.#moveEnds(key, window, this.#tails);
      for (const [at, kind] of aggregates.entries()) {
        const target = targets[at]![index]!;
        if (target === null) continue;
        const answers = { target, rows, isAverage: kind === 'avg' };
        if (kind === 'count') this.#count(answers);
        else if (kind === 'min' || kind === 'max') this.#extreme(answers, values[at]!, kind);
        else if (sums[at]) this.#wholeSum(answers, sums[at]);
        else this.#exactSums(at, index, { rows, values: values[at]! });
      }
    }
  }

  /** All sums and means of the same values at once, when the first that is wanted has its turn. */
  #exactSums(
    aggregate: number,
    window: number,
    of: { readonly rows: Uint32Array; readonly values: Float64Array },
  ): void {
    const { aggregates, targets } = this.#plan;
    const wanted = this.#alike[aggregate]!.flatMap((at) => {
      const target = targets[at]![window]!;
      return target === null ? [] : [{ at, target, isAverage: aggregates[at] === 'avg' }];
    });
    if (wanted[0]?.at === aggregate) this.#exactSum(wanted, of.rows, of.values);
  }

  #rowsOf(key: number): Uint32Array {
    const { starts, rows } = this.#plan.queries;
    return rows.subarray(starts[key], starts[key + 1]);
  }

  #valuesOf(aggregate: number, key: number): Float64Array {
    const { starts, values } = this.#plan.events;
    return values[aggregate]?.subarray(starts[key], starts[key + 1]) ?? NOTHING;
  }

  #makeRoom(queries: number): void {
    if (queries <= this.#heads.length) return;
    this.#heads = new Uint32Array(queries * 2);
    this.#tails = new Uint32Array(queries * 2);
  }

  /** How many of the key's events lie before each query's T less the window. */
  #moveEnds(key: number, window: number, ends: Uint32Array): void {
    const { events, queries } = this.#plan;
    const [first, last] = [events.starts[key]!, events.starts[key + 1]!];
    const start = queries.starts[key]!;
    const count = queries.starts[key + 1]! - start;
    let at = first;
    for (let index = 0; index < count; index += 1) {
      const time = queries.times[start + index]! - window;
      while (at < last && events.times[at]! < time) at += 1;
      ends[index] = at - first;
    }
  }

  #count({ target, rows }: Answers): void {
    const [heads, tails] = [this.#heads, this.#tails];
    for (let index = 0; index < rows.length; index += 1) {
      target[rows[index]!] = heads[index]! - tails[index]!;
    }
  }

  #wholeSum({ target, rows, isAverage }: Answers, { sums, known }: Running): void {
    const [heads, tails] = [this.#heads, this.#tails];
    for (let index = 0; index < rows.length; index += 1) {
      const [head, tail] = [heads[index]!, tails[index]!];
      const count = known[head]! - known[tail]!;
      const sum = sums[head]! - sums[tail]!;
      target[rows[index]!] = count === 0 ? Number.NaN : isAverage ? sum / count : sum;
    }
  }

  #exactSum(wanted: readonly Wanted[], rows: Uint32Array, values: Float64Array): void {
    const sum = this.#sum;
    sum.clear();
    let [head, tail, known] = [0, 0, 0];
    for (let index = 0; index < rows.length; index += 1) {
      const [nextHead, nextTail] = [this.#heads[index]!, this.#tails[index]!];
      // What enters and leaves between two queries is never added.
      for (let at = Math.max(head, nextTail); at < nextHead; at += 1) {
        const value = values[at]!;
        if (value !== value) continue;
        sum.add(value);
        known += 1;
      }
      for (let at = tail; at < Math.min(nextTail, head); at += 1) {
        const value = values[at]!;
        if (value !== value) continue;
        sum.subtract(value);
        known -= 1;
      }
      [head, tail] = [nextHead, nextTail];
      const total = known === 0 ? Number.NaN : sum.value();
      for (const { target, isAverage } of wanted) {
        const value = isAverage ? total / known : total;
        target[rows[index]!] = Number.isFinite(value) ? value : Number.NaN;
      }
    }
  }

  #extreme({ target, rows }: Answers, values: Float64Array, kind: 'min' | 'max'): void {
    const queue = this.#queue;
    queue.clear(values.length);
    const sign = kind === 'min' ? 1 : -1;
    let from = 0;
    for (let index = 0; index < rows.length; index += 1) {
      const [head, tail] = [this.#heads[index]!, this.#tails[index]!];
      queue.move(values, { from, head, tail, sign });
      target[rows[index]!] = queue.best(values);
      from = head;
    }
  }
}

interface Wanted {
  readonly target: Float64Array;
  /** Or a sum; where it matters. */
  readonly isAverage: boolean;
}

interface Answers extends Wanted {
  readonly rows: Uint32Array;
}

function alikeSums({ aggregates, events }: SweepPlan): readonly (readonly number[])[] {
  const isSum = (at: number): boolean => aggregates[at] === 'sum' || aggregates[at] === 'avg';
  return aggregates.map((_, at) =>
    events.values.flatMap((values, other) =>
      isSum(at) && isSum(other) && values === events.values[at] ? [other] : [],
    ),
  );
}

const FIRST_CAPACITY = 1024;
const NOTHING = new Float64Array(0);

/** Sums and counts of a key's first values: those of windows are differences. */
interface Running {
  readonly sums: Float64Array;
  readonly known: Uint32Array;
}

class RunningSums {
  #sums = new Float64Array(FIRST_CAPACITY);
  #known = new Uint32Array(FIRST_CAPACITY);

  /** Valid until asked again. Null when they might round: with fractions, or past 2^53. */
  of(values: Float64Array): Running | null {
    if (values.length >= this.#sums.length) {
      this.#sums = new Float64Array(values.length * 2);
      this.#known = new Uint32Array(values.length * 2);
    }
    const [sums, known] = [this.#sums, this.#known];
    let [sum, size, count] = [0, 0, 0];
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index]!;
      if (value === value) {
        if (Math.floor(value) !== value) return null;
        sum += value;
        size += Math.abs(value);
        count += 1;
      }
      sums[index + 1] = sum;
      known[index + 1] = count;
    }
    return size <= Number.MAX_SAFE_INTEGER ? { sums, known } : null;
  }
}

/** Indexes of values that can still become the extreme, the best first. */
class ExtremeQueue {
  #indexes = new Uint32Array(FIRST_CAPACITY);
  #first = 0;
  #end = 0;

  /** At most so many values will be moved in. */
  clear(values: number): void {
    this.#first = 0;
    this.#end = 0;
    if (values > this.#indexes.length) this.#indexes = new Uint32Array(values * 2);
  }

  /** With sign 1 the least is the best, with -1 the greatest. */
  move(
    values: Float64Array,
    window: {
      readonly from: number;
      readonly head: number;
      readonly tail: number;
      readonly sign: 1 | -1;
    },
  ): void {
    const { from, head, tail, sign } = window;
    const indexes = this.#indexes;
    for (let index = Math.max(from, tail); index < head; index += 1) {
      const value = values[index]! * sign;
      if (value !== value) continue;
      while (this.#end > this.#first && values[indexes[this.#end - 1]!]! * sign >= value) {
        this.#end -= 1;
      }
      indexes[this.#end] = index;
      this.#end += 1;
    }
    while (this.#first < this.#end && indexes[this.#first]! < tail) this.#first += 1;
  }

  best(values: Float64Array): number {
    return this.#first === this.#end ? Number.NaN : values[this.#indexes[this.#first]!]!;
  }
}
