import type { Position } from '../../platform/journal/read-records.ts';

export interface UnflushedEntry {
  readonly requestId: string;
  readonly endpoint: string;
  readonly position: Position;
}

/**
 * Entries kept at most. Past it the oldest segment's are forgotten: its records are safe, but
 * cannot be traced until the engine has put them into their table.
 */
const ENTRIES_MAX = 1_000_000;

/** Finds records that are in the journal and not yet in their table, by segment. */
export class Unflushed {
  readonly #segments = new Map<string, SegmentIndex>();
  #last: SegmentIndex | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(entry: UnflushedEntry, key: string | null): void {
    const { segment } = entry.position;
    if (this.#last?.segment !== segment) {
      this.#last = new SegmentIndex(segment);
      this.#segments.set(segment, this.#last);
    }
    this.#last.add(entry, key);
    this.#size += 1;
    if (this.#size > ENTRIES_MAX) this.#forgetOldest();
  }

  /** Forgets the entries of segments whose records are in their tables. */
  release(segments: readonly string[]): void {
    for (const segment of segments) this.#forget(segment);
  }

  byRequestId(requestId: string): UnflushedEntry | null {
    return this.#search((index) => index.byRequestId.get(requestId));
  }

  byKey(endpoint: string, key: string): UnflushedEntry | null {
    return this.#search((index) => index.byKey.get(`${endpoint} ${key}`));
  }

  /** Entries of one endpoint with a sequence number below `before`, newest first. */
  newest(
    endpoint: string,
    page: { readonly before: number; readonly limit: number },
  ): readonly UnflushedEntry[] {
    const found: UnflushedEntry[] = [];
    for (const index of [...this.#segments.values()].toReversed()) {
      const entries = index.byEndpoint.get(endpoint) ?? [];
      for (let at = entries.length - 1; at >= 0; at -= 1) {
        if (found.length === page.limit) return found;
        if (entries[at]!.position.seq < page.before) found.push(entries[at]!);
      }
    }
    return found;
  }

  #search(find: (index: SegmentIndex) => UnflushedEntry | undefined): UnflushedEntry | null {
    for (const index of [...this.#segments.values()].toReversed()) {
      const found = find(index);
      if (found !== undefined) return found;
    }
    return null;
  }

  #forgetOldest(): void {
    const [oldest] = this.#segments.keys();
    if (oldest !== undefined && oldest !== this.#last?.segment) this.#forget(oldest);
  }

  #forget(segment: string): void {
    const index = this.#segments.get(segment);
    if (index === undefined) return;
    this.#segments.delete(segment);
    this.#size -= index.size;
    if (this.#last === index) this.#last = null;
  }
}

class SegmentIndex {
  readonly segment: string;
  readonly byRequestId = new Map<string, UnflushedEntry>();
  readonly byKey = new Map<string, UnflushedEntry>();
  readonly byEndpoint = new Map<string, UnflushedEntry[]>();
  size = 0;

  constructor(segment: string) {
    this.segment = segment;
  }

  add(entry: UnflushedEntry, key: string | null): void {
    this.byRequestId.set(entry.requestId, entry);
    if (key !== null) this.byKey.set(`${entry.endpoint} ${key}`, entry);
    const entries = this.byEndpoint.get(entry.endpoint);
    if (entries === undefined) this.byEndpoint.set(entry.endpoint, [entry]);
    else entries.push(entry);
    this.size += 1;
  }
}
