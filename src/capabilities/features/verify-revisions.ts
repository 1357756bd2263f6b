import { AppError } from '../../base/errors.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics, Scratch } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { CompiledSource, CompiledView } from './compiled.ts';
import type { TableAddition } from './ingest-rows.ts';
import { tableKey } from './tiles-catalog.ts';
import { keyPart, keyText } from './tiles-keys.ts';
import { KeyHistory, type KeyRevisions } from './verify-history.ts';

/** Names that no column of a Delta table can have. */
const VERSION = duckDbName('=version');
const ID = duckDbName('=id');
const TIME = duckDbName('=time');
/** Commits whose files one statement reads. */
const COMMITS_AT_ONCE = 200;

export interface RevisionDeps {
  readonly tables: Pick<DeltaTables, 'files' | 'additionsAfter'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
}

/** Which part of a source's past is looked at. */
export interface Past {
  /** Microseconds, half-open: times of events. */
  readonly from: number;
  readonly until: number;
  /** The oldest table version asked about. */
  readonly version: number;
}

/** A view's keys, each with everything its events ever were. */
export interface ViewHistory {
  readonly expressions: readonly string[];
  readonly keys: ReadonlyMap<string, KeyHistory>;
}

/**
 * Reads the views of one source from its table alone: every revision of every event, with the
 * table versions in which it was the one that counted. `TABLE_VERSION_NOT_FOUND` when rows were
 * removed or commits cleaned up since the oldest version.
 */
export async function viewHistories(
  deps: RevisionDeps,
  of: { readonly source: CompiledSource; readonly views: readonly CompiledView[] },
  past: Past,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ViewHistory>> {
  return await deps.analytics.scratch(async (scratch) => {
    await loadRevisions(deps, scratch, of, past);
    const histories = new Map<string, ViewHistory>();
    for (const view of of.views) {
      signal.throwIfAborted();
      histories.set(view.name, await viewHistory(scratch, view, past));
    }
    return histories;
  }, signal);
}

async function loadRevisions(
  { tables }: RevisionDeps,
  scratch: Scratch,
  { source }: { readonly source: CompiledSource },
  past: Past,
): Promise<void> {
  const base = await tables.files(source.table, past.version);
  const after = { version: past.version, limit: Number.MAX_SAFE_INTEGER };
  const additions = await tables.additionsAfter(source.table, after);
  if (additions === null) throw rewritten(source, past.version);
  const id = duckDbName(source.idColumn);
  const time = duckDbName(source.eventTimeColumn);
  const { columns } = base;
  const rowsOf = ({ version, files }: Pick<TableAddition, 'version' | 'files'>): string =>
    `SELECT ${version} AS ${VERSION}, ${id} AS ${ID}, epoch_us(${time}) AS ${TIME}, * ` +
    `FROM (${scratch.rowsOf(files, columns)}) ` +
    `WHERE ${id} IS NOT NULL AND isfinite(${time})`;
  const loaded = scratch.table('loaded');
  await scratch.run(`CREATE TABLE ${loaded} AS ${rowsOf(base)}`);
  const added = additions.filter(({ files }) => files.length > 0);
  for (let start = 0; start < added.length; start += COMMITS_AT_ONCE) {
    const commits = added.slice(start, start + COMMITS_AT_ONCE);
    // Rows are inserted in the order of the branches, so that a later row has a higher row id.
    await scratch.run(`INSERT INTO ${loaded} ${commits.map(rowsOf).join(' UNION ALL ')}`);
  }
  await scratch.run(
    `CREATE TABLE ${scratch.table('revisions')} AS SELECT *, ` +
      `lead(${VERSION}) OVER (PARTITION BY ${ID} ORDER BY rowid) AS "=next" FROM ${loaded}`,
  );
}

async function viewHistory(scratch: Scratch, view: CompiledView, past: Past): Promise<ViewHistory> {
  const sql = view.aggregates.flatMap((aggregate) => aggregate.sql ?? []);
  const expressions = [...new Set(sql)];
  const keys = view.keys.map(({ name }) => duckDbName(name));
  const selected = [
    `CAST(${TIME} AS DOUBLE)`,
    `CAST(${VERSION} AS DOUBLE)`,
    `coalesce(CAST("=next" AS DOUBLE), 'infinity'::DOUBLE)`,
    ...keys.map((key) => `CAST(${key} AS VARCHAR)`),
    ...expressions.map((expression) => `CAST((${expression}) AS DOUBLE)`),
  ];
  // A row that another of its own version replaced never counted.
  const conditions = [
    `${TIME} >= ${past.from} AND ${TIME} < ${past.until}`,
    `"=next" IS DISTINCT FROM ${VERSION}`,
    ...keys.map((key) => `${key} IS NOT NULL`),
  ];
  const rows = scratch.columns(
    `SELECT ${selected.join(', ')} FROM ${scratch.table('revisions')} ` +
      `WHERE ${conditions.join(' AND ')} ORDER BY ${TIME}`,
  );
  const found = new Map<string, number[][]>();
  for await (const columns of rows) {
    addRows(found, columns, { view, expressions: expressions.length });
  }
  const histories = new Map<string, KeyHistory>();
  for (const [key, columns] of found) histories.set(key, new KeyHistory(revisionsOf(columns)));
  return { expressions, keys: histories };
}

/** Columns of each key: time, first and last version, then the values. */
function addRows(
  found: Map<string, number[][]>,
  columns: readonly (readonly unknown[])[],
  of: { readonly view: CompiledView; readonly expressions: number },
): void {
  const { keys } = of.view;
  const count = columns[0]!.length;
  const shown = [
    0,
    1,
    2,
    ...Array.from({ length: of.expressions }, (_, at) => 3 + keys.length + at),
  ];
  for (let row = 0; row < count; row += 1) {
    const parts = keys.map(({ type }, index) => keyPart(type, columns[3 + index]![row] as string));
    const text = keyText(parts);
    let own = found.get(text);
    if (own === undefined) found.set(text, (own = shown.map(() => [])));
    shown.forEach((column, index) => own[index]!.push(numberOf(columns[column]![row])));
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

function revisionsOf(columns: readonly (readonly number[])[]): KeyRevisions {
  const [times, from, until, ...values] = columns.map((column) => Float64Array.from(column));
  return { times: times!, from: from!, until: until!, values };
}

function rewritten({ table }: CompiledSource, version: number): AppError {
  const name = tableKey(table);
  return new AppError(
    'TABLE_VERSION_NOT_FOUND',
    `What ${name} held at version ${version} can no longer be told from its log.`,
    { hint: 'Rows were removed or commits cleaned up since; check vectors that are newer.' },
  );
}
