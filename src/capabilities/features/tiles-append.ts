import { bytesOf, isIntegral } from './tiles-encode.ts';
import { INLINE_EVENTS_MAX, inlineStart, ROOT_HEADER, TAIL_EVENTS_MAX } from './tiles-layout.ts';
import type { TileRows } from './tiles-write.ts';

/**
 * The root with these rows behind its newest event, which is how nearly all events come: everything
 * else in it stays as it is. Null when that is not all there is to do: a row is older, or the root
 * has no room for them. Sorts `added` by time.
 */
export function appendedRoot(
  root: Float64Array,
  expressions: number,
  { rows, added }: { readonly rows: TileRows; readonly added: number[] },
): Uint8Array | null {
  const [leaves, events, held] = [root[0]!, root[3]!, root[4]!];
  const count = added.length;
  const isAllInline = leaves === 0;
  if (held + count > (isAllInline ? INLINE_EVENTS_MAX : TAIL_EVENTS_MAX)) return null;
  // So few that leaves are no use any more.
  if (!isAllInline && events + count <= INLINE_EVENTS_MAX) return null;
  const start = inlineStart(root, expressions);
  added.sort((a, b) => rows.times[a]! - rows.times[b]!);
  const first = rows.times[added[0]!]!;
  const isBehind = held > 0 ? first >= root[start + held - 1]! : first > lastOfLeaves(root);
  if (!isBehind) return null;
  const length = held + count;
  const grown = new Float64Array(start + length * (1 + expressions));
  grown.set(root.subarray(0, start));
  grown[3] = events + count;
  grown[4] = length;
  for (let column = 0; column <= expressions; column += 1) {
    const from = start + column * length;
    grown.set(root.subarray(start + column * held, start + (column + 1) * held), from);
    const values = column === 0 ? rows.times : rows.values[column - 1]!;
    for (let index = 0; index < count; index += 1) {
      grown[from + held + index] = values[added[index]!]!;
    }
    if (column === 0) continue;
    const flag = start - expressions + column - 1;
    grown[flag] = isIntegral(grown.subarray(from, from + length)) ? 1 : 0;
  }
  return bytesOf(grown);
}

/** The second column about leaves has the time of each one's last event. */
function lastOfLeaves(root: Float64Array): number {
  const leaves = root[0]!;
  return leaves === 0 ? -Infinity : root[ROOT_HEADER + 2 * leaves - 1]!;
}
