import type { KvChange, KvReader } from '../../platform/kv/port.ts';
import type { EventRows } from './ingest-rows.ts';
import type { Build, BuiltView } from './tiles-catalog.ts';
import { idsPrefix, idText, keyText } from './tiles-keys.ts';
import { damaged } from './tiles-layout.ts';
import { TileWriter, type KeyChange } from './tiles-write.ts';

/** Rows that change something, with what they take the place of. */
interface Changed {
  readonly times: number[];
  readonly keys: (string | null)[][];
  readonly values: number[][];
  readonly isRemoved: boolean[];
}

/**
 * The changes of the store that take these rows into a build: of several rows with one id the last
 * counts, and what an earlier batch kept of that id goes. So the same rows may come again, in any
 * cut, without another result. `FEATURES_DAMAGED` when the store is not what it must be.
 */
export function ingestChanges(
  kv: Pick<KvReader, 'get' | 'peek'>,
  build: Build,
  batch: { readonly rows: EventRows; readonly forgottenBefore: number },
): KvChange[] {
  const { rows, forgottenBefore } = batch;
  const changes: KvChange[] = [];
  const { keys, expressions } = build;
  const changed: Changed = {
    times: [],
    keys: keys.map(() => []),
    values: expressions.map(() => []),
    isRemoved: [],
  };
  const prefix = idsPrefix(build.id);
  const slab = new Slab();
  for (const row of lastOfEach(rows.ids)) {
    const key = prefix + idText(rows.ids[row]!);
    const stored = kv.get(key);
    const isKept = rows.times[row]! >= forgottenBefore;
    const value = isKept ? encodeEvent(rows, row, slab) : null;
    if (stored !== null && value !== null && Buffer.compare(stored, value) === 0) continue;
    if (stored === null && value === null) continue;
    if (stored !== null) pushRemoved(changed, stored);
    if (value !== null) pushAdded(changed, rows, row);
    changes.push({ key, value });
  }
  for (const view of build.views) {
    for (const change of viewChanges(kv, view, { build, changed, forgottenBefore })) {
      changes.push(change);
    }
  }
  return changes;
}

function lastOfEach(ids: readonly string[]): Iterable<number> {
  const last = new Map<string, number>();
  for (let row = 0; row < ids.length; row += 1) last.set(ids[row]!, row);
  return last.values();
}

function* viewChanges(
  kv: Pick<KvReader, 'get' | 'peek'>,
  view: BuiltView,
  on: { readonly build: Build; readonly changed: Changed; readonly forgottenBefore: number },
): Generator<KvChange, void, undefined> {
  const { build, changed, forgottenBefore } = on;
  const ofKeys = view.keys.map(
    ({ name }) => changed.keys[build.keys.findIndex((key) => key.name === name)]!,
  );
  const rows = {
    times: changed.times,
    values: view.expressions.map((sql) => changed.values[build.expressions.indexOf(sql)]!),
  };
  const writer = new TileWriter(kv, { id: view.id, expressions: view.expressions.length });
  for (const change of byKey(changed, ofKeys)) {
    yield* writer.change(rows, change, forgottenBefore);
  }
}

/** An event with a null among its keys is in no window of the view. */
function byKey(
  { isRemoved }: Changed,
  keys: readonly (readonly (string | null)[])[],
): Iterable<KeyChange> {
  const found = new Map<string, KeyChange>();
  const parts: string[] = [];
  for (let row = 0; row < isRemoved.length; row += 1) {
    parts.length = 0;
    for (const column of keys) {
      const part = column[row]!;
      if (part !== null) parts.push(part);
    }
    if (parts.length < keys.length) continue;
    const text = keyText(parts);
    let change = found.get(text);
    if (change === undefined) found.set(text, (change = { key: text, added: [], removed: [] }));
    (isRemoved[row] ? change.removed : change.added).push(row);
  }
  return found.values();
}

function pushAdded(changed: Changed, rows: EventRows, row: number): void {
  changed.times.push(rows.times[row]!);
  changed.isRemoved.push(false);
  changed.keys.forEach((column, index) => column.push(rows.keys[index]![row]!));
  changed.values.forEach((column, index) => column.push(rows.values[index]![row]!));
}

function pushRemoved(changed: Changed, stored: Uint8Array): void {
  const event = decodeEvent(stored, changed.values.length);
  if (event.keys.length !== changed.keys.length) throw damaged();
  changed.times.push(event.time);
  changed.isRemoved.push(true);
  changed.keys.forEach((column, index) => column.push(event.keys[index]!));
  changed.values.forEach((column, index) => column.push(event.values[index]!));
}

const decoder = new TextDecoder();

const SLAB_BYTES = 256 * 1024;

/** Memory for many small values at once: a piece of its own for each costs more than the rest. */
class Slab {
  #bytes = Buffer.alloc(0);
  #used = 0;

  take(length: number): Buffer {
    if (this.#used + length > this.#bytes.length) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length));
      this.#used = 0;
    }
    this.#used += length;
    return this.#bytes.subarray(this.#used - length, this.#used);
  }
}

/** What is kept of an event under its id: time and values as doubles, then its keys as JSON. */
function encodeEvent(rows: EventRows, row: number, slab: Slab): Uint8Array {
  const keys = JSON.stringify(rows.keys.map((column) => column[row]));
  const bytes = slab.take(8 * (1 + rows.values.length) + Buffer.byteLength(keys));
  let at = bytes.writeDoubleLE(rows.times[row]!);
  for (const column of rows.values) at = bytes.writeDoubleLE(column[row]!, at);
  bytes.write(keys, at);
  return bytes;
}

function decodeEvent(
  bytes: Uint8Array,
  expressions: number,
): {
  readonly time: number;
  readonly values: readonly number[];
  readonly keys: readonly (string | null)[];
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return {
      time: eventTime(bytes),
      values: Array.from({ length: expressions }, (_, index) =>
        view.getFloat64(8 * (1 + index), true),
      ),
      keys: JSON.parse(decoder.decode(bytes.subarray(8 * (1 + expressions)))) as (string | null)[],
    };
  } catch (cause) {
    throw damaged(cause);
  }
}

/** When the event was of which this is kept. */
export function eventTime(bytes: Uint8Array): number {
  if (bytes.length < 8) throw damaged();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat64(0, true);
}
