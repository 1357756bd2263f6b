import { AppError } from '../../base/errors.ts';
import { formatInstant, micros } from '../../base/time.ts';
import type { Column } from '../../formats/delta/schema.ts';
import { duckDbName, printDuckDb } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, Scratch } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { CompiledKey, CompiledSource, CompiledView } from './compiled.ts';
import { keyOf, type FeatureInputs } from './online-key.ts';
import { insertRows } from './insert-rows.ts';
import { columnsIn, keySql } from './scratch-events.ts';
import { tableKey } from './tiles-catalog.ts';

export interface RevisionDeps {
  readonly tables: Pick<DeltaTables, 'files' | 'additionsAfter'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
}

export interface SourceViews {
  readonly source: CompiledSource;
  readonly views: readonly CompiledView[];
}

/** Which part of a source's past is looked at. */
export interface Past {
  /** Microseconds, half-open: times of events. */
  readonly from: number;
  readonly until: number;
  /** The oldest table version asked about. */
  readonly version: number;
}

/** Rows of a source in the order of appending: the row id in the scratch table is a row's place. */
export interface LoadedRevisions {
  readonly table: string;
  readonly rows: number;
  /** The first place of each commit's rows, and the version since when they are seen. */
  readonly commits: readonly { readonly place: number; readonly version: number }[];
  /** A later row of the same id and its place, for those that have one. */
  readonly replaced: ReadonlyMap<number, number>;
}

/**
 * Every revision of every event, read from a source's table alone. `TABLE_VERSION_NOT_FOUND` when
 * rows were removed or commits cleaned up since the oldest version.
 */
export async function loadRevisions(
  { tables }: RevisionDeps,
  scratch: Scratch,
  of: SourceViews,
  past: Past,
): Promise<LoadedRevisions> {
  const { source } = of;
  const base = await tables.files(source.table, past.version);
  const after = { version: past.version, limit: Number.MAX_SAFE_INTEGER };
  const additions = await tables.additionsAfter(source.table, after);
  if (additions === null) throw rewritten(source, past.version);
  const columns = neededColumns(of, base.columns);
  const table = scratch.table('loaded');
  await scratch.run(`CREATE TABLE ${table} AS ${scratch.rowsOf([], columns)}`);
  await insertRows(scratch, table, { files: base.files, columns });
  const commits = [{ place: 0, version: base.version }];
  let rows = await countOf(scratch, table);
  for (const { version, rows: added } of additions) {
    if (added > 0) commits.push({ place: rows, version });
    rows += added;
  }
  await insertRows(scratch, table, { files: additions.flatMap(({ files }) => files), columns });
  if ((await countOf(scratch, table)) !== rows) {
    throw new AppError('TABLE_CORRUPT', `Files of ${tableKey(source.table)} hold other rows.`, {
      hint: 'Their number is not the one in the log; restore the table from a backup.',
    });
  }
  return { table, rows, commits, replaced: await replacedRows(scratch, table, source) };
}

/**
 * The events of some keys alone, as one version shows them. Reads files that can hold an event of
 * the time, then those that can hold a later row of the same ids, whatever its time and keys.
 */
export async function loadSeen(
  { tables }: RevisionDeps,
  scratch: Scratch,
  of: SourceViews & { readonly rows: readonly FeatureInputs[] },
  past: Past,
): Promise<LoadedRevisions> {
  const { source } = of;
  const [id, time] = [duckDbName(source.idColumn), duckDbName(source.eventTimeColumn)];
  const near = await tables.files(source.table, past.version, [
    { column: source.eventTimeColumn, comparison: '>=', value: formatInstant(micros(past.from)) },
    { column: source.eventTimeColumn, comparison: '<', value: formatInstant(micros(past.until)) },
  ]);
  const columns = neededColumns(of, near.columns);
  const [table, ids] = [scratch.table('loaded'), scratch.table('ids')];
  await scratch.run(`CREATE TABLE ${table} AS ${scratch.rowsOf([], columns)}`);
  await scratch.run(`CREATE TABLE ${ids} AS SELECT ${id} FROM ${table}`);
  const isNear =
    `${isEventSql(source)} AND epoch_us(${time}) >= ${past.from} ` +
    `AND epoch_us(${time}) < ${past.until} AND (${hasKeysSql(of)})`;
  await insertRows(scratch, ids, { files: near.files, columns, select: id, where: isNear });
  const [[first, last]] = (await scratch.rows(`SELECT min(${id}), max(${id}) FROM ${ids}`)) as [
    [IdCell, IdCell],
  ];
  if (first !== null) {
    const found = await tables.files(source.table, past.version, [
      { column: source.idColumn, comparison: '>=', value: idValue(first) },
      { column: source.idColumn, comparison: '<=', value: idValue(last!) },
    ]);
    const where = `${isEventSql(source)} AND ${id} IN (SELECT ${id} FROM ${ids})`;
    await insertRows(scratch, table, { files: found.files, columns, where });
  }
  const rows = await countOf(scratch, table);
  const commits = [{ place: 0, version: past.version }];
  return { table, rows, commits, replaced: await replacedRows(scratch, table, source) };
}

