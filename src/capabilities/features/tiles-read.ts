import type { KvReader } from '../../platform/kv/port.ts';
import { ExactSum } from './exact-sum.ts';
import { leavesPrefix, rootsPrefix } from './tiles-keys.ts';
import {
  assertLeaf,
  assertRoot,
  doubles,
  inlineStart,
  LEAF_COLUMNS,
  LEAF_HEADER,
  lowerBound,
  ROOT_HEADER,
  SUMMARY_COLUMNS,
  SUM_PARTS,
} from './tiles-layout.ts';

/** What a reader has to know of a view. */
export interface TiledView {
  /** Its number in the online store. */
  readonly id: number;
  readonly expressions: number;
  /** Microseconds, shortest first. */
  readonly windows: readonly number[];
  /** The expressions whose least or greatest value is asked for; all of them when not told. */
  readonly bounded?: readonly boolean[];
}

/** Where a total lies within those of a window: the events, then four numbers an expression. */
export const EVENTS = 0;
export const NON_NULL = 0;
export const SUM = 1;
export const MIN = 2;
export const MAX = 3;

export function windowStride(expressions: number): number {
  return 1 + 4 * expressions;
}

export function totalAt(expression: number, what: number): number {
  return 1 + 4 * expression + what;
}

/**
 * Totals of one view's windows `[T - W, T)`: goes back from T once, through all windows, because
 * each holds the shorter ones. Every event counts by its own time, so that the edges are exact.
 */
export class TileReader {
  readonly #kv: Pick<KvReader, 'peek'>;
  readonly #view: TiledView;
  readonly #roots: string;
  readonly #leaves: string;
  readonly #totals: Float64Array;
  readonly #nonNull: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #sums: readonly ExactSum[];
  readonly #bounded: readonly boolean[];
  #events = 0;
  #key = '';
  #leafNumber = -1;
  /** Valid until the next one is loaded. */
  #leaf: Float64Array = new Float64Array();
  #space: Float64Array = new Float64Array(0);

  constructor(kv: Pick<KvReader, 'peek'>, view: TiledView) {
    const { id, expressions, windows, bounded } = view;
    this.#kv = kv;
    this.#view = view;
    this.#roots = rootsPrefix(id);
    this.#leaves = leavesPrefix(id);
    this.#totals = new Float64Array(windows.length * windowStride(expressions));
    this.#nonNull = new Float64Array(expressions);
    this.#min = new Float64Array(expressions);
    this.#max = new Float64Array(expressions);
    this.#sums = Array.from({ length: expressions }, () => new ExactSum());
    this.#bounded = bounded ?? Array.from({ length: expressions }, () => true);
  }

