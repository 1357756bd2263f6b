import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'vitest';
import { decodeSegment, RecordKind } from '../../src/platform/journal/segment.ts';

/**
 * Reads journal and tables from the files of a state folder nobody has open, without the code that
 * writes tables: the log is replayed here and DuckDB reads the Parquet files.
 */

export interface StoredPrediction {
  readonly requestId: string;
  readonly status: number;
  readonly version: number;
  readonly revision: number;
  readonly key: string | null;
  /** The numbers of the input `x`. */
  readonly inputs: readonly number[];
  readonly score: number | null;
}

interface Row {
  readonly journal: string;
  readonly seq: number;
  readonly columns: Readonly<Record<string, unknown>>;
}

interface DeltaTable {
  readonly rows: readonly Row[];
  /** Newest number of each stream. */
  readonly txns: ReadonlyMap<string, number>;
}

type Tensors = readonly { readonly name: string; readonly data: readonly number[] }[];

/** Every record of the endpoint in journal or table; one that is in both counts once. */
export async function storedPredictions(
  state: string,
  endpoint: string,
): Promise<readonly StoredPrediction[]> {
  const table = await readDelta(path.join(state, 'lake/predictions', endpoint));
  const journaled = unflushed(readJournal(state, RecordKind.prediction, endpoint), table);
  return [...table.rows.map(({ columns }) => fromRow(columns)), ...journaled.map(fromRecord)];
}

/** Values of the labels in journal or table. */
export async function storedLabels(state: string, endpoint: string): Promise<readonly number[]> {
  const table = await readDelta(path.join(state, 'lake/labels', endpoint));
  const journaled = unflushed(readJournal(state, RecordKind.label, endpoint), table);
  return [
    ...table.rows.map(({ columns }) => Number(columns['value'])),
    ...journaled.map(({ columns }) => Number(columns['value'])),
  ];
}

/** Records past the newest number of their stream; the others must be rows. */
function unflushed(journal: readonly Row[], table: DeltaTable): readonly Row[] {
  const rows = new Set(table.rows.map(({ journal: writer, seq }) => `${writer} ${seq}`));
  expect(rows.size, 'a record is in the table twice').toBe(table.rows.length);
  return journal.filter(({ journal: writer, seq }) => {
    const isFlushed = seq <= (table.txns.get(`journal/${writer}`) ?? -1);
    expect(rows.has(`${writer} ${seq}`), `record ${seq} against the stream's number`).toBe(
      isFlushed,
    );
    return !isFlushed;
  });
}

function readJournal(state: string, wanted: number, endpoint: string): readonly Row[] {
  const folder = path.join(state, 'journal');
  const names = readdirSync(folder).filter((name) => name.endsWith('.seg'));
  return names.sort().flatMap((name) => {
    const file = path.join(folder, name);
    const segment = decodeSegment(readFileSync(file), file);
    if (segment === null) return [];
    return segment.records
      .filter(({ kind }) => kind === wanted)
      .map(({ seq, payload }) => ({
        journal: segment.header.writer,
        seq,
        columns: JSON.parse(payload) as Row['columns'],
      }))
      .filter(({ columns }) => columns['endpoint'] === endpoint);
  });
}

async function readDelta(table: string): Promise<DeltaTable> {
  const log = path.join(table, '_delta_log');
  const files = new Set<string>();
  const txns = new Map<string, number>();
  const names = existsSync(log) ? readdirSync(log) : [];
  for (const name of names.filter((it) => /^\d{20}\.json$/.test(it)).sort()) {
    for (const line of readFileSync(path.join(log, name), 'utf8').split('\n')) {
      if (line === '') continue;
      const { add, remove, txn } = JSON.parse(line) as {
        add?: { path: string };
        remove?: { path: string };
        txn?: { appId: string; version: number };
      };
      if (add !== undefined) files.add(path.join(table, add.path));
      if (remove !== undefined) files.delete(path.join(table, remove.path));
      if (txn !== undefined) txns.set(txn.appId, txn.version);
    }
  }
  return { rows: await readParquet([...files]), txns };
}

let instance: Promise<DuckDBInstance> | null = null;

async function readParquet(files: readonly string[]): Promise<readonly Row[]> {
  if (files.length === 0) return [];
  instance ??= DuckDBInstance.create(':memory:');
  const connection = await (await instance).connect();
  const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
  const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet([${list}])`);
  const rows = reader.getRowObjectsJson();
  connection.closeSync();
  return rows.map((columns) => ({
    journal: columns['journal'] as string,
    seq: Number(columns['seq']),
    columns,
  }));
}

function fromRow(columns: Row['columns']): StoredPrediction {
  const document = (name: string): Tensors | null =>
    JSON.parse((columns[name] ?? 'null') as string) as Tensors | null;
  const outputs = document('outputs');
  return {
    requestId: String(columns['request_id']),
    status: Number(columns['status']),
    version: Number(columns['version']),
    revision: Number(columns['route_revision']),
    key: columns['key'] as string | null,
    inputs: tensor(document('inputs') ?? [], 'x') ?? [],
    score: outputs === null ? null : (tensor(outputs, 'score')?.[0] ?? null),
  };
}

function fromRecord({ columns }: Row): StoredPrediction {
  const request = columns['request'] as { inputs: Tensors };
  const response = columns['response'] as { outputs: Tensors } | null;
  return {
    requestId: String(columns['request_id']),
    status: Number(columns['status']),
    version: Number(columns['model_version']),
    revision: Number(columns['route_revision']),
    key: columns['key'] as string | null,
    inputs: tensor(request.inputs, 'x') ?? [],
    score: response === null ? null : (tensor(response.outputs, 'score')?.[0] ?? null),
  };
}

function tensor(tensors: Tensors, name: string): readonly number[] | undefined {
  return tensors.find((candidate) => candidate.name === name)?.data;
}
