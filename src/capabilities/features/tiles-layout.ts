import { AppError } from '../../base/errors.ts';

/**
 * How the events of one key of a view lie in the online store, as little-endian doubles.
 *
 * A root holds the events themselves while they are few, else one summary a leaf, in order of time:
 *
 *     leaves, expressions, next leaf's number, events | flags | times | values of each expression
 *     leaves, expressions, next leaf's number, events | first, last, number, events of each leaf |
 *         for each expression: non-null, min, max, integral, sum (three parts), of each leaf
 *
 * A leaf: events, expressions | times | values of each expression. NaN stands for null.
 */

/** Events that a root holds itself: most keys have fewer, and are read with a single look-up. */
export const INLINE_EVENTS_MAX = 128;
/**
 * Events of a leaf: an edge of a window reads one leaf and looks at part of it, and one more event
 * rewrites one.
 */
export const LEAF_EVENTS_MAX = 512;

export const ROOT_HEADER = 4;
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
  const [leaves, stored, , events] = [root[0]!, root[1]!, root[2]!, root[3]!];
  const length =
    leaves === 0
      ? ROOT_HEADER + expressions + events * (1 + expressions)
      : ROOT_HEADER + leaves * (LEAF_COLUMNS + expressions * SUMMARY_COLUMNS);
  if (stored !== expressions || root.length !== length) throw damaged();
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
