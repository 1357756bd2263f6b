import { AppError } from '../../base/errors.ts';
import type { KvChange } from '../../platform/kv/port.ts';
import type { IngestDeps, Slice } from './ingest.ts';
import { ingestChanges } from './ingest-changes.ts';
import { readEvents, type TableFiles } from './ingest-rows.ts';
import {
  catalogChanges,
  EMPTY_CATALOG,
  readCatalog,
  readWatermark,
  watermarkChange,
  withTableId,
  type Build,
} from './tiles-catalog.ts';
import { forgottenAt } from './tiles-retention.ts';
import { fillKey } from './tiles-keys.ts';
import { damaged } from './tiles-layout.ts';

/** Where the filling of a build stands. */
interface Progress {
  readonly tableId: string;
  readonly version: number;
  readonly forgottenBefore: number;
  /** Files that are in as a whole; rows of the next one may be in, too, and come again. */
  readonly files: number;
}

/** Rows taken at once while nobody reads. */
const BATCH_ROWS = 50_000;

/**
 * Fills new tiles from the table's beginning, file by file. Rows that are in already change
 * nothing, so a fill that was killed goes on with the file it was in.
 */
export class IngestFill {
  readonly #deps: IngestDeps;

  constructor(deps: IngestDeps) {
    this.#deps = deps;
  }

  /** True once the build shows a version of its table; false when the slice ended before. */
  async fill(build: Build, head: TableFiles, slice: Slice): Promise<boolean> {
    const { kv, faults } = this.#deps;
    if (readWatermark(kv, build.id) !== null) return true;
    const progress = this.#progress(build) ?? (await this.#begin(build, head, slice));
    const at = await this.#filesAt(build, progress, head);
    const { version } = progress;
    for (let file = progress.files; file < at.files.length; file += 1) {
      if (slice.isOver()) return false;
      await this.#takeFile(build, { progress, at, file }, slice);
    }
    const { forgottenBefore } = progress;
    faults.hit('ingest.filled');
    await kv.apply([
      watermarkChange(build.id, { version, forgottenBefore }),
      { key: fillKey(build.id), value: null },
    ]);
    return true;
  }

  async #begin(build: Build, head: TableFiles, slice: Slice): Promise<Progress> {
    const { kv } = this.#deps;
    const { tableId, version } = head;
    const forgottenBefore = forgottenAt(build, slice.now);
    const progress = { tableId, version, forgottenBefore, files: 0 };
    const catalog = withTableId(readCatalog(kv) ?? EMPTY_CATALOG, build.id, tableId);
    await kv.apply([...catalogChanges(catalog), progressChange(build, progress)]);
    return progress;
  }

  /** What is half in of a version that is gone cannot be told apart: `FEATURES_DAMAGED`. */
  async #filesAt(build: Build, progress: Progress, head: TableFiles): Promise<TableFiles> {
    const { tableId, version } = progress;
    if (tableId !== head.tableId || version > head.version) throw damaged();
    if (version === head.version) return head;
    try {
      return await this.#deps.tables.files(build.table, version);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'TABLE_VERSION_NOT_FOUND') throw damaged();
      throw thrown;
    }
  }

  #progress({ id }: Build): Progress | null {
    const bytes = this.#deps.kv.get(fillKey(id));
    return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString()) as Progress);
  }

  async #takeFile(
    build: Build,
    on: { readonly progress: Progress; readonly at: TableFiles; readonly file: number },
    slice: Slice,
  ): Promise<void> {
    const { kv, analytics, faults } = this.#deps;
    const { progress, at, file } = on;
    const { forgottenBefore } = progress;
    const rows = emptyRows(build);
    const take = async (last: readonly KvChange[]): Promise<void> => {
      const changes = ingestChanges(kv, build, { rows, forgottenBefore });
      slice.rows += rows.ids.length;
      clearRows(rows);
      faults.hit('ingest.before-apply');
      await kv.apply([...changes, ...last]);
      faults.hit('ingest.after-apply');
    };
    const { columns } = at;
    const files = at.files.slice(file, file + 1);
    const from = { files, columns, signal: slice.signal };
    for await (const piece of readEvents(analytics, build, from)) {
      rows.ids.push(...piece.ids);
      rows.times.push(...piece.times);
      rows.keys.forEach((column, index) => column.push(...piece.keys[index]!));
      rows.values.forEach((column, index) => column.push(...piece.values[index]!));
      if (rows.ids.length >= BATCH_ROWS) await take([]);
    }
    await take([progressChange(build, { ...progress, files: file + 1 })]);
  }
}

function emptyRows(build: Build): {
  ids: string[];
  times: number[];
  keys: (string | null)[][];
  values: number[][];
} {
  return {
    ids: [],
    times: [],
    keys: build.keys.map(() => []),
    values: build.expressions.map(() => []),
  };
}

function clearRows(rows: ReturnType<typeof emptyRows>): void {
  for (const column of [rows.ids, rows.times, ...rows.keys, ...rows.values]) column.length = 0;
}

function progressChange({ id }: Build, progress: Progress): KvChange {
  return { key: fillKey(id), value: Buffer.from(JSON.stringify(progress)) };
}
