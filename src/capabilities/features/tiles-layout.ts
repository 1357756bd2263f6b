import { AppError } from '../../base/errors.ts';

/**
 * How the events of one key of a view lie in the online store, as little-endian doubles.
 *
 * A root holds a summary of each leaf, in order of time, and then the newest events themselves: all
 * of them while they are few, later those that came after the last leaf was written.
 *
 *     leaves, expressions, next leaf's number, events, events held itself |
 *         first, last, number, events of each leaf |
 *         for each expression: non-null, min, max, integral, sum (three parts), of each leaf |
 *         for each expression: integral | times | values of each expression
 *
 * A leaf: events, expressions | times | values of each expression. NaN stands for null.
 */

/** Events of a root without leaves: most keys have fewer, and are read with a single look-up. */
export const INLINE_EVENTS_MAX = 128;
/**
 * Events that a root holds itself beside leaves: a new one rewrites the root, and only every so
 * many of them a leaf.
 */
export const TAIL_EVENTS_MAX = 64;
/**
 * Events of a leaf: an edge of a window reads one leaf and looks at part of it.
 */
export const LEAF_EVENTS_MAX = 512;

export const ROOT_HEADER = 5;
export const LEAF_HEADER = 2;
/** Columns about each leaf that do not depend on an expression. */
export const LEAF_COLUMNS = 4;
/** Columns about each leaf for one expression. */
export const SUMMARY_COLUMNS = 7;
/** Parts of an exact sum that a summary has room for; of one with more the leaf itself is read. */
export const SUM_PARTS = 3;

/** One key's events as columns, in the order of their times. */
export interface EventColumns {
  readonly times: Float64Array;
  /** By expression; NaN is null. */
  readonly values: readonly Float64Array[];
}

/** The doubles of a stored value. `FEATURES_DAMAGED` when there cannot be any. */
export function doubles(bytes: Uint8Array): Float64Array {
  if (bytes.length % 8 !== 0 || bytes.length < 8 * LEAF_HEADER) throw damaged();
  const { buffer, byteOffset, length } = byteOffsetIsAligned(bytes) ? bytes : bytes.slice();
  return new Float64Array(buffer, byteOffset, length / 8);
}

function byteOffsetIsAligned(bytes: Uint8Array): boolean {
  return bytes.byteOffset % 8 === 0;
}

/** Throws `FEATURES_DAMAGED` unless the doubles are a root with so many expressions. */
export function assertRoot(root: Float64Array, expressions: number): void {
  const length = inlineStart(root, expressions) + root[4]! * (1 + expressions);
  if (root[1] !== expressions || root.length !== length) throw damaged();
}

/** Where the events lie that a root holds itself; their flags come before them. */
export function inlineStart(root: Float64Array, expressions: number): number {
  return ROOT_HEADER + root[0]! * (LEAF_COLUMNS + expressions * SUMMARY_COLUMNS) + expressions;
}

/** Throws `FEATURES_DAMAGED` unless the doubles are a leaf with so many expressions. */
export function assertLeaf(leaf: Float64Array, expressions: number): void {
  const length = LEAF_HEADER + leaf[0]! * (1 + expressions);
  if (leaf[1] !== expressions || leaf.length !== length) throw damaged();
}

/** The events of an inline root, or of a leaf, that begin at `start`. */
export function eventsAt(
  stored: Float64Array,
  at: { readonly start: number; readonly events: number; readonly expressions: number },
): EventColumns {
  const { start, events, expressions } = at;
  const column = (index: number): Float64Array =>
    stored.subarray(start + index * events, start + (index + 1) * events);
  const values = Array.from({ length: expressions }, (_, index) => column(index + 1));
  return { times: column(0), values };
}

export function damaged(cause?: unknown): AppError {
  return new AppError('FEATURES_DAMAGED', 'The online features are damaged.', {
    hint: 'Build them again from the tables: millwright features rebuild',
    cause,
  });
}

/**
 * The first index in `[from, to)` whose element is not below the bound, else `to`. Called several
 * times a request: hence no object for the range.
 */
export function lowerBound(sorted: Float64Array, bound: number, from: number, to: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
