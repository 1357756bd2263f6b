import type { Micros } from '../../base/time.ts';
import type { KvWriter } from '../../platform/kv/port.ts';
import { eventTime } from './ingest-changes.ts';
import {
  catalogChanges,
  readWatermark,
  watermarkChange,
  type Build,
  type Catalog,
} from './tiles-catalog.ts';
import { idsPrefix, prefixEnd, rootsPrefix } from './tiles-keys.ts';
import { forgetEvery, forgottenAt } from './tiles-retention.ts';
import { TileWriter } from './tiles-write.ts';

/** Keys looked at in one step: some milliseconds. */
const STEP_KEYS = 2000;

/** A walk through everything a build keeps. It is not stored: a new engine begins a new one. */
interface Walk {
  readonly build: number;
  readonly before: number;
  /** What is still to be walked: views by id, and the ids of events. */
  readonly prefixes: { readonly prefix: string; readonly view: number | null }[];
  /** The last key looked at of the first prefix. */
  after: string | null;
}

/** Removes what no read needs any more: events past every window, and views nobody declares. */
export class IngestPrune {
  readonly #kv: KvWriter;
  #walk: Walk | null = null;

  constructor(kv: KvWriter) {
    this.#kv = kv;
  }

  /** Does a little of it; true when there is more to do. */
  async step(catalog: Catalog, now: Micros): Promise<boolean> {
    if (catalog.garbage.length > 0) return await this.#collect(catalog);
    const walk = this.#walk ?? (await this.#begin(catalog, now));
    const build = catalog.builds.find(({ id }) => id === walk?.build);
    if (walk === null || build === undefined) {
      this.#walk = null;
      return walk !== null;
    }
    this.#walk = walk;
    await this.#forget(build, walk);
    if (walk.prefixes.length === 0) this.#walk = null;
    return true;
  }

  async #collect(catalog: Catalog): Promise<boolean> {
    const [prefix, ...rest] = catalog.garbage;
    const bounds = { from: prefix!, to: prefixEnd(prefix!), limit: STEP_KEYS };
    const found = this.#kv.range(bounds);
    if (found.length > 0) await this.#kv.apply(found.map(({ key }) => ({ key, value: null })));
    else await this.#kv.apply(catalogChanges({ ...catalog, garbage: rest }));
    return true;
  }

  /** Readers learn first that events are gone, then they go. */
  async #begin(catalog: Catalog, now: Micros): Promise<Walk | null> {
    for (const build of catalog.builds) {
      const watermark = readWatermark(this.#kv, build.id);
      const before = forgottenAt(build, now);
      if (watermark === null || before - watermark.forgottenBefore < forgetEvery(build)) continue;
      const moved = { ...watermark, forgottenBefore: before };
      await this.#kv.apply([watermarkChange(build.id, moved)]);
      const views = build.views.map(({ id }) => ({ prefix: rootsPrefix(id), view: id }));
      const prefixes = [...views, { prefix: idsPrefix(build.id), view: null }];
      return { build: build.id, before, prefixes, after: null };
    }
    return null;
  }

  async #forget(build: Build, walk: Walk): Promise<void> {
    const { prefix, view } = walk.prefixes[0]!;
    const from = walk.after === null ? prefix : `${walk.after}\u0000`;
    const bounds = { from, to: prefixEnd(prefix), limit: STEP_KEYS };
    const keys: string[] = [];
    const { visited, last } = this.#kv.scan(bounds, (value, key) => {
      if (view !== null || eventTime(value) < walk.before) keys.push(key());
    });
    if (view === null) {
      await this.#kv.apply(keys.map((key) => ({ key, value: null })));
    } else {
      const expressions = build.views.find(({ id }) => id === view)?.expressions.length ?? 0;
      const writer = new TileWriter(this.#kv, { id: view, expressions });
      const changes = keys.flatMap(
        (key) => writer.forget(key.slice(prefix.length), walk.before) ?? [],
      );
      await this.#kv.apply(changes);
    }
    walk.after = last;
    if (visited === STEP_KEYS) return;
    walk.prefixes.shift();
    walk.after = null;
  }
}
