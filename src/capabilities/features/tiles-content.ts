import type { KvReader } from '../../platform/kv/port.ts';
import { readCatalog } from './tiles-catalog.ts';
import { prefixEnd, rootsPrefix } from './tiles-keys.ts';
import { TileWriter } from './tiles-write.ts';

export interface StoredKey {
  /** `<view's hash>/<key>` */
  readonly key: string;
  /** Time and values of each event, NaN for null, in one order for one content. */
  readonly events: readonly (readonly number[])[];
}

/**
 * Everything that tiles which are read hold of events since `from`, whatever leaves it lies in: two
 * stores that show the same tables hold the same.
 */
export function storedTiles(kv: KvReader, { from }: { readonly from: number }): StoredKey[] {
  const found: StoredKey[] = [];
  for (const build of readCatalog(kv)?.builds ?? []) {
    if (build.state === 'filling') continue;
    for (const { id, hash, expressions } of build.views) {
      const prefix = rootsPrefix(id);
      const writer = new TileWriter(kv, { id, expressions: expressions.length });
      const bounds = { from: prefix, to: prefixEnd(prefix), limit: Number.MAX_SAFE_INTEGER };
      for (const { key } of kv.range(bounds)) {
        const text = key.slice(prefix.length);
        const { times, values } = writer.events(text);
        const events = Array.from(times, (time, at) => [time, ...values.map((it) => it[at]!)])
          .filter(([time]) => time! >= from)
          .sort(compare);
        if (events.length > 0) found.push({ key: `${hash}/${text}`, events });
      }
    }
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => !Object.is(value, b[index]));
  if (at === -1) return 0;
  const [one, other] = [a[at]!, b[at]!];
  if (Number.isNaN(one)) return 1;
  return Number.isNaN(other) ? -1 : one - other;
}
