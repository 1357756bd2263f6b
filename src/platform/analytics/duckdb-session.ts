import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import { AppError } from '../../base/errors.ts';
import { every } from '../system.ts';
import { fileList } from './sql-text.ts';

export interface DuckDbOptions {
  /** Absolute folders it may read and write; everything else is refused. */
  readonly folders: readonly string[];
  /** Absolute files besides. */
  readonly files?: readonly string[];
  /** Where it spills; must be its own. */
  readonly temporaryFolder: string;
  readonly memoryLimitBytes: number;
  /** One while the gateway has traffic. */
  readonly threads: number;
}

const INTERRUPT_INTERVAL_MS = 50;

/**
 * One DuckDB, in memory, closed to everything but the declared folders: no network, no extensions,
 * settings locked. Times are UTC, because statistics and casts are printed in the session's zone.
 */
export class DuckDbSession {
  readonly #instance: DuckDBInstance;
  readonly #open = new Set<DuckDBConnection>();

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async open(options: DuckDbOptions): Promise<DuckDbSession> {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.floor(options.memoryLimitBytes / 1024)}KiB`,
      threads: String(options.threads),
      temp_directory: options.temporaryFolder,
      // The system keeps local files in memory as it is; a copy costs time and the memory limit.
      enable_external_file_cache: 'false',
      autoload_known_extensions: 'false',
      autoinstall_known_extensions: 'false',
      allow_community_extensions: 'false',
    });
    const session = new DuckDbSession(instance);
    await session.use(async (connection) => {
      await connection.run("SET GLOBAL TimeZone = 'UTC'");
      await connection.run(`SET allowed_directories = ${fileList(options.folders)}`);
      await connection.run(`SET allowed_paths = ${fileList(options.files ?? [])}`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
    });
    return session;
  }

  /** Runs the action on a connection of its own; `signal` interrupts the running statement. */
  async use<T>(
    action: (connection: DuckDBConnection) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const connection = await this.#instance.connect();
    this.#open.add(connection);
    let stopInterrupting = (): void => undefined;
    const interrupt = (): void => {
      connection.interrupt();
      // Between two statements there is nothing to interrupt, and the next one would run.
      stopInterrupting = every(INTERRUPT_INTERVAL_MS, () => {
        connection.interrupt();
      });
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      signal?.throwIfAborted();
      return await action(connection);
    } catch (error) {
      signal?.throwIfAborted();
      throw asAppError(error);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      stopInterrupting();
      this.#open.delete(connection);
      connection.closeSync();
    }
  }

  /** All rows of a query whose result is known to be small. */
  async rows(
    sql: string,
    values: DuckDBValue[] = [],
    signal?: AbortSignal,
  ): Promise<DuckDBValue[][]> {
    return await this.use(async (connection) => {
      const reader = await connection.runAndReadAll(sql, values);
      return reader.getRows();
    }, signal);
  }

  /** A query's result piece by piece, as columns of values. */
  async *stream<T>(
    sql: string,
    convert: (columns: DuckDBValue[][]) => T,
  ): AsyncGenerator<T, void, undefined> {
    const connection = await this.#instance.connect();
    this.#open.add(connection);
    try {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        yield convert(chunk.getColumns());
      }
    } catch (error) {
      throw asAppError(error);
    } finally {
      this.#open.delete(connection);
      connection.closeSync();
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#open) connection.interrupt();
    this.#instance.closeSync();
    await Promise.resolve();
  }
}

/** DuckDB reports by message only; what the operator can act on gets a code. */
function asAppError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : '';
  if (message.startsWith('Out of Memory Error')) {
    return new AppError('OVERLOADED', 'The data engine ran out of its memory limit.', {
      hint: 'Ask for fewer rows at a time, or raise the memory limit of the engine.',
      cause: error,
    });
  }
  if (/No space left on device/i.test(message)) {
    return new AppError('DISK_FULL', 'The disk that holds the state folder is full.', {
      hint: 'Free some space; nothing of this request was kept.',
      cause: error,
    });
  }
  return error;
}
