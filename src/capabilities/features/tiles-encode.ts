import {
  LEAF_COLUMNS,
  LEAF_HEADER,
  ROOT_HEADER,
  SUM_PARTS,
  SUMMARY_COLUMNS,
  type EventColumns,
} from './tiles-layout.ts';
import { exactParts } from './tiles-sum.ts';

/** What a root says of one leaf. */
export interface LeafSummary {
  readonly number: number;
  readonly first: number;
  readonly last: number;
  readonly events: number;
  /** For each expression its columns, in the order of `tiles-layout.ts`. */
  readonly summary: ArrayLike<number>;
}

export function encodeLeaf({ times, values }: EventColumns): Uint8Array {
  const leaf = new Float64Array(LEAF_HEADER + times.length * (1 + values.length));
  leaf.set([times.length, values.length]);
  leaf.set(times, LEAF_HEADER);
  values.forEach((column, index) => leaf.set(column, LEAF_HEADER + (1 + index) * times.length));
  return bytesOf(leaf);
}

/** A root that holds the events of these parts, which follow one another in time. */
export function encodeInlineRoot(
  parts: readonly EventColumns[],
  to: { readonly expressions: number; readonly next: number },
): Uint8Array {
  const { expressions, next } = to;
  const events = parts.reduce((sum, { times }) => sum + times.length, 0);
  const root = new Float64Array(ROOT_HEADER + expressions + events * (1 + expressions));
  root.set([0, expressions, next, events]);
  let at = ROOT_HEADER + expressions;
  for (let column = -1; column < expressions; column += 1) {
    const start = at;
    for (const { times, values } of parts) {
      root.set(column < 0 ? times : values[column]!, at);
      at += times.length;
    }
    if (column < 0) continue;
    root[ROOT_HEADER + column] = isIntegral(root.subarray(start, at)) ? 1 : 0;
  }
  return bytesOf(root);
}

export function encodeLeavesRoot(
  leaves: readonly LeafSummary[],
  to: { readonly expressions: number; readonly next: number },
): Uint8Array {
  const { expressions, next } = to;
  const count = leaves.length;
  const columns = LEAF_COLUMNS + expressions * SUMMARY_COLUMNS;
  const root = new Float64Array(ROOT_HEADER + count * columns);
  root.set([count, expressions, next, leaves.reduce((sum, leaf) => sum + leaf.events, 0)]);
  leaves.forEach((leaf, index) => {
    const put = (column: number, value: number): void => {
      root[ROOT_HEADER + column * count + index] = value;
    };
    put(0, leaf.first);
    put(1, leaf.last);
    put(2, leaf.number);
    put(3, leaf.events);
    for (let column = LEAF_COLUMNS; column < columns; column += 1) {
      put(column, leaf.summary[column - LEAF_COLUMNS]!);
    }
  });
  return bytesOf(root);
}

/** Non-null values, min, max, whether they are integral, and the parts of their sum. */
export function summarise(values: Float64Array): number[] {
  let [nonNull, min, max] = [0, Infinity, -Infinity];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    nonNull += 1;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const parts = exactParts(values);
  const fits = parts !== null && parts.length <= SUM_PARTS;
  const stored = Array.from({ length: SUM_PARTS }, (_, part) => (fits ? (parts[part] ?? 0) : NaN));
  return [nonNull, min, max, isIntegral(values) ? 1 : 0, ...stored];
}

/** Whether these values, added in any order, never leave the integers a double holds exactly. */
function isIntegral(values: Float64Array): boolean {
  let magnitude = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return false;
    magnitude += Math.abs(value);
  }
  return magnitude <= Number.MAX_SAFE_INTEGER;
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