  /**
   * Totals of the windows of a key (`keyText`; null is a key no event has), window after window in
   * `windowStride` numbers, valid until the next call. Over no value sum, min and max are NaN; of
   * expressions that are not `bounded` min and max mean nothing.
   */
  read(key: string | null, time: number): Float64Array {
    this.#clear();
    const bytes = key === null ? null : this.#kv.peek(this.#roots + key);
    if (key === null || bytes === null) {
      for (let window = 0; window < this.#view.windows.length; window += 1) this.#emit(window);
      return this.#totals;
    }
    const root = doubles(bytes);
    assertRoot(root, this.#view.expressions);
    this.#key = key;
    this.#leafNumber = -1;
    this.#readWindows(root[0] === 0 ? root : this.#kept(root), time);
    return this.#totals;
  }

  /** When the newest event of the key before T was, or null. */
  newestBefore(key: string | null, time: number): number | null {
    const bytes = key === null ? null : this.#kv.peek(this.#roots + key);
    if (key === null || bytes === null) return null;
    const root = doubles(bytes);
    const { expressions } = this.#view;
    assertRoot(root, expressions);
    this.#key = key;
    this.#leafNumber = -1;
    const leaves = root[0]!;
    const start = inlineStart(root, expressions);
    const end = lowerBound(root, time, start, start + root[4]!);
    if (end > start) return root[end - 1]!;
    const index = lowerBound(root, time, ROOT_HEADER, ROOT_HEADER + leaves) - ROOT_HEADER - 1;
    if (index < 0) return null;
    const leaf = this.#load(root[ROOT_HEADER + 2 * leaves + index]!);
    return leaf[lowerBound(leaf, time, LEAF_HEADER, LEAF_HEADER + leaf[0]!) - 1]!;
  }

  /** Out of the way of what is read next. */
  #kept(root: Float64Array): Float64Array {
    if (this.#space.length < root.length) this.#space = new Float64Array(root.length * 2);
    this.#space.set(root);
    return this.#space;
  }

  /** The events that the root holds are the newest; the leaves come before them. */
  #readWindows(root: Float64Array, time: number): void {
    const { windows, expressions } = this.#view;
    const inline = inlineStart(root, expressions);
    let inlineEnd = lowerBound(root, time, inline, inline + root[4]!);
    const leaves = root[0]!;
    const lasts = ROOT_HEADER + leaves;
    let index = lowerBound(root, time, ROOT_HEADER, lasts) - ROOT_HEADER - 1;
    let end = time;
    for (let window = 0; window < windows.length; window += 1) {
      const start = time - windows[window]!;
      const from = lowerBound(root, start, inline, inlineEnd);
      if (from < inlineEnd) this.#addInline(root, inline, from, inlineEnd);
      inlineEnd = from;
      while (index >= 0 && root[lasts + index]! >= start) {
        const isWhole = root[ROOT_HEADER + index]! >= start && root[lasts + index]! < end;
        if (isWhole) this.#addLeaf(root, index);
        else this.#addPart(root, index, start, end);
        // The rest of this leaf is for the next window.
        if (root[ROOT_HEADER + index]! < start) break;
        index -= 1;
      }
      this.#emit(window);
      end = start;
    }
  }

  #addInline(root: Float64Array, inline: number, from: number, to: number): void {
    const { expressions } = this.#view;
    const events = root[4]!;
    this.#events += to - from;
    for (let expression = 0; expression < expressions; expression += 1) {
      const shift = (1 + expression) * events;
      const isIntegral = root[inline - expressions + expression] === 1;
      this.#addValues(expression, isIntegral, root, from + shift, to + shift);
    }
  }

