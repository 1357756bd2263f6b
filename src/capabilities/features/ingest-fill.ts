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
  /** Files that are in as a whole, and rows of the next one. */
  readonly files: number;
  readonly rows: number;
}

/** Rows taken at once while nobody reads. */
const BATCH_ROWS = 50_000;

/**
 * Fills new tiles from the table's beginning, a batch of rows at a time, each together with how far
 * it got: a fill that was killed goes on where it was.
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
      const rows = file === progress.files ? progress.rows : 0;
      const isWhole = await this.#takeFile(build, { ...progress, files: file, rows }, at, slice);
      if (!isWhole || (slice.isOver() && file + 1 < at.files.length)) return false;
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
    const progress = { tableId, version, forgottenBefore, files: 0, rows: 0 };
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

  /** Takes the rows of one file that are not in yet; false when the slice ended before. */
  async #takeFile(
    build: Build,
    progress: Progress,
    at: TableFiles,
    slice: Slice,
  ): Promise<boolean> {
    const { analytics } = this.#deps;
    const { files: file } = progress;
    const files = at.files.slice(file, file + 1);
    const from = { files, columns: at.columns, signal: slice.signal };
    const rows = emptyRows(build);
    let { rows: left } = progress;
    let taken = left;
    for await (const piece of readEvents(analytics, build, from)) {
      // Batches end where pieces end, and pieces are the same each time.
      if (left > 0) {
        left -= piece.ids.length;
        continue;
      }
      rows.ids.push(...piece.ids);
      rows.times.push(...piece.times);
      rows.keys.forEach((column, index) => column.push(...piece.keys[index]!));
      rows.values.forEach((column, index) => column.push(...piece.values[index]!));
      if (rows.ids.length < BATCH_ROWS) continue;
      taken += rows.ids.length;
      await this.#take(build, rows, { ...progress, rows: taken }, slice);
      if (slice.isOver()) return false;
    }
    await this.#take(build, rows, { ...progress, files: file + 1, rows: 0 }, slice);
    return true;
  }

  async #take(
    build: Build,
    rows: ReturnType<typeof emptyRows>,
    progress: Progress,
    slice: Slice,
  ): Promise<void> {
    const { kv, faults } = this.#deps;
    const { forgottenBefore } = progress;
    const changes = ingestChanges(kv, build, { rows, forgottenBefore });
    slice.rows += rows.ids.length;
    clearRows(rows);
    faults.hit('ingest.before-apply');
    await kv.apply([...changes, progressChange(build, progress)]);
    faults.hit('ingest.after-apply');
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
