import type { DuckDBListValue, DuckDBValue } from '@duckdb/node-api';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ids } from '../../base/ids.ts';
import type { Action } from '../../formats/delta/actions.ts';
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
      removeIfPresent(staged);
      removeIfPresent(complete);
    }
  }

  async *readCheckpoint(name: string): AsyncGenerator<readonly Action[]> {
    const source = `read_parquet(${literal(join(this.#folder, name))}, hive_partitioning = false, file_row_number = true)`;
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

  /** The many: a table may have hundreds of thousands of files. */
  async *#readFiles(source: string): AsyncGenerator<readonly Action[]> {
    const [first] = await this.#session.rows(
      `SELECT json_keys(to_json(add)) FROM ${source} WHERE add IS NOT NULL LIMIT 1`,
    );
    if (first === undefined) return;
    const fields = new Set((first[0] as DuckDBListValue).items as string[]);
    const groups = this.#session.stream(groupsSql(source, fields), toGroups);
    for await (const batch of groups) {
      for (const group of batch) {
        if (group.isPlain) yield plainFiles(group);
        else yield await this.#readOddFiles(source, fields, group.number);
      }
    }
  }

  /** Files with partition values or tags, or with line breaks in their texts. */
  async #readOddFiles(
    source: string,
    fields: ReadonlySet<string>,
    group: number,
  ): Promise<Action[]> {
    const maps = ['partitionValues', 'tags'].map((name) =>
      fields.has(name) ? `to_json(add.${name})` : 'NULL',
    );
    const rows = await this.#session.rows(
      'SELECT add.path, CAST(add.size AS DOUBLE), CAST(add.modificationTime AS DOUBLE), ' +
        `${statsSql(fields)}, ${maps.join(', ')} FROM ${source} ` +
        `WHERE add IS NOT NULL AND file_row_number // ${GROUP_ROWS} = ${group}`,
    );
    return rows.map(([path, size, modificationTime, stats, partition, tags]) => ({
      add: {
        path: path as string,
        partitionValues: parseMap(partition) ?? {},
        size: size as number,
        modificationTime: modificationTime as number,
        dataChange: false,
        stats: stats as string | null,
        tags: parseMap(tags),
      },
    }));
  }
}

/** Rows of a checkpoint handed over at a time. */
const GROUP_ROWS = 8192;

/** A run of files as text: DuckDB hands over one long string several times faster than many. */
interface FileGroup {
  readonly number: number;
  /** No file has partition values or tags, and no text has a line break. */
  readonly isPlain: boolean;
  /** Line by line. */
  readonly paths: string;
  /** Size and modification time of each file, comma separated. */
  readonly numbers: string;
  /** Line by line; empty where a file has none. */
  readonly stats: string;
}

function groupsSql(source: string, fields: ReadonlySet<string>): string {
  const stats = `coalesce(${statsSql(fields)}, '')`;
  const maps = ['partitionValues', 'tags'].filter((name) => fields.has(name));
  const odd = [
    ...maps.map((name) => `coalesce(cardinality(add.${name}), 0) > 0`),
    'contains(add.path, chr(10))',
    `contains(${stats}, chr(10))`,
  ];
  return (
    `SELECT CAST(file_row_number // ${GROUP_ROWS} AS INTEGER) AS number, ` +
    `NOT bool_or(${odd.join(' OR ')}), string_agg(add.path, chr(10)), ` +
    `string_agg(coalesce(add.size, 0) || ',' || coalesce(add.modificationTime, 0), ','), string_agg(${stats}, chr(10)) ` +
    `FROM ${source} WHERE add IS NOT NULL GROUP BY number ORDER BY number`
  );
}

function toGroups(columns: DuckDBValue[][]): FileGroup[] {
  const [numbers, plain, paths, sizes, stats] = columns;
  return numbers!.map((number, index) => ({
    number: number as number,
    isPlain: plain![index] as boolean,
    paths: paths![index] as string,
    numbers: sizes![index] as string,
    stats: stats![index] as string,
  }));
}

function plainFiles(group: FileGroup): Action[] {
  const numbers = JSON.parse(`[${group.numbers}]`) as number[];
  const stats = group.stats.split('\n');
  return group.paths.split('\n').map((path, index) => ({
    add: {
      path,
      partitionValues: NO_PARTITION,
      size: numbers[2 * index]!,
      modificationTime: numbers[2 * index + 1]!,
      dataChange: false,
      stats: stats[index] === '' ? null : stats[index]!,
      tags: null,
    },
  }));
}

const NO_PARTITION: Readonly<Record<string, string>> = {};

/** Where a table keeps stats only as a struct, the row counts are all that is taken from it. */
function statsSql(fields: ReadonlySet<string>): string {
  if (fields.has('stats')) return 'add.stats';
  if (!fields.has('stats_parsed')) return 'NULL';
  return `'{"numRecords":' || add.stats_parsed.numRecords || '}'`;
}

function parseMap(json: DuckDBValue | undefined): Record<string, string | null> | null {
  return typeof json === 'string' ? (JSON.parse(json) as Record<string, string | null>) : null;
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
