import { AppError } from '../../base/errors.ts';
import { formatInstant, parseInstant, type Micros } from '../../base/time.ts';
import type { Cell } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
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
const COLUMNS = ['request_id', TIME, 'definition', 'entity', 'features', 'watermark'] as const;
const TIME_AT = COLUMNS.indexOf(TIME);
/** Endpoints looked at for one service. */
const ENDPOINTS_MAX = 1000;
/** A row of a batch holds up to a hundred vectors, so a page some hundred megabytes at worst. */
const PAGE_ROWS = 5000;

/** What endpoints answered with a service's vectors, the newest first of each. */
export async function loggedVectors(
  tables: Pick<DeltaTables, 'list' | 'find' | 'describe'>,
  of: {
    readonly service: string;
    readonly from: Micros;
    readonly until: Micros;
    readonly endpoint?: string;
  },
  signal: AbortSignal,
  limits = { vectors: VERIFY_ROWS_MAX, pageRows: PAGE_ROWS },
): Promise<LoggedVectors> {
  const vectors: LoggedVector[] = [];
  let unreadable = 0;
  for (const name of await endpoints(tables, of.endpoint)) {
    const ref = { namespace: PREDICTIONS, name };
    const page = { ...of, limit: limits.pageRows };
    for await (const row of newestFirst(tables, ref, page, signal)) {
      const found = parsed(name, row);
      if (found === null) unreadable += 1;
      else vectors.push(...found);
      if (vectors.length + unreadable > limits.vectors) {
        return { vectors: vectors.slice(0, limits.vectors), unreadable, isPartial: true };
      }
    }
  }
  return { vectors, unreadable, isPartial: false };
}

type Find = Parameters<DeltaTables['find']>[1];

/** Rows of one table by pages, each of which ends between two times: none is missed or twice. */
async function* newestFirst(
  tables: Pick<DeltaTables, 'find'>,
  ref: Parameters<DeltaTables['find']>[0],
  of: {
    readonly service: string;
    readonly from: Micros;
    readonly until: Micros;
    readonly limit: number;
  },
  signal: AbortSignal,
): AsyncGenerator<readonly Cell[]> {
  const fixed: Find['where'] = [
    { column: 'service', comparison: '=', value: of.service },
    { column: TIME, comparison: '>=', value: formatInstant(of.from) },
  ];
  let end: Find['where'][number] = {
    column: TIME,
    comparison: '<',
    value: formatInstant(of.until),
  };
  for (let { limit } = of; ;) {
    const { rows } = await tables.find(ref, {
      columns: COLUMNS,
      where: [...fixed, end],
      orderBy: { column: TIME, descending: true },
      limit,
      signal,
    });
    const oldest = String(rows.at(-1)?.[TIME_AT]);
    const whole = rows.length < limit ? rows : rows.filter((row) => row[TIME_AT] !== oldest);
    yield* whole;
    if (rows.length < limit) return;
    // More rows of one time than a page holds: only a larger one gets past them.
    limit = whole.length === 0 ? limit * 2 : of.limit;
    end = { column: TIME, comparison: '<=', value: oldest };
  }
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

/** A request of several rows was answered with a vector for each, all at one T. */
function parsed(endpoint: string, row: readonly Cell[]): readonly LoggedVector[] | null {
  const [requestId, at, definition, entity, features, watermark] = row;
  const time = parseInstant(String(at));
  const [values, inputs, watermarks] = [features, entity, watermark].map(document);
  if (time === null || !Array.isArray(values) || !isObject(inputs) || !isObject(watermarks)) {
    return null;
  }
  const logged = {
    requestId: String(requestId),
    endpoint,
    time,
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

type Vector = readonly (number | null)[];

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function document(cell: Cell | undefined): unknown {
  try {
    return typeof cell === 'string' ? (JSON.parse(cell) as unknown) : null;
  } catch {
    return null;
  }
}
