/**
 * The online store: a rebuildable cache of bytes by key, written by the engine alone and read in
 * process by the gateway. Keys are text of at most 511 bytes of UTF-8, ordered by their bytes.
 */
export interface KvReader {
  /** A copy of the value, or null. Synchronous: a memory-mapped read of about a microsecond. */
  get(key: string): Uint8Array | null;
  /**
   * As `get` but without a copy of its own, which costs more than the reading of long values: valid
   * until anything else is read from any store, and never across an `await`.
   */
  peek(key: string): Uint8Array | null;
  /** Entries with `from <= key < to`, in order, at most `limit`. */
  range(bounds: { readonly from: string; readonly to: string; readonly limit: number }): {
    readonly key: string;
    readonly value: Uint8Array;
  }[];
  /**
   * As `range` for many entries of which few are of interest: a key is made only when `visit` asks
   * for it. Both are valid during that call alone. Answers the last key visited.
   */
  scan(
    bounds: { readonly from: string; readonly to: string; readonly limit: number },
    visit: (value: Uint8Array, key: () => string) => void,
  ): { readonly visited: number; readonly last: string | null };
  close(): Promise<void>;
}

export type KvChange =
  | { readonly key: string; readonly value: Uint8Array }
  | { readonly key: string; readonly value: null };

export interface KvWriter extends KvReader {
  /**
   * Applies all changes atomically; a null value removes the key. Visible to readers on return. The
   * values are not to be changed afterwards: `peek` may give them back as they are.
   */
  apply(changes: readonly KvChange[]): Promise<void>;
}
