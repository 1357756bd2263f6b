import { AppError } from '../../base/errors.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import { printDuckDb } from '../../formats/expression/print-duckdb.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { insertRows } from './insert-rows.ts';
import type { FeatureInputs } from './online-key.ts';
import { VERIFY_ROWS_MAX } from './online-contract.ts';

/** A vector as it was answered with. */
export interface LoggedVector {
  readonly requestId: string;
  readonly endpoint: string;
  /** T, microseconds. */
  readonly time: number;
  readonly definition: string;
  readonly inputs: FeatureInputs;
  readonly values: readonly (number | null)[];
  /** Version of each source table, by `<namespace>.<table>`. */
  readonly watermarks: Readonly<Record<string, number>>;
}

export interface LoggedVectors {
  readonly vectors: readonly LoggedVector[];
  /** Rows that name the service but hold no whole vector. */
  readonly unreadable: number;
  readonly isPartial: boolean;
}

const PREDICTIONS = 'predictions';
const TIME = 'answered_at';
const COLUMNS = ['request_id', 'definition', 'entity', 'features', 'watermark'] as const;
/** Endpoints looked at for one service. */
const ENDPOINTS_MAX = 1000;

export interface LoggedDeps {
  readonly tables: Pick<DeltaTables, 'list' | 'files' | 'describe'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
}

interface LoggedRequest {
  readonly service: string;
  readonly from: Micros;
  readonly until: Micros;
  readonly endpoint?: string;
}

/** What endpoints answered with a service's vectors, the newest first of each. */
export async function loggedVectors(
  deps: LoggedDeps,
  of: LoggedRequest,
  signal: AbortSignal,
  vectorsMax = VERIFY_ROWS_MAX,
): Promise<LoggedVectors> {
  const vectors: LoggedVector[] = [];
  const parser = new VectorParser();
  let unreadable = 0;
  for (const name of await endpoints(deps.tables, of.endpoint)) {
    // A row is a vector at least, or unreadable; one more tells that there is more.
    const limit = vectorsMax - vectors.length - unreadable + 1;
    const isWhole = await eachRow(deps, { ...of, endpoint: name, limit }, signal, (row) => {
      const found = parser.parse(name, row);
      if (found === null) unreadable += 1;
      else vectors.push(...found);
      return vectors.length + unreadable <= vectorsMax;
    });
    if (!isWhole) return { vectors: vectors.slice(0, vectorsMax), unreadable, isPartial: true };
  }
  return { vectors, unreadable, isPartial: false };
}

/** Time in microseconds, then the columns. */
type LoggedRow = readonly unknown[];

/** Takes rows of one table, newest first, until told to stop; whether it took all. */
async function eachRow(
  { tables, analytics }: LoggedDeps,
  of: LoggedRequest & { readonly endpoint: string; readonly limit: number },
  signal: AbortSignal,
  take: (row: LoggedRow) => boolean,
): Promise<boolean> {
  const { files, columns } = await tables.files(
    { namespace: PREDICTIONS, name: of.endpoint },
    undefined,
    [
      { column: 'service', comparison: '=', value: of.service },
      { column: TIME, comparison: '>=', value: formatInstant(of.from) },
      { column: TIME, comparison: '<', value: formatInstant(of.until) },
    ],
  );
  const read = columns.filter(({ name }) => [...COLUMNS, TIME, 'service'].includes(name));
  const service = printDuckDb({ kind: 'literal', type: 'string', value: of.service });
  const where = `service = ${service} AND epoch_us(${TIME}) >= ${of.from} AND epoch_us(${TIME}) < ${of.until}`;
  return await analytics.scratch(async (scratch) => {
    const table = scratch.table('logged');
    await scratch.run(`CREATE TABLE ${table} AS ${scratch.rowsOf([], read)}`);
    await insertRows(scratch, table, { files, columns: read, where });
    const rows = scratch.columns(
      `SELECT epoch_us(${TIME})::DOUBLE, ${COLUMNS.join(', ')} FROM ${table} ` +
        `ORDER BY ${TIME} DESC LIMIT ${of.limit}`,
    );
    for await (const cells of rows) {
      for (let row = 0; row < cells[0]!.length; row += 1) {
        if (!take(cells.map((column) => column[row]))) return false;
      }
    }
    return true;
  }, signal);
}

/** Tables of answers that can hold vectors: those of former versions have no such columns. */
async function endpoints(
  tables: Pick<DeltaTables, 'list' | 'describe'>,
  endpoint: string | undefined,
): Promise<readonly string[]> {
  if (endpoint !== undefined) {
    if (await canHold(tables, endpoint)) return [endpoint];
    throw new AppError('ENDPOINT_NOT_FOUND', `No answer of ${endpoint} with features is logged.`, {
      hint: 'Answers reach their table within ten seconds.',
    });
  }
  // The first key after `predictions.` on.
  const listed = await tables.list({ after: `${PREDICTIONS}.`, limit: ENDPOINTS_MAX });
  const found: string[] = [];
  for (const { namespace, name } of listed) {
    if (namespace === PREDICTIONS && (await canHold(tables, name))) found.push(name);
  }
  return found;
}

async function canHold(tables: Pick<DeltaTables, 'describe'>, name: string): Promise<boolean> {
  try {
    const { columns } = await tables.describe({ namespace: PREDICTIONS, name });
    return columns.some((column) => column.name === 'watermark');
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return false;
    throw thrown;
  }
}

class VectorParser {
  /** Few watermarks are told by many vectors. */
  readonly #watermarks = new Map<unknown, unknown>();

  /** A request of several rows was answered with a vector for each, all at one T. */
  parse(endpoint: string, row: LoggedRow): readonly LoggedVector[] | null {
    const [time, requestId, definition, entity, features, watermark] = row;
    const [values, inputs] = [document(features), document(entity)];
    const watermarks = this.#watermarksOf(watermark);
    if (!Array.isArray(values) || !isObject(inputs) || !isObject(watermarks)) return null;
    const logged = {
      requestId: String(requestId),
      endpoint,
      time: time as number,
      definition: String(definition),
      watermarks: watermarks as Record<string, number>,
    };
    if (!Array.isArray(inputs)) {
      return [{ ...logged, inputs: inputs as FeatureInputs, values: values as Vector }];
    }
    const vectors = values as Vector[];
    if (inputs.length !== vectors.length) return null;
    return inputs.map((one, index) => ({
      ...logged,
      inputs: one as FeatureInputs,
      values: vectors[index]!,
    }));
  }

  #watermarksOf(cell: unknown): unknown {
    let known = this.#watermarks.get(cell);
    if (known === undefined) this.#watermarks.set(cell, (known = document(cell)));
    return known;
  }
}

type Vector = readonly (number | null)[];

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function document(cell: unknown): unknown {
  try {
    return typeof cell === 'string' ? (JSON.parse(cell) as unknown) : null;
  } catch {
    return null;
  }
}
