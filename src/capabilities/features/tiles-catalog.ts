import type { KvChange, KvReader } from '../../platform/kv/port.ts';
import type { CompiledKey, CompiledView } from './compiled.ts';
import {
  CATALOG,
  EPOCH,
  fillKey,
  idsPrefix,
  leavesPrefix,
  rootsPrefix,
  watermarkKey,
} from './tiles-keys.ts';

export interface TableName {
  readonly namespace: string;
  readonly name: string;
}

/** A view that has tiles. */
export interface BuiltView {
  /** Names its tiles; never used again for another view. */
  readonly id: number;
  readonly hash: string;
  readonly name: string;
  /** What the tiles hold a column each for: `sql` of its aggregates, each once. */
  readonly expressions: readonly string[];
  readonly keys: readonly CompiledKey[];
  /** The longest window, microseconds. */
  readonly longest: number;
}

/**
 * Views of one table that are kept together: they take its rows in the same step, and share what is
 * remembered of each event by its id.
 */
export interface Build {
  readonly id: number;
  readonly table: TableName;
  /** Delta's id of the table; null until the table is there. */
  readonly tableId: string | null;
  readonly idColumn: string;
  readonly eventTimeColumn: string;
  /** Columns of the keys and expressions of its first views: what is kept of each event by id. */
  readonly keys: readonly CompiledKey[];
  readonly expressions: readonly string[];
  readonly views: readonly BuiltView[];
  /**
   * `filling` is not read yet; `serving` follows its table; `stale` is read but cannot go on, until
   * the one that is filling takes its place.
   */
  readonly state: 'filling' | 'serving' | 'stale';
}

export interface Catalog {
  /** Rises with every change of the catalog. */
  readonly epoch: number;
  readonly nextId: number;
  readonly builds: readonly Build[];
  /** Prefixes of keys that nobody needs any more, removed bit by bit. */
  readonly garbage: readonly string[];
}

