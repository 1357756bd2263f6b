import { joinedDoubles } from '../../base/joined-doubles.ts';
import type { KvChange, KvReader } from '../../platform/kv/port.ts';
import { appendedRoot } from './tiles-append.ts';
import { encodeLeaf, encodeRoot, summarise } from './tiles-encode.ts';
import { leavesPrefix, rootsPrefix } from './tiles-keys.ts';
import {
  assertLeaf,
  assertRoot,
  damaged,
  doubles,
  eventsAt,
  INLINE_EVENTS_MAX,
  inlineStart,
  LEAF_COLUMNS,
  LEAF_EVENTS_MAX,
  LEAF_HEADER,
  lowerBound,
  ROOT_HEADER,
  SUMMARY_COLUMNS,
  TAIL_EVENTS_MAX,
  type EventColumns,
} from './tiles-layout.ts';

/** Rows that come or go, as columns; those of one key are named by their indices. */
export interface TileRows {
  readonly times: ArrayLike<number>;
  /** By expression of the view; NaN is null. */
  readonly values: readonly ArrayLike<number>[];
}

export interface KeyChange {
  /** `keyText`. */
  readonly key: string;
  readonly added: number[];
  readonly removed: number[];
}

/**
 * One leaf of a key while it is changed: what is stored, and what of it was read. The events that
 * the root holds itself are the last one, without a number.
 */
interface Leaf {
  readonly number: number;
  readonly first: number;
  readonly last: number;
  events: number;
  /** Summaries as stored: for each expression its columns. Absent once the events changed. */
  summary: Float64Array | null;
  columns: EventColumns | null;
}

/** Changes the tiles of one view: reads what a change touches and writes it anew. */
export class TileWriter {
  readonly #kv: Pick<KvReader, 'get' | 'peek'>;
  readonly #expressions: number;
  readonly #roots: string;
  readonly #leaves: string;

  constructor(
    kv: Pick<KvReader, 'get' | 'peek'>,
    view: { readonly id: number; readonly expressions: number },
  ) {
    this.#kv = kv;
    this.#expressions = view.expressions;
    this.#roots = rootsPrefix(view.id);
    this.#leaves = leavesPrefix(view.id);
  }

