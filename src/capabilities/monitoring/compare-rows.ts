import { joinedDoubles } from '../../base/joined-doubles.ts';
import { AppError } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { LabelledRequest, LabelledRequests } from '../predictions/labelled-requests.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { Comparison } from './compare-contract.ts';
import type { ReadRows } from './rows-port.ts';

/** Where rows to compare on come from. */
export type CompareSource =
  | {
      readonly kind: 'log';
      readonly endpoint: string;
      /** After this from the answer a label is taken to be known; null: whenever there is one. */
      readonly matureMicros: number | null;
    }
  | {
      readonly kind: 'training-set';
      readonly table: { readonly namespace: string; readonly name: string };
      readonly tableVersion: number;
    };

export interface RowsRequest {
  readonly source: CompareSource;
  /** T in `[from, until)`. */
  readonly from: Micros;
  readonly until: Micros;
  readonly at: Micros;
  readonly layout: ComparedLayout;
}

/**
 * What vectors must follow, and their names; null: requests that brought the model's own tensors;
 * `any`: all of them, for nothing is scored.
 */
export type ComparedLayout =
  { readonly definition: string; readonly features: readonly string[] } | null | 'any';

/** Labelled rows in the order of T. */
export interface ComparedRows {
  /** T, microseconds. */
  readonly times: Float64Array;
  readonly labels: Float64Array;
  /** What was answered; null for rows that nobody asked for. */
  readonly served: Float64Array | null;
  readonly columns: ReadonlyMap<string, Float64Array>;
  readonly leftOut: Omit<Comparison['leftOut'], 'unscored'>;
}

export interface CompareRowsDeps {
  readonly tables: Pick<DeltaTables, 'files'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
  readonly readRows: ReadRows;
}

/** Reads the labelled rows; `DEFINITION_SKEW` when every vector follows another definition. */
export async function readComparedRows(
  deps: CompareRowsDeps,
  request: RowsRequest,
  signal: AbortSignal,
): Promise<ComparedRows> {
  const { source } = request;
  if (source.kind !== 'log') return await trained(deps, { ...request, source }, signal);
  const rows = await logged(deps, { ...request, source }, signal);
  if (rows.times.length === 0 && rows.leftOut.otherDefinition > 0) {
    throw new AppError(
      'DEFINITION_SKEW',
      `The vectors that ${source.endpoint} answered with follow another feature definition than ` +
        'the versions were trained on.',
      { hint: 'Compare on rows of a training set, or from the deployment of the definition on.' },
    );
  }
  return rows;
}

type LogRequest = RowsRequest & { readonly source: Extract<CompareSource, { kind: 'log' }> };

async function logged(
  { readRows }: CompareRowsDeps,
  request: LogRequest,
  signal: AbortSignal,
): Promise<ComparedRows> {
  return comparedRows(await readRows(logRequest(request), signal), request);
}

/** What to read of the log for such rows. */
export function logRequest({ source, from, until, at, layout }: LogRequest): LabelledRequest {
  const layouts = layout === null || layout === 'any' ? [] : [layout];
  return { endpoint: source.endpoint, from, until, at, layouts, withInputs: layout === null };
}

/** Those of what was read that were answered in the request's time and can be compared. */
export function comparedRows(rows: LabelledRequests, request: LogRequest): ComparedRows {
  const { source, from, until, at, layout } = request;
  const { matureMicros } = source;
  const leftOut = { failed: 0, immature: 0, unlabelled: 0, otherDefinition: 0 };
  const isWanted = definitionsOf(rows, layout);
  const kept: number[] = [];
  for (let row = 0; row < rows.rowCount; row += 1) {
    if (rows.answeredAt[row]! < from || rows.answeredAt[row]! >= until) continue;
    const why = whyLeftOut(rows, row, { at, matureMicros, isWanted });
    if (why === null) kept.push(row);
    else leftOut[why] += 1;
  }
  const pick = (values: Float64Array): Float64Array =>
    Float64Array.from(kept, (row) => values[row]!);
  const columns = layout === null ? rows.numbers : rows.features;
  return {
    times: pick(rows.answeredAt),
    labels: pick(rows.label),
    served: pick(rows.score),
    columns: new Map([...columns].map(([name, values]) => [name, pick(values)])),
    leftOut,
  };
}

function whyLeftOut(
  rows: LabelledRequests,
  row: number,
  on: {
    readonly at: Micros;
    readonly matureMicros: number | null;
    readonly isWanted: (definition: number) => boolean;
  },
): keyof ComparedRows['leftOut'] | null {
  if (rows.status[row]! >= 400) return 'failed';
  if (on.matureMicros !== null && rows.answeredAt[row]! + on.matureMicros > on.at) {
    return 'immature';
  }
  if (Number.isNaN(rows.label[row])) return 'unlabelled';
  return on.isWanted(rows.definition[row]!) ? null : 'otherDefinition';
}

/** By the number that the reader gives a definition; -1 for requests without joined features. */
function definitionsOf(
  { definitions }: LabelledRequests,
  layout: ComparedLayout,
): (definition: number) => boolean {
  if (layout === 'any') return () => true;
  if (layout === null) return (definition) => definition === -1;
  const wanted = definitions.indexOf(layout.definition);
  return (definition) => definition !== -1 && definition === wanted;
}

async function trained(
  { tables, analytics }: CompareRowsDeps,
  request: RowsRequest & { readonly source: Extract<CompareSource, { kind: 'training-set' }> },
  signal: AbortSignal,
): Promise<ComparedRows> {
  const { source, from, until, layout } = request;
  const names = layout === null || layout === 'any' ? [] : layout.features;
  const found = await tables.files(source.table, source.tableVersion);
  const parts = [[], [], ...names.map(() => [])] as Float64Array[][];
  await analytics.scratch(async (scratch) => {
    const cells = names.map((name) => `coalesce(CAST(${duckDbName(name)} AS DOUBLE), 'nan')`);
    const sql =
      `SELECT CAST(epoch_us("T") AS DOUBLE), label, ${cells.join(', ')} ` +
      `FROM (${scratch.rowsOf(found.files, found.columns)}) ` +
      `WHERE epoch_us("T") >= ${from} AND epoch_us("T") < ${until} ORDER BY "T", row_id`;
    for await (const { rowCount, columns } of scratch.doubles(sql)) {
      columns.forEach((values, index) => parts[index]!.push(values.slice(0, rowCount)));
    }
  }, signal);
  const [times, labels, ...columns] = parts.map(joinedDoubles);
  return {
    times: times!,
    labels: labels!,
    served: null,
    columns: new Map(names.map((name, index) => [name, columns[index]!])),
    leftOut: { failed: 0, immature: 0, unlabelled: 0, otherDefinition: 0 },
  };
}
