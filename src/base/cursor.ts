import { AppError } from './errors.ts';

export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

interface CursorTypes {
  readonly number: number;
  readonly string: string;
}

/** Cursors are the last item's sort key in base64url JSON; opaque to clients, checked on return. */
export function encodeCursor(key: string | number): string {
  return btoa(encodeURIComponent(JSON.stringify(key)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** The key inside a cursor; null for none. Rejects with `INVALID_INPUT` what no list handed out. */
export function decodeCursor<Type extends keyof CursorTypes>(
  cursor: string | undefined,
  type: Type,
): CursorTypes[Type] | null {
  if (cursor === undefined) return null;
  try {
    const text = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'));
    const key: unknown = JSON.parse(decodeURIComponent(text));
    if (typeof key === type) return key as CursorTypes[Type];
  } catch {
    // Falls through: anything that does not decode is not ours.
  }
  throw new AppError('INVALID_INPUT', 'query.cursor: not a cursor of this list', {
    hint: 'Pass the nextCursor of the former page unchanged, or leave it out.',
  });
}

/** A page out of up to `limit + 1` items: the surplus one only tells that there is more. */
export function nextPage<Item>(
  found: readonly Item[],
  limit: number,
  keyOf: (last: Item) => string | number,
): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { items, nextCursor: hasMore ? encodeCursor(keyOf(last)) : null };
}