/** Which version of its table a build shows. */
export interface Watermark {
  readonly version: number;
  /** Events before this time may be gone; microseconds. */
  readonly forgottenBefore: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const EMPTY_CATALOG: Catalog = { epoch: 0, nextId: 1, builds: [], garbage: [] };

/** What was read last of each store: the catalog hardly ever changes, and is read at each step. */
const parsed = new WeakMap<object, { readonly bytes: Uint8Array; readonly catalog: Catalog }>();

/** Null when there is none, or none that can be read: then everything is built anew. */
export function readCatalog(kv: Pick<KvReader, 'peek'>): Catalog | null {
  const bytes = kv.peek(CATALOG);
  if (bytes === null) return null;
  const last = parsed.get(kv);
  if (last !== undefined && Buffer.compare(last.bytes, bytes) === 0) return last.catalog;
  try {
    const catalog = JSON.parse(decoder.decode(bytes)) as Catalog;
    parsed.set(kv, { bytes: bytes.slice(), catalog });
    return catalog;
  } catch {
    return null;
  }
}

export function readEpoch(kv: Pick<KvReader, 'peek'>): number | null {
  const bytes = kv.peek(EPOCH);
  return bytes?.length === 8 ? readNumber(bytes, 0) : null;
}

export function catalogChanges(catalog: Catalog): KvChange[] {
  return [
    { key: CATALOG, value: encoder.encode(JSON.stringify(catalog)) },
    { key: EPOCH, value: numbers(catalog.epoch) },
  ];
}

export function readWatermark(kv: Pick<KvReader, 'get'>, build: number): Watermark | null {
  const bytes = kv.get(watermarkKey(build));
  if (bytes?.length !== 16) return null;
  return { version: readNumber(bytes, 0), forgottenBefore: readNumber(bytes, 8) };
}

export function watermarkChange(build: number, watermark: Watermark): KvChange {
  const value = numbers(watermark.version, watermark.forgottenBefore);
  return { key: watermarkKey(build), value };
}

export function tableKey({ namespace, name }: TableName): string {
  return `${namespace}.${name}`;
}

/**
 * The catalog in which exactly the wanted views have tiles or are about to: new ones get a build
 * that is to be filled, one for each way of reading a table. The same object when nothing changes.
 */
export function reconciled(catalog: Catalog, wanted: readonly CompiledView[]): Catalog {
  const hashes = new Set(wanted.map(({ hash }) => hash));
  const dropped = catalog.builds.flatMap(({ views }) => views.filter((it) => !hashes.has(it.hash)));
  const kept = without(catalog, new Set(dropped.map(({ id }) => id)));
  const built = new Set(kept.builds.flatMap(({ views }) => views.map(({ hash }) => hash)));
  const missing = wanted.filter(
    ({ hash }, index) =>
      !built.has(hash) && wanted.findIndex((other) => other.hash === hash) === index,
  );
  if (dropped.length === 0 && missing.length === 0) return catalog;
  return withBuilds(
    kept,
    groups(missing).map(({ source, views }) => ({
      table: source.table,
      idColumn: source.idColumn,
      eventTimeColumn: source.eventTimeColumn,
      views: views.map(builtView),
    })),
  );
}

/** The catalog in which builds that cannot go on are replaced by new ones, once these are full. */
export function replacing(catalog: Catalog, ids: ReadonlySet<number>): Catalog {
  const stale = catalog.builds.filter(({ id }) => ids.has(id));
  const builds = catalog.builds.flatMap((build): Build[] => {
    if (!ids.has(build.id)) return [build];
    // What was not read yet is simply begun again.
    return build.state === 'filling' ? [] : [{ ...build, state: 'stale' }];
  });
  const garbage = stale.filter(({ state }) => state === 'filling').flatMap(prefixesOf);
  return withBuilds({ ...catalog, builds, garbage: [...catalog.garbage, ...garbage] }, stale);
}

/** The catalog after full builds took the place of those that held their views before. */
export function promoted(catalog: Catalog, ids: ReadonlySet<number>): Catalog {
  const full = catalog.builds.filter(({ id }) => ids.has(id));
  const hashes = new Set(full.flatMap(({ views }) => views.map(({ hash }) => hash)));
  const former = catalog.builds
    .filter(({ id }) => !ids.has(id))
    .flatMap(({ views }) => views.filter(({ hash }) => hashes.has(hash)));
  const rest = without(catalog, new Set(former.map(({ id }) => id)));
  return {
    ...rest,
    epoch: rest.epoch + 1,
    builds: rest.builds.map((build) =>
      ids.has(build.id) ? { ...build, state: 'serving' } : build,
    ),
  };
}

export function withTableId(catalog: Catalog, build: number, tableId: string): Catalog {
  const builds = catalog.builds.map((it) => (it.id === build ? { ...it, tableId } : it));
  return { ...catalog, epoch: catalog.epoch + 1, builds };
}

/** Everything under which a build keeps one thing an event or a key. */
function prefixesOf({ id, views }: Build): string[] {
  return [idsPrefix(id), ...views.flatMap(prefixesOfView)];
}

function prefixesOfView({ id }: BuiltView): string[] {
  return [rootsPrefix(id), leavesPrefix(id)];
}

/** The single keys of builds that are no longer in the catalog. */
export function abandonedKeys(before: Catalog, after: Catalog): KvChange[] {
  const kept = new Set(after.builds.map(({ id }) => id));
  return before.builds
    .filter(({ id }) => !kept.has(id))
    .flatMap(({ id }) => [watermarkKey(id), fillKey(id)])
    .map((key) => ({ key, value: null }));
}

function without(catalog: Catalog, views: ReadonlySet<number>): Catalog {
  if (views.size === 0) return catalog;
  const garbage: string[] = [];
  const builds = catalog.builds.flatMap((build): Build[] => {
    const gone = build.views.filter(({ id }) => views.has(id));
    if (gone.length === 0) return [build];
    garbage.push(...gone.flatMap(prefixesOfView));
    if (gone.length < build.views.length) {
      return [{ ...build, views: build.views.filter(({ id }) => !views.has(id)) }];
    }
    garbage.push(idsPrefix(build.id));
    return [];
  });
  const { epoch, nextId } = catalog;
  return { epoch: epoch + 1, nextId, builds, garbage: [...catalog.garbage, ...garbage] };
}

function withBuilds(
  catalog: Catalog,
  added: readonly Pick<Build, 'table' | 'idColumn' | 'eventTimeColumn' | 'views'>[],
): Catalog {
  let { nextId } = catalog;
  const builds = added.map(({ table, idColumn, eventTimeColumn, views }): Build => {
    const id = nextId++;
    const own = views.map((view) => ({ ...view, id: nextId++ }));
    const keys = new Map(views.flatMap((view) => view.keys.map((key) => [key.name, key])));
    return {
      id,
      table,
      tableId: null,
      idColumn,
      eventTimeColumn,
      keys: [...keys.values()],
      expressions: [...new Set(views.flatMap(({ expressions }) => expressions))],
      views: own,
      state: 'filling',
    };
  });
  return {
    ...catalog,
    epoch: catalog.epoch + 1,
    nextId,
    builds: [...catalog.builds, ...builds],
  };
}

function builtView({ hash, name, aggregates, keys, windows }: CompiledView): BuiltView {
  const sql = aggregates.flatMap((aggregate) => (aggregate.sql === null ? [] : [aggregate.sql]));
  return {
    id: 0,
    hash,
    name,
    expressions: [...new Set(sql)],
    keys,
    longest: Math.max(...windows.map(({ micros }) => micros)),
  };
}

function groups(
  views: readonly CompiledView[],
): { readonly source: CompiledView['source']; readonly views: CompiledView[] }[] {
  const found = new Map<string, { source: CompiledView['source']; views: CompiledView[] }>();
  for (const view of views) {
    const { table, idColumn, eventTimeColumn } = view.source;
    const key = JSON.stringify([tableKey(table), idColumn, eventTimeColumn]);
    const group = found.get(key);
    if (group === undefined) found.set(key, { source: view.source, views: [view] });
    else group.views.push(view);
  }
  return [...found.values()];
}

function numbers(...values: number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer);
}

function readNumber(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat64(offset, true);
}
