/** Rows of each key, in the order they were given. */
export interface KeyedRows {
  /** The rows of key `k` are those from `starts[k]` to before `starts[k + 1]`. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

/** Groups rows (all, or these in this order) by the number of their key; -1 is no key. */
export function groupByKey(keys: Int32Array, keyCount: number, order?: Uint32Array): KeyedRows {
  const starts = new Uint32Array(keyCount + 1);
  for (const key of keys) if (key >= 0) starts[key + 1]! += 1;
  for (let key = 0; key < keyCount; key += 1) starts[key + 1]! += starts[key]!;
  const next = starts.slice();
  const rows = new Uint32Array(starts[keyCount]!);
  for (let index = 0; index < keys.length; index += 1) {
    const row = order === undefined ? index : order[index]!;
    const key = keys[row]!;
    if (key < 0) continue;
    rows[next[key]!] = row;
    next[key]! += 1;
  }
  return { starts, rows };
}

/** The values of these rows. */
export function gather(values: Float64Array, rows: Uint32Array): Float64Array {
  const gathered = new Float64Array(rows.length);
  for (let index = 0; index < rows.length; index += 1) gathered[index] = values[rows[index]!]!;
  return gathered;
}
