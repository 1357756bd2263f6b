import { DuckDBInstance } from '@duckdb/node-api';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from './lake.ts';

/** A Parquet file as somebody else's program would write it: the result of a DuckDB query. */
export async function parquetBytes(sql: string): Promise<Uint8Array> {
  const file = path.join(temporaryFolder(), 'foreign.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return await readFile(file);
}
