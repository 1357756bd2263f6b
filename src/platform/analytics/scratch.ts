import type { DuckDBConnection, DuckDBDoubleVector } from '@duckdb/node-api';
import { setImmediate } from 'node:timers/promises';
import type { Column } from '../../formats/delta/schema.ts';
import type { DuckDbSession } from './duckdb-session.ts';
import type { DoubleBatch, ScanFile, Scratch } from './port.ts';
import { fileRowsSql } from './row-reader.ts';
import { identifier } from './sql-text.ts';

/** Rows of one DuckDB data chunk. */
const CHUNK_ROWS = 2048;

let scratches = 0;

/** Tables of a piece of work, in a schema of its own that goes with it. */
export async function withScratch<T>(
  session: DuckDbSession,
  action: (scratch: Scratch) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  scratches += 1;
  const schema = `scratch_${scratches}`;
  return await session.use(async (connection) => {
    await connection.run(`CREATE SCHEMA ${schema}`);
    try {
      return await action(new DuckDbScratch(connection, schema, signal));
    } finally {
      // After an interruption, too: the connection goes, the schema would stay.
      await session.rows(`DROP SCHEMA ${schema} CASCADE`);
    }
  }, signal);
}

class DuckDbScratch implements Scratch {
  readonly #connection: DuckDBConnection;
  readonly #schema: string;
  readonly #signal: AbortSignal | undefined;

  constructor(connection: DuckDBConnection, schema: string, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#schema = schema;
    this.#signal = signal;
  }

  table(name: string): string {
    return `${this.#schema}.${identifier(name)}`;
  }

  rowsOf(files: readonly ScanFile[], columns: readonly Column[]): string {
    return fileRowsSql(files, columns);
  }

  async run(sql: string): Promise<void> {
    this.#signal?.throwIfAborted();
    await this.#connection.run(sql);
  }

  async rows(sql: string): Promise<unknown[][]> {
    this.#signal?.throwIfAborted();
    return (await this.#connection.runAndReadAll(sql)).getRows();
  }

  async *columns(sql: string): AsyncGenerator<readonly (readonly unknown[])[], void, undefined> {
    for await (const chunk of this.#chunks(sql)) {
      yield chunk.getColumns();
    }
  }

  async *doubles(sql: string): AsyncGenerator<DoubleBatch, void, undefined> {
    for await (const chunk of this.#chunks(sql)) {
      const columns: Float64Array[] = [];
      for (let index = 0; index < chunk.columnCount; index += 1) {
        columns.push((chunk.getColumnVector(index) as unknown as ItemsOf<Float64Array>).items);
      }
      yield { rowCount: chunk.rowCount, columns };
    }
  }

  async *#chunks(sql: string) {
    const result = await this.#connection.stream(sql);
    for (;;) {
      this.#signal?.throwIfAborted();
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk;
    }
  }

  async fill(name: string, columns: readonly Float64Array[]): Promise<void> {
    const { DOUBLE, DuckDBDataChunk } = await import('@duckdb/node-api');
    const declared = columns.map((_, index) => `c${index} DOUBLE`).join(', ');
    await this.run(`CREATE TABLE ${this.table(name)} (${declared})`);
    const rowCount = columns[0]!.length;
    const chunk = DuckDBDataChunk.create(columns.map(() => DOUBLE));
    const appender = await this.#connection.createAppender(name, this.#schema);
    try {
      for (let start = 0; start < rowCount; start += CHUNK_ROWS) {
        this.#signal?.throwIfAborted();
        const end = Math.min(start + CHUNK_ROWS, rowCount);
        // Its vectors are kept from piece to piece; only the last one is shorter.
        if (end - start !== chunk.rowCount) chunk.rowCount = end - start;
        for (const [index, values] of columns.entries()) {
          const vector = chunk.getColumnVector(index) as DuckDBDoubleVector;
          (vector as unknown as ItemsOf<Float64Array>).items.set(values.subarray(start, end));
          vector.flush();
        }
        appender.appendDataChunk(chunk);
        await setImmediate();
      }
    } finally {
      appender.closeSync();
    }
  }
}

/** The vector's own memory: private in its type, but copying value by value takes far longer. */
interface ItemsOf<Items> {
  readonly items: Items;
}