type IdCell = string | bigint | number | null;

function idValue(id: NonNullable<IdCell>): string | number {
  return typeof id === 'string' ? id : Number(id);
}

/** Whether a row has the key of one of the asked rows in one of the views. */
function hasKeysSql(of: {
  readonly views: readonly CompiledView[];
  readonly rows: readonly FeatureInputs[];
}): string {
  const conditions = of.views.flatMap(({ keys }) =>
    of.rows
      .filter((row) => keyOf(keys, row) !== null)
      .map((row) => keys.map((key) => `${keySql(key, 'rows')} = ${keyLiteral(key, row)}`)),
  );
  const distinct = new Set(conditions.map((parts) => `(${parts.join(' AND ')})`));
  return distinct.size === 0 ? 'false' : [...distinct].join(' OR ');
}

function keyLiteral({ name, type }: CompiledKey, row: FeatureInputs): string {
  const value = String(row[name]).toWellFormed();
  return printDuckDb({ kind: 'literal', type, value });
}

/** Columns that decide what an event is, which keys it has and what it counts with. */
function neededColumns(
  { source, views }: SourceViews,
  columns: readonly Column[],
): readonly Column[] {
  const aggregates = views.flatMap((view) => view.aggregates);
  const needed = new Set([
    source.idColumn,
    source.eventTimeColumn,
    ...views.flatMap(({ keys }) => keys.map(({ name }) => name)),
    ...aggregates.flatMap((it) => it.of ?? []).flatMap(columnsIn),
  ]);
  return columns.filter(({ name }) => needed.has(name));
}

/** A condition that holds for rows that are events. */
export function isEventSql({ idColumn, eventTimeColumn }: CompiledSource): string {
  return `${duckDbName(idColumn)} IS NOT NULL AND isfinite(${duckDbName(eventTimeColumn)})`;
}

async function countOf(scratch: Scratch, table: string): Promise<number> {
  const [[count]] = (await scratch.rows(`SELECT count(*) FROM ${table}`)) as [[bigint]];
  return Number(count);
}

/** Few ids come twice, so only those are sorted. */
async function replacedRows(
  scratch: Scratch,
  table: string,
  source: CompiledSource,
): Promise<ReadonlyMap<number, number>> {
  const id = duckDbName(source.idColumn);
  const events = `FROM ${table} WHERE ${isEventSql(source)}`;
  const pairs = scratch.doubles(
    `SELECT * FROM (SELECT rowid::DOUBLE AS place, ` +
      `(lead(rowid) OVER (PARTITION BY ${id} ORDER BY rowid))::DOUBLE AS later ` +
      `${events} AND ${id} IN (SELECT ${id} ${events} GROUP BY 1 HAVING count(*) > 1)) ` +
      'WHERE later IS NOT NULL',
  );
  const replaced = new Map<number, number>();
  for await (const { rowCount, columns } of pairs) {
    const [places, later] = columns as [Float64Array, Float64Array];
    for (let row = 0; row < rowCount; row += 1) replaced.set(places[row]!, later[row]!);
  }
  return replaced;
}

function rewritten({ table }: CompiledSource, version: number): AppError {
  const name = tableKey(table);
  return new AppError(
    'TABLE_VERSION_NOT_FOUND',
    `What ${name} held at version ${version} can no longer be told from its log.`,
    { hint: 'Rows were removed or commits cleaned up since; check vectors that are newer.' },
  );
}