  /**
   * The changes of the store that apply these rows to a key. `FEATURES_DAMAGED` when a row to be
   * removed is not there, unless it is older than `forgottenBefore`.
   */
  change(rows: TileRows, change: KeyChange, forgottenBefore: number): KvChange[] {
    if (change.removed.length === 0) {
      const peeked = this.#root(change.key, 'peek');
      const value =
        peeked && appendedRoot(peeked, this.#expressions, { rows, added: change.added });
      if (value !== null) return [{ key: this.#roots + change.key, value }];
    }
    const { leaves, next } = this.#stored(this.#root(change.key));
    const before = leaves.map(({ number }) => number);
    const numbers = { next };
    const edited = this.#edit(leaves, { rows, change, forgottenBefore, numbers });
    return this.#changes(change.key, { before, edited, next: numbers.next });
  }

  /** The changes that forget events before the time; null when there are none. */
  forget(key: string, before: number): KvChange[] | null {
    const { leaves, next } = this.#stored(this.#root(key));
    const numbers = leaves.map(({ number }) => number);
    const kept = leaves.filter(({ last }) => last >= before);
    const [oldest] = kept;
    // Leaves go as a whole; what lies before the time in the oldest one kept is never read.
    const isCut = oldest?.number === INLINE && oldest.first < before;
    if (kept.length === leaves.length && !isCut) return null;
    if (isCut) cutBefore(oldest, before);
    return this.#changes(key, { before: numbers, edited: kept, next });
  }

  /** All events of a key in order of time: what a check of the tiles compares. */
  events(key: string): EventColumns {
    const columns = this.#stored(this.#root(key)).leaves.map((leaf) => this.#columns(key, leaf));
    return columns.length === 0
      ? { times: new Float64Array(), values: this.#none() }
      : joined(columns);
  }

  #root(key: string, read: 'get' | 'peek' = 'get'): Float64Array | null {
    const bytes = this.#kv[read](this.#roots + key);
    if (bytes === null) return null;
    const root = doubles(bytes);
    assertRoot(root, this.#expressions);
    return root;
  }

  #stored(root: Float64Array | null): { readonly leaves: Leaf[]; readonly next: number } {
    if (root === null) return { leaves: [], next: 0 };
    const expressions = this.#expressions;
    const [count, next, events] = [root[0]!, root[2]!, root[4]!];
    const cell = (column: number, index: number): number =>
      root[ROOT_HEADER + column * count + index]!;
    const leaves = Array.from({ length: count }, (_, index): Leaf => ({
      first: cell(0, index),
      last: cell(1, index),
      number: cell(2, index),
      events: cell(3, index),
      summary: Float64Array.from({ length: expressions * SUMMARY_COLUMNS }, (_unused, column) =>
        cell(LEAF_COLUMNS + column, index),
      ),
      columns: null,
    }));
    if (events > 0) {
      const start = inlineStart(root, expressions);
      leaves.push(leafOf(eventsAt(root, { start, events, expressions }), INLINE));
    }
    return { leaves, next };
  }

  #columns(key: string, leaf: Leaf): EventColumns {
    if (leaf.columns !== null) return leaf.columns;
    const stored = doubles(
      this.#kv.get(`${this.#leaves}${leaf.number}/${key}`) ?? new Uint8Array(),
    );
    assertLeaf(stored, this.#expressions);
    leaf.columns = eventsAt(stored, {
      start: LEAF_HEADER,
      events: stored[0]!,
      expressions: this.#expressions,
    });
    return leaf.columns;
  }

  #edit(
    leaves: readonly Leaf[],
    edit: {
      readonly rows: TileRows;
      readonly change: KeyChange;
      readonly forgottenBefore: number;
      readonly numbers: { next: number };
    },
  ): Leaf[] {
    const { rows, change } = edit;
    const { key } = change;
    // What comes after the last leaf goes to the root.
    const open = leaves.at(-1)?.number === INLINE ? leaves : [...leaves, this.#tailAfter(leaves)];
    const removals = this.#removals(open, edit);
    const additions = byLeaf(open, rows, change.added);
    return open.flatMap((leaf, index) => {
      const [added, gone] = [additions.get(index), removals.get(index)];
      if (added === undefined && gone === undefined) return leaf.events === 0 ? [] : [leaf];
      const merged = merge(this.#columns(key, leaf), rows, added ?? [], gone ?? new Set());
      if (leaf.number !== INLINE) return split(merged, edit.numbers, index === open.length - 2);
      return merged.times.length === 0 ? [] : [leafOf(merged, INLINE)];
    });
  }

  #tailAfter(leaves: readonly Leaf[]): Leaf {
    const columns = { times: new Float64Array(), values: this.#none() };
    return { ...leafOf(columns, INLINE), first: leaves.at(-1)?.last ?? NaN, last: -Infinity };
  }

  #none(): Float64Array[] {
    return Array.from({ length: this.#expressions }, () => new Float64Array());
  }

  /** Which events of which leaves go: for each row one with its time and values. */
  #removals(
    leaves: readonly Leaf[],
    edit: {
      readonly rows: TileRows;
      readonly change: KeyChange;
      readonly forgottenBefore: number;
    },
  ): Map<number, Set<number>> {
    const { rows, change, forgottenBefore } = edit;
    const removals = new Map<number, Set<number>>();
    for (const row of change.removed) {
      const time = rows.times[row]!;
      const isFound = leaves.some((leaf, index) => {
        if (leaf.first > time || leaf.last < time) return false;
        const taken = removals.get(index) ?? new Set<number>();
        const at = findEvent(this.#columns(change.key, leaf), rows, row, taken);
        if (at === null) return false;
        removals.set(index, taken.add(at));
        return true;
      });
      if (!isFound && time >= forgottenBefore) throw damaged();
    }
    return removals;
  }

  #changes(
    key: string,
    to: {
      readonly before: readonly number[];
      readonly edited: readonly Leaf[];
      readonly next: number;
    },
  ): KvChange[] {
    const expressions = this.#expressions;
    const { leaves, inline, next } = this.#layOut(key, to.edited, to.next);
    const changes: KvChange[] = [];
    const kept = new Set<number>();
    const root = this.#roots + key;
    for (const { number, summary, columns } of leaves) {
      kept.add(number);
      if (summary !== null) continue;
      changes.push({ key: `${this.#leaves}${number}/${key}`, value: encodeLeaf(columns!) });
    }
    const summaries = leaves.map((leaf) => ({
      ...leaf,
      summary: leaf.summary ?? leaf.columns!.values.flatMap(summarise),
    }));
    const isEmpty = leaves.length + inline.length === 0;
    const value = isEmpty ? null : encodeRoot({ leaves: summaries, inline, expressions, next });
    changes.push({ key: root, value });
    for (const number of to.before) {
      if (number === INLINE || kept.has(number)) continue;
      changes.push({ key: `${this.#leaves}${number}/${key}`, value: null });
    }
    return changes;
  }

  /** What becomes leaves and what the root holds itself. */
  #layOut(key: string, edited: readonly Leaf[], next: number): LaidOut {
    const events = edited.reduce((sum, leaf) => sum + leaf.events, 0);
    if (events <= INLINE_EVENTS_MAX) {
      return { leaves: [], inline: edited.map((leaf) => this.#columns(key, leaf)), next };
    }
    const tail = edited.at(-1)!;
    if (tail.number !== INLINE) return { leaves: edited, inline: [], next };
    const leaves = edited.slice(0, -1);
    if (leaves.length > 0 && tail.events <= TAIL_EVENTS_MAX) {
      return { leaves, inline: [tail.columns!], next };
    }
    // The last leaf is filled up before another one is begun.
    const last = leaves.pop();
    const parts = last === undefined ? [tail] : [last, tail];
    const numbers = { next };
    const columns = joined(parts.map((leaf) => this.#columns(key, leaf)));
    return {
      leaves: [...leaves, ...split(columns, numbers, true)],
      inline: [],
      next: numbers.next,
    };
  }
}

interface LaidOut {
  readonly leaves: readonly Leaf[];
  readonly inline: readonly EventColumns[];
  readonly next: number;
}

/** Parts that follow one another in time, as one. */
function joined(parts: readonly EventColumns[]): EventColumns {
  const [first] = parts;
  if (parts.length === 1) return first!;
  return {
    times: joinedDoubles(parts.map(({ times }) => times)),
    values: first!.values.map((_, index) =>
      joinedDoubles(parts.map(({ values }) => values[index]!)),
    ),
  };
}

/** The number of what is no leaf but the root itself. */
const INLINE = -1;

function leafOf(columns: EventColumns, number: number): Leaf {
  const { times } = columns;
  const [first, last] = [times[0] ?? NaN, times.at(-1) ?? NaN];
  return { number, first, last, events: times.length, summary: null, columns };
}

function cutBefore(leaf: Leaf, before: number): void {
  const { times, values } = leaf.columns!;
  const from = lowerBound(times, before, 0, times.length);
  leaf.columns = {
    times: times.subarray(from),
    values: values.map((column) => column.subarray(from)),
  };
  leaf.events = times.length - from;
}

/** Rows by the last leaf that begins no later than they are; earlier ones by the first leaf. */
function byLeaf(leaves: readonly Leaf[], rows: TileRows, added: number[]): Map<number, number[]> {
  const grouped = new Map<number, number[]>();
  if (added.length === 0) return grouped;
  if (leaves.length <= 1) return grouped.set(0, added);
  const firsts = Float64Array.from(leaves, ({ first }) => first);
  for (const row of added) {
    const time = rows.times[row]!;
    let index = lowerBound(firsts, time, 0, firsts.length);
    if (index === firsts.length || firsts[index]! > time) index = Math.max(0, index - 1);
    const group = grouped.get(index);
    if (group === undefined) grouped.set(index, [row]);
    else group.push(row);
  }
  return grouped;
}

function findEvent(
  { times, values }: EventColumns,
  rows: TileRows,
  row: number,
  taken: ReadonlySet<number>,
): number | null {
  const time = rows.times[row]!;
  for (let at = lowerBound(times, time, 0, times.length); times[at] === time; at += 1) {
    const isSame = values.every((column, index) => same(column[at]!, rows.values[index]![row]!));
    if (isSame && !taken.has(at)) return at;
  }
  return null;
}

/** Nulls (NaN) are equal, and so are the two zeros: no aggregate tells them apart. */
function same(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

function merge(
  stored: EventColumns,
  rows: TileRows,
  added: number[],
  removed: ReadonlySet<number>,
): EventColumns {
  added.sort((a, b) => rows.times[a]! - rows.times[b]!);
  const before = stored.times.length;
  const length = before - removed.size + added.length;
  const times = new Float64Array(length);
  const values = stored.values.map(() => new Float64Array(length));
  let [from, next] = [0, 0];
  for (let to = 0; to < length; to += 1) {
    while (removed.has(from)) from += 1;
    const row = added[next];
    if (row !== undefined && (from >= before || rows.times[row]! < stored.times[from]!)) {
      times[to] = rows.times[row]!;
      for (let index = 0; index < values.length; index += 1) {
        values[index]![to] = rows.values[index]![row]!;
      }
      next += 1;
    } else {
      times[to] = stored.times[from]!;
      for (let index = 0; index < values.length; index += 1) {
        values[index]![to] = stored.values[index]![from]!;
      }
      from += 1;
    }
  }
  return { times, values };
}

/**
 * Cuts events into leaves. At the end of a key, where new events come, leaves are filled up;
 * elsewhere they are halved, which leaves room for the next late ones.
 */
function split(columns: EventColumns, numbers: { next: number }, isLast: boolean): Leaf[] {
  const events = columns.times.length;
  if (events === 0) return [];
  const pieces = Math.ceil(events / LEAF_EVENTS_MAX);
  const size = isLast ? LEAF_EVENTS_MAX : Math.ceil(events / pieces);
  return Array.from({ length: pieces }, (_, piece) => {
    const [from, to] = [piece * size, Math.min(events, (piece + 1) * size)];
    const part = {
      times: columns.times.subarray(from, to),
      values: columns.values.map((column) => column.subarray(from, to)),
    };
    return leafOf(part, numbers.next++);
  }).filter((leaf) => leaf.events > 0);
}
