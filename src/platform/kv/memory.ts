import { keyBytes } from './kv-key.ts';
import type { KvChange, KvWriter } from './port.ts';

interface Entry {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
}

/** An online store that ends with the process. */
export class MemoryKv implements KvWriter {
  readonly #entries = new Map<string, Entry>();
  #peeked: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #sorted: readonly Entry[] | null = null;

  get(key: string): Uint8Array | null {
    keyBytes(key);
    return this.#entries.get(key)?.value.slice() ?? null;
  }

  /** As on disk, what is held for longer than allowed changes. */
  peek(key: string): Uint8Array | null {
    keyBytes(key);
    const value = this.#entries.get(key)?.value;
    if (value === undefined) return null;
    if (this.#peeked.length < value.length) this.#peeked = new Uint8Array(2 * value.length);
    this.#peeked.set(value);
    return this.#peeked.subarray(0, value.length);
  }

  range(bounds: { readonly from: string; readonly to: string; readonly limit: number }): {
    readonly key: string;
    readonly value: Uint8Array;
  }[] {
    const [from, to] = [keyBytes(bounds.from), keyBytes(bounds.to)];
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    return this.#sorted
      .filter(({ bytes }) => Buffer.compare(bytes, from) >= 0 && Buffer.compare(bytes, to) < 0)
      .slice(0, bounds.limit)
      .map(({ key, value }) => ({ key, value: value.slice() }));
  }

  scan(
    bounds: { readonly from: string; readonly to: string; readonly limit: number },
    visit: (value: Uint8Array, key: () => string) => void,
  ): { readonly visited: number; readonly last: string | null } {
    const found = this.range(bounds);
    for (const { key, value } of found) visit(value, () => key);
    return { visited: found.length, last: found.at(-1)?.key ?? null };
  }

  async apply(changes: readonly KvChange[]): Promise<void> {
    const keys = changes.map((change) => keyBytes(change.key));
    for (const [index, { key, value }] of changes.entries()) {
      if (value === null) this.#entries.delete(key);
      else this.#entries.set(key, { key, bytes: keys[index]!, value: value.slice() });
    }
    this.#sorted = null;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