  /** A leaf that lies within the window as a whole counts by its summary. */
  #addLeaf(root: Float64Array, index: number): void {
    const leaves = root[0]!;
    this.#events += root[ROOT_HEADER + 3 * leaves + index]!;
    for (let expression = 0; expression < this.#view.expressions; expression += 1) {
      const base = ROOT_HEADER + leaves * (LEAF_COLUMNS + expression * SUMMARY_COLUMNS) + index;
      this.#nonNull[expression]! += root[base]!;
      if (root[base + leaves]! < this.#min[expression]!) {
        this.#min[expression] = root[base + leaves]!;
      }
      if (root[base + 2 * leaves]! > this.#max[expression]!) {
        this.#max[expression] = root[base + 2 * leaves]!;
      }
      const sum = this.#sums[expression]!;
      const parts = base + 4 * leaves;
      if (Number.isNaN(root[parts]!)) this.#addAll(root, index, expression);
      else {
        for (let part = 0; part < SUM_PARTS; part += 1) sum.add(root[parts + part * leaves]!);
      }
    }
  }

  /** The exact sum of a leaf's values that needs more parts than a summary holds. */
  #addAll(root: Float64Array, index: number, expression: number): void {
    const leaf = this.#load(root[ROOT_HEADER + 2 * root[0]! + index]!);
    const events = leaf[0]!;
    const start = LEAF_HEADER + (1 + expression) * events;
    const sum = this.#sums[expression]!;
    for (let at = start; at < start + events; at += 1) {
      if (!Number.isNaN(leaf[at]!)) sum.add(leaf[at]!);
    }
  }

  #addPart(root: Float64Array, index: number, start: number, end: number): void {
    const leaves = root[0]!;
    const { expressions } = this.#view;
    const leaf = this.#load(root[ROOT_HEADER + 2 * leaves + index]!);
    const events = leaf[0]!;
    const from = lowerBound(leaf, start, LEAF_HEADER, LEAF_HEADER + events);
    const to = lowerBound(leaf, end, from, LEAF_HEADER + events);
    this.#events += to - from;
    for (let expression = 0; expression < expressions; expression += 1) {
      const base = ROOT_HEADER + leaves * (LEAF_COLUMNS + expression * SUMMARY_COLUMNS) + index;
      const shift = (1 + expression) * events;
      const isIntegral = root[base + 3 * leaves] === 1;
      const [first, last] = [from + shift, to + shift];
      const isSummed = isIntegral && !this.#bounded[expression]! && 2 * (to - from) > events;
      if (!isSummed) this.#addValues(expression, isIntegral, leaf, first, last);
      else {
        // The summary less the rest of the leaf, which is shorter than the part.
        this.#nonNull[expression]! += root[base]!;
        this.#sums[expression]!.add(root[base + 4 * leaves]!);
        this.#addIntegers(expression, -1, leaf, LEAF_HEADER + shift, first);
        this.#addIntegers(expression, -1, leaf, last, LEAF_HEADER + shift + events);
      }
    }
  }

  /**
   * Where all values are integers and their magnitudes stay exact even together, plain addition is
   * exact too, in any order. Called for each edge: hence no object for the range.
   */
  #addValues(
    expression: number,
    isIntegral: boolean,
    values: Float64Array,
    from: number,
    to: number,
  ): void {
    if (isIntegral && !this.#bounded[expression]!) {
      this.#addIntegers(expression, 1, values, from, to);
      return;
    }
    const total = this.#sums[expression]!;
    let nonNull = 0;
    let sum = 0;
    let min = this.#min[expression]!;
    let max = this.#max[expression]!;
    for (let at = from; at < to; at += 1) {
      const value = values[at]!;
      // Only NaN differs from itself.
      if (value !== value) continue;
      nonNull += 1;
      if (value < min) min = value;
      if (value > max) max = value;
      if (isIntegral) sum += value;
      else total.add(value);
    }
    if (isIntegral) total.add(sum);
    this.#nonNull[expression]! += nonNull;
    this.#min[expression] = min;
    this.#max[expression] = max;
  }

  /** Adds or takes away; for what neither the least nor the greatest value is asked of. */
  #addIntegers(
    expression: number,
    sign: 1 | -1,
    values: Float64Array,
    from: number,
    to: number,
  ): void {
    let nonNull = 0;
    let sum = 0;
    for (let at = from; at < to; at += 1) {
      const value = values[at]!;
      if (value !== value) continue;
      nonNull += 1;
      sum += value;
    }
    this.#sums[expression]!.add(sign * sum);
    this.#nonNull[expression]! += sign * nonNull;
  }

  #load(number: number): Float64Array {
    if (number === this.#leafNumber) return this.#leaf;
    const bytes = this.#kv.peek(`${this.#leaves}${number}/${this.#key}`);
    const leaf = doubles(bytes ?? new Uint8Array());
    assertLeaf(leaf, this.#view.expressions);
    this.#leafNumber = number;
    this.#leaf = leaf;
    return leaf;
  }

  #clear(): void {
    this.#events = 0;
    this.#nonNull.fill(0);
    this.#min.fill(Infinity);
    this.#max.fill(-Infinity);
    for (const sum of this.#sums) sum.clear();
  }

  #emit(window: number): void {
    const { expressions } = this.#view;
    const totals = this.#totals;
    const start = window * windowStride(expressions);
    totals[start + EVENTS] = this.#events;
    for (let expression = 0; expression < expressions; expression += 1) {
      const nonNull = this.#nonNull[expression]!;
      const at = start + totalAt(expression, 0);
      totals[at + NON_NULL] = nonNull;
      totals[at + SUM] = nonNull === 0 ? NaN : this.#sums[expression]!.value();
      totals[at + MIN] = nonNull === 0 ? NaN : this.#min[expression]!;
      totals[at + MAX] = nonNull === 0 ? NaN : this.#max[expression]!;
    }
  }
}
