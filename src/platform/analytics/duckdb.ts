import { join } from 'node:path';
import type { Ids } from '../../base/ids.ts';
import type { Column } from '../../formats/delta/schema.ts';
import type { TableIo } from '../../formats/delta/table-io.ts';
import { CheckpointFiles } from './checkpoint-file.ts';
import { DuckDbSession, type DuckDbOptions } from './duckdb-session.ts';
import { copyForeignParquet, parquetColumns } from './foreign-parquet.ts';
import { LocalLogStore } from './local-log-store.ts';
import { writeParquet } from './parquet-writer.ts';
import type {
  Analytics,
  Cell,
  Comparand,
  RowDifference,
  RowSource,
  Scan,
  Scratch,
  Selection,
  WrittenFile,
} from './port.ts';
import { rowDifference } from './row-difference.ts';
import { scanRows, selectColumns } from './row-reader.ts';
import { withScratch } from './scratch.ts';
import { fileList } from './sql-text.ts';

/**
 * Opens DuckDB over local folders; loads the native module, so only the engine process calls it.
 */
export async function openDuckDb(
  options: DuckDbOptions & { readonly ids: Ids },
): Promise<Analytics> {
  return new DuckDbAnalytics(await DuckDbSession.open(options), options);
}

class DuckDbAnalytics implements Analytics {
  readonly #session: DuckDbSession;
  readonly #options: DuckDbOptions;
  readonly #ids: Ids;

  constructor(session: DuckDbSession, options: DuckDbOptions & { readonly ids: Ids }) {
    this.#session = session;
    this.#options = options;
    this.#ids = options.ids;
  }

  table(location: string): TableIo {
    const folder = join(location, '_delta_log');
    return {
      location,
      log: new LocalLogStore(folder, this.#ids),
      parquet: new CheckpointFiles(this.#session, folder, this.#ids),
    };
  }

  async writeParquet(
    path: string,
    source: RowSource,
    columns: readonly Column[],
    signal?: AbortSignal,
  ): Promise<WrittenFile> {
    if (source.kind === 'parquet') {
      const foreign = { source: source.path, path, columns, signal };
      return await copyForeignParquet(this.#apart(), foreign);
    }
    return await writeParquet(this.#session, { path, source, columns, signal });
  }

  async parquetColumns(path: string): Promise<Column[]> {
    return await parquetColumns(this.#apart(), path);
  }

  /** For a DuckDB beside this one. */
  #apart(): DuckDbOptions {
    const { temporaryFolder } = this.#options;
    return { ...this.#options, temporaryFolder: join(temporaryFolder, this.#ids.next('tmp')) };
  }

  async scan(scan: Scan): Promise<Cell[][]> {
    return await scanRows(this.#session, scan);
  }

  select(selection: Selection): AsyncGenerator<readonly (readonly unknown[])[], void, undefined> {
    return selectColumns(this.#session, selection);
  }

  async difference(comparand: Comparand): Promise<RowDifference> {
    return await rowDifference(this.#session, comparand);
  }

  async scratch<T>(action: (scratch: Scratch) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return await withScratch(this.#session, action, signal);
  }

  async countRows(paths: readonly string[]): Promise<number[]> {
    if (paths.length === 0) return [];
    const counts = new Map<string, number>();
    const rows = await this.#session.rows(
      `SELECT file_name, num_rows FROM parquet_file_metadata(${fileList(paths)})`,
    );
    for (const [name, count] of rows) counts.set(name as string, Number(count));
    return paths.map((path) => counts.get(path) ?? 0);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}
