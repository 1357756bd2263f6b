import type { DuckDBListValue, DuckDBValue } from '@duckdb/node-api';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from '../../base/ids.ts';
import type { Action, AddFile } from '../../formats/delta/actions.ts';
import type { ParquetPort } from '../../formats/delta/parquet-port.ts';
import type { DuckDbSession } from './duckdb-session.ts';
import { linkIfAbsent, removeIfPresent, syncFile } from './durable-files.ts';
import { literal } from './sql-text.ts';

const TEXT_MAP = 'MAP(VARCHAR, VARCHAR)';

/** The classic checkpoint's schema ("Checkpoint Schema" in PROTOCOL.md). */
const CHECKPOINT_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  txn: { appId: 'VARCHAR', version: 'BIGINT', lastUpdated: 'BIGINT' },
  add: {
    path: 'VARCHAR',
    partitionValues: TEXT_MAP,
    size: 'BIGINT',
    modificationTime: 'BIGINT',
    dataChange: 'BOOLEAN',
    stats: 'VARCHAR',
    tags: TEXT_MAP,
  },
  remove: {
    path: 'VARCHAR',
    deletionTimestamp: 'BIGINT',
    dataChange: 'BOOLEAN',
    extendedFileMetadata: 'BOOLEAN',
    partitionValues: TEXT_MAP,
    size: 'BIGINT',
  },
  metaData: {
    id: 'VARCHAR',
    name: 'VARCHAR',
    description: 'VARCHAR',
    format: `STRUCT("provider" VARCHAR, "options" ${TEXT_MAP})`,
    schemaString: 'VARCHAR',
    partitionColumns: 'VARCHAR[]',
    configuration: TEXT_MAP,
    createdTime: 'BIGINT',
  },
  protocol: {
    minReaderVersion: 'INTEGER',
    minWriterVersion: 'INTEGER',
    readerFeatures: 'VARCHAR[]',
    writerFeatures: 'VARCHAR[]',
  },
};

/** Lines gathered before they are written to the staging file. */
const WRITE_BATCH_LINES = 4096;

/** Checkpoints in a `_delta_log` folder of this machine. */
export class CheckpointFiles implements ParquetPort {
  readonly #session: DuckDbSession;
  readonly #folder: string;
  readonly #ids: Ids;

  constructor(session: DuckDbSession, folder: string, ids: Ids) {
    this.#session = session;
    this.#folder = folder;
    this.#ids = ids;
  }

  async writeCheckpoint(name: string, lines: Iterable<string>): Promise<{ sizeBytes: number }> {
    const unique = join(this.#folder, `.${name}.${this.#ids.next('tmp')}`);
    const staged = `${unique}.ndjson.tmp`;
    const complete = `${unique}.tmp`;
    try {
      await writeLines(staged, lines);
      await this.#session.use(async (connection) => {
        await connection.run(
          `COPY (SELECT * FROM read_json(${literal(staged)}, format = 'newline_delimited', ` +
            `columns = ${columnsSql()}, maximum_object_size = 67108864)) ` +
            `TO ${literal(complete)} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1)`,
        );
      });
      await syncFile(complete);
      const { size } = await stat(complete);
      await linkIfAbsent(complete, join(this.#folder, name));
      return { sizeBytes: size };
    } finally {
      await removeIfPresent(staged);
      await removeIfPresent(complete);
    }
  }

  async *readCheckpoint(name: string): AsyncGenerator<readonly Action[]> {
    const source = `read_parquet(${literal(join(this.#folder, name))}, hive_partitioning = false)`;
    const described = await this.#session.rows(`DESCRIBE SELECT * FROM ${source}`);
    const columns = new Set(described.map(([column]) => column as string));
    for (const kind of ['protocol', 'metaData', 'txn', 'remove'] as const) {
      if (columns.has(kind)) yield await this.#readActions(source, kind);
    }
    if (columns.has('add')) yield* this.#readFiles(source);
  }

  /**
   * The few and the wide, by way of JSON: whatever fields the file has, in the protocol's own form.
   */
  async #readActions(source: string, kind: keyof Action): Promise<Action[]> {
    const rows = await this.#session.rows(
      `SELECT to_json(${kind}) FROM ${source} WHERE ${kind} IS NOT NULL`,
    );
    return rows.map(([text]) => ({ [kind]: JSON.parse(text as string) as unknown }));
  }

  /** The many, column by column: a table may have hundreds of thousands of files. */
  async *#readFiles(source: string): AsyncGenerator<readonly Action[]> {
    const [first] = await this.#session.rows(
      `SELECT json_keys(to_json(add)) FROM ${source} WHERE add IS NOT NULL LIMIT 1`,
    );
    if (first === undefined) return;
    const fields = new Set((first[0] as DuckDBListValue).items as string[]);
    // Doubles hold every size and time there is, and cost half of what 64-bit integers do here.
    const sql =
      'SELECT add.path, CAST(add.size AS DOUBLE), CAST(add.modificationTime AS DOUBLE), ' +
      `${statsSql(fields)}, ${mapSql(fields, 'partitionValues')}, ${mapSql(fields, 'tags')} ` +
      `FROM ${source} WHERE add IS NOT NULL`;
    yield* this.#session.stream(sql, (columns) => filesOf(columns));
  }
}

/** Where a table keeps stats only as a struct, the row counts are all that is taken from it. */
function statsSql(fields: ReadonlySet<string>): string {
  if (fields.has('stats')) return 'add.stats';
  if (!fields.has('stats_parsed')) return 'NULL';
  return `'{"numRecords":' || add.stats_parsed.numRecords || '}'`;
}

function mapSql(fields: ReadonlySet<string>, name: string): string {
  return fields.has(name)
    ? `CASE WHEN cardinality(add.${name}) > 0 THEN to_json(add.${name}) END`
    : 'NULL';
}

const NO_PARTITION = {};

function filesOf(columns: DuckDBValue[][]): Action[] {
  const [paths, sizes, times, stats, partitions, tags] = columns as [
    string[],
    number[],
    number[],
    (string | null)[],
    (string | null)[],
    (string | null)[],
  ];
  return paths.map((path, index) => {
    const partition = partitions[index]!;
    const tag = tags[index]!;
    const add: AddFile = {
      path,
      partitionValues: partition === null ? NO_PARTITION : parseMap(partition),
      size: sizes[index]!,
      modificationTime: times[index]!,
      dataChange: false,
      stats: stats[index]!,
      tags: tag === null ? null : parseMap(tag),
    };
    return { add };
  });
}

function parseMap(json: string): Record<string, string | null> {
  return JSON.parse(json) as Record<string, string | null>;
}

function columnsSql(): string {
  const columns = Object.entries(CHECKPOINT_COLUMNS).map(([column, fields]) => {
    const struct = Object.entries(fields).map(([name, type]) => `"${name}" ${type}`);
    return `${column}: ${literal(`STRUCT(${struct.join(', ')})`)}`;
  });
  return `{${columns.join(', ')}}`;
}

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  const file = await open(path, 'wx');
  try {
    let batch: string[] = [];
    for (const line of lines) {
      batch.push(line);
      if (batch.length < WRITE_BATCH_LINES) continue;
      await file.write(`${batch.join('\n')}\n`);
      batch = [];
    }
    if (batch.length > 0) await file.write(`${batch.join('\n')}\n`);
  } finally {
    await file.close();
  }
}
