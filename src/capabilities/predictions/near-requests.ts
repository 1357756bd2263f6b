import { AppError } from '../../base/errors.ts';
import { formatInstant, type Micros } from '../../base/time.ts';
import type { Cell } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { RoutingReason } from './contract.ts';
import type { RowFilters } from './row-filters.ts';
import { PREDICTIONS } from './tables.ts';

/** Requests of an endpoint by how near they were answered to a moment of domain time. */
export interface NearQuery {
  readonly endpoint: string;
  readonly at: Micros;
  /** Answered at or after, and before, these. */
  readonly from: Micros;
  readonly until: Micros;
  /** Only those with this in a column of their table. */
  readonly is: Readonly<Record<string, string | number>>;
  /** Of those up to the moment, and of those after it. */
  readonly limit: number;
}

export interface NearRequest {
  /** What its features are of, as JSON; null where nothing was joined. */
  readonly entity: string | null;
  readonly request: RequestOutline;
}

/** An answered request without what it was asked and answered. */
export interface RequestOutline {
  readonly requestId: string;
  readonly now: string;
  readonly wall: string;
  readonly key: string | null;
  readonly routeRevision: number;
  readonly arm: string;
  readonly reason: RoutingReason;
  readonly bucket: number | null;
  readonly model: string;
  readonly modelVersion: number;
  readonly status: number;
  readonly errorCode: string | null;
}

const COLUMNS = [
  'request_id',
  'answered_at',
  'answered_wall',
  'key',
  'route_revision',
  'arm',
  'reason',
  'bucket',
  'model',
  'version',
  'status',
  'error_code',
];

/** Oldest first; those around the moment that satisfy the query. */
export async function nearRequests(
  tables: Pick<DeltaTables, 'find' | 'head'>,
  query: NearQuery,
  signal: AbortSignal,
): Promise<readonly NearRequest[]> {
  const ref = { namespace: PREDICTIONS, name: query.endpoint };
  const columns = await columnsOf(tables, ref);
  if (columns === null) return [];
  const side = async (where: RowFilters, descending: boolean): Promise<readonly NearRequest[]> => {
    const page = await tables.find(ref, {
      columns,
      where: [...where, ...exactly(query.is)],
      orderBy: { column: 'answered_at', descending },
      limit: query.limit,
      signal,
    });
    return page.rows.map(toNear);
  };
  const at = formatInstant(query.at);
  const before = await side([answered('>=', formatInstant(query.from)), answered('<=', at)], true);
  const after = await side([answered('>', at), answered('<', formatInstant(query.until))], false);
  return [...before.toReversed(), ...after];
}

/** Null while nothing was flushed; tables of former versions lack the last column. */
async function columnsOf(
  tables: Pick<DeltaTables, 'head'>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<readonly string[] | null> {
  try {
    const { columns } = await tables.head(ref);
    return columns.some(({ name }) => name === 'entity') ? [...COLUMNS, 'entity'] : COLUMNS;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
    throw thrown;
  }
}

function answered(comparison: '<' | '<=' | '>' | '>=', value: string): RowFilters[number] {
  return { column: 'answered_at', comparison, value };
}

function exactly(is: NearQuery['is']): RowFilters {
  return Object.entries(is).map(([column, value]) => ({ column, comparison: '=', value }));
}

function toNear(row: readonly Cell[]): NearRequest {
  const cell = (index: number): never => (row[index] ?? null) as never;
  const request = {
    requestId: cell(0),
    now: cell(1),
    wall: cell(2),
    key: cell(3),
    routeRevision: cell(4),
    arm: cell(5),
    reason: cell(6),
    bucket: cell(7),
    model: cell(8),
    modelVersion: cell(9),
    status: cell(10),
    errorCode: cell(11),
  };
  return { entity: cell(12), request };
}
