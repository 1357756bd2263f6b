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

/** `inline`: events that the root holds itself, in parts that follow one another in time. */
export function encodeRoot(root: {
  readonly leaves: readonly LeafSummary[];
  readonly inline: readonly EventColumns[];
  readonly expressions: number;
  readonly next: number;
}): Uint8Array {
  const { leaves, inline, expressions, next } = root;
  const summaries = leaves.length * (LEAF_COLUMNS + expressions * SUMMARY_COLUMNS);
  const held = inline.reduce((sum, { times }) => sum + times.length, 0);
  const events = leaves.reduce((sum, leaf) => sum + leaf.events, held);
  const start = ROOT_HEADER + summaries + expressions;
  const encoded = new Float64Array(start + held * (1 + expressions));
  encoded.set([leaves.length, expressions, next, events, held]);
  putLeaves(encoded, leaves, expressions);
  let at = start;
  for (let column = -1; column < expressions; column += 1) {
    const from = at;
    for (const { times, values } of inline) {
      encoded.set(column < 0 ? times : values[column]!, at);
      at += times.length;
    }
    if (column < 0) continue;
    encoded[start - expressions + column] = isIntegral(encoded.subarray(from, at)) ? 1 : 0;
  }
  return bytesOf(encoded);
}

function putLeaves(
  encoded: Float64Array,
  leaves: readonly LeafSummary[],
  expressions: number,
): void {
  const count = leaves.length;
  const columns = LEAF_COLUMNS + expressions * SUMMARY_COLUMNS;
  for (const [index, { first, last, number, events, summary }] of leaves.entries()) {
    let at = ROOT_HEADER + index;
    for (const value of [first, last, number, events]) {
      encoded[at] = value;
      at += count;
    }
    for (let column = LEAF_COLUMNS; column < columns; column += 1) {
      encoded[at] = summary[column - LEAF_COLUMNS]!;
      at += count;
    }
  }
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
export function isIntegral(values: Float64Array): boolean {
  let magnitude = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (!Number.isInteger(value)) return false;
    magnitude += Math.abs(value);
  }
  return magnitude <= Number.MAX_SAFE_INTEGER;
}

export function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
