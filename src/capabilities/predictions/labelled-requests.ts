import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../base/errors.ts';
import { formatInstant, micros, MICROS_PER_MS, type Micros } from '../../base/time.ts';
import type { Analytics, Scratch } from '../../platform/analytics/port.ts';
import type { Column } from '../tables/contract.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { filesOf } from './files-of.ts';
import { RequestRows } from './request-rows.ts';
import { LABELS, PREDICTIONS } from './tables.ts';

export interface LabelledDeps {
  readonly tables: Pick<DeltaTables, 'files'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
}

export interface LabelledRequest {
  readonly endpoint: string;
  /** Requests answered in `[from, until)`, domain time. */
  readonly from: Micros;
  readonly until: Micros;
  /** Labels count that had occurred by then; of several of a request the last one that came. */
  readonly at: Micros;
  /** Names of a vector's values, by the definition's hash; others have no features. */
  readonly layouts: readonly FeatureLayout[];
  /** Also what the requests brought, before features were joined. */
  readonly withInputs?: boolean;
  /**
   * Features and what was brought of about so many requests, of more those that a hash of their ids
   * picks: the same ones each time. The others come without.
   */
  readonly documentsMax?: number;
}

/** The names of a vector's values in their order. */
export interface FeatureLayout {
  readonly definition: string;
  readonly features: readonly string[];
}

/**
 * Answered rows as columns of one length, in the order of time and key. A request of several rows
 * is as many rows, which have no label: one outcome cannot say which of them it is of.
 */
export interface LabelledRequests {
  readonly rowCount: number;
  /** Microseconds, domain time. */
  readonly answeredAt: Float64Array;
  readonly version: Float64Array;
  readonly status: Float64Array;
  readonly totalUs: Float64Array;
  /** What was answered, as `scoreOf` reads it; NaN where it has none. */
  readonly score: Float64Array;
  /** A number, or 0 and 1 for false and true; NaN without one by `at`, or when it is a text. */
  readonly label: Float64Array;
  /** When it occurred, microseconds; NaN without a label. */
  readonly labelAt: Float64Array;
  /** 1 for rows of requests whose features and inputs were read, where any were asked for. */
  readonly hasDocuments: Uint8Array;
  /** An index into `definitions`; -1 without joined features. */
  readonly definition: Int32Array;
  readonly definitions: readonly string[];
  /** By name; NaN for null and where a row's definition has no such feature. */
  readonly features: ReadonlyMap<string, Float64Array>;
  /** Numbers and truth values of what requests brought, by name; empty unless asked for. */
  readonly numbers: ReadonlyMap<string, Float64Array>;
  /** Its texts: indices into `values`, -1 for none. */
  readonly texts: ReadonlyMap<string, TextColumn>;
}

export interface TextColumn {
  readonly codes: Int32Array;
  readonly values: readonly string[];
}

/** Rows read at once: 2 GB of features at 64 a row. */
const LABELLED_ROWS_MAX = 4_000_000;
/**
 * Labels that occurred earlier than this before the first request are none of its: an outcome
 * follows what it is of, but for clocks that differ.
 */
const LABEL_BEFORE_MS = 24 * 3600 * 1000;

/** When the first label can have occurred of requests answered from then on. */
export function earliestLabel(from: Micros): Micros {
  return micros(from - LABEL_BEFORE_MS * MICROS_PER_MS);
}

/** Rows parsed before other tasks have their turn, about 20 ms. */
const TURN_ROWS = 4096;

/** Reads what an endpoint answered, with features and labels, in the engine's process. */
export class LabelledRequestReader {
  readonly #deps: LabelledDeps;

  constructor(deps: LabelledDeps) {
    this.#deps = deps;
  }

  /**
   * Memory is 8 bytes a value: 208,000 rows of 39 features take 65 MB. An endpoint that has
   * answered nothing has no rows. `INVALID_INPUT` for more than `LABELLED_ROWS_MAX` requests.
   */
  async read(request: LabelledRequest, signal: AbortSignal): Promise<LabelledRequests> {
    return await readLabelledRequests(this.#deps, request, signal);
  }
}

async function readLabelledRequests(
  { tables, analytics }: LabelledDeps,
  request: LabelledRequest,
  signal: AbortSignal,
): Promise<LabelledRequests> {
  const rows = new RequestRows(request.layouts, request.withInputs === true);
  await analytics.scratch(async (scratch) => {
    const requests = await loadRequests(scratch, tables, request);
    if (requests === null) return;
    const labels = await loadLabels(scratch, tables, { ...request, requests });
    let sinceTurn = 0;
    for await (const columns of scratch.columns(joinedSql(requests, labels))) {
      rows.push(columns);
      sinceTurn += columns[0]!.length;
      if (sinceTurn < TURN_ROWS) continue;
      sinceTurn = 0;
      await setImmediate();
    }
  }, signal);
  return rows.finish();
}

/** The requests in a scratch table; null when there is none. */
async function loadRequests(
  scratch: Scratch,
  tables: LabelledDeps['tables'],
  request: LabelledRequest,
): Promise<string | null> {
  const { endpoint, from, until } = request;
  const found = await filesOf(tables, { namespace: PREDICTIONS, name: endpoint }, [
    { column: 'answered_at', comparison: '>=', value: formatInstant(from) },
    { column: 'answered_at', comparison: '<', value: formatInstant(until) },
  ]);
  if (found === null) return null;
  const rowsSql = (columns: readonly Column[]): string =>
    `(${scratch.rowsOf(found.files, columns)}) ` +
    `WHERE epoch_us(answered_at) >= ${from} AND epoch_us(answered_at) < ${until}`;
  const counted = found.columns.filter(({ name }) => name === 'answered_at');
  const [[count]] = (await scratch.rows(`SELECT count(*) FROM ${rowsSql(counted)}`)) as [[bigint]];
  assertReadable(Number(count));
  const unread = unreadColumns(request);
  const read = REQUEST_COLUMNS.filter((name) => !unread.has(name));
  const needed = new Set(['request_id', 'answered_at', 'key', 'seq', ...read]);
  const present = new Set(found.columns.map(({ name }) => name));
  const columns = found.columns.filter(({ name }) => needed.has(name));
  // Tables of former versions lack the newest columns.
  const isPicked = pickSql(Number(count), request.documentsMax);
  const selected = REQUEST_COLUMNS.map((name) => {
    if (!present.has(name) || unread.has(name)) return `NULL AS "${name}"`;
    if (DOCUMENTS.has(name)) return `CASE WHEN ${isPicked} THEN "${name}" END AS "${name}"`;
    return TEXTS.has(name) ? `"${name}"` : `CAST("${name}" AS DOUBLE) AS "${name}"`;
  });
  const requests = scratch.table('requests');
  await scratch.run(
    `CREATE TABLE ${requests} AS SELECT request_id, epoch_us(answered_at) AS t, key, seq, ` +
      `${selected.join(', ')}, ${isPicked} AS picked FROM ${rowsSql(columns)}`,
  );
  return requests;
}

function assertReadable(count: number): void {
  if (count <= LABELLED_ROWS_MAX) return;
  throw new AppError('INVALID_INPUT', `${count} requests are too many to be read at once.`, {
    hint: `Ask for a shorter time: at most ${LABELLED_ROWS_MAX} requests.`,
  });
}

/** Whether a request's documents are read: of one in so many, which its id decides. */
function pickSql(count: number, documentsMax = Infinity): string {
  const step = Math.max(1, Math.ceil(count / documentsMax));
  return step === 1 ? 'true' : `(hash(request_id) % ${step} = 0)`;
}

/** Documents are most of a row's bytes: those that nothing asks for stay where they are. */
function unreadColumns({ layouts, withInputs }: LabelledRequest): ReadonlySet<string> {
  return new Set([
    ...(layouts.length === 0 ? ['features'] : []),
    ...(withInputs === true ? [] : ['entity', 'inputs']),
  ]);
}

const REQUEST_COLUMNS = [
  'version',
  'status',
  'total_us',
  'definition',
  'features',
  'entity',
  'inputs',
  'outputs',
] as const;
const TEXTS: ReadonlySet<string> = new Set([
  'definition',
  'features',
  'entity',
  'inputs',
  'outputs',
]);

const DOCUMENTS: ReadonlySet<string> = new Set(['features', 'entity', 'inputs']);

/** The label that counts of each request; null when there is none. */
async function loadLabels(
  scratch: Scratch,
  tables: LabelledDeps['tables'],
  of: LabelledRequest & { readonly requests: string },
): Promise<string | null> {
  const { endpoint, from, at, requests } = of;
  const earliest = earliestLabel(from);
  const found = await filesOf(tables, { namespace: LABELS, name: endpoint }, [
    { column: 'occurred_at', comparison: '<=', value: formatInstant(at) },
    { column: 'occurred_at', comparison: '>=', value: formatInstant(earliest) },
  ]);
  if (found === null) return null;
  const labels = scratch.table('labels');
  await scratch.run(
    `CREATE TABLE ${labels} AS SELECT request_id, value, occurred FROM (SELECT request_id, ` +
      `value, epoch_us(occurred_at) AS occurred, known_at, known_wall, seq ` +
      `FROM (${scratch.rowsOf(found.files, found.columns)})) ` +
      `WHERE occurred <= ${at} AND occurred >= ${earliest} ` +
      `AND request_id IN (SELECT request_id FROM ${requests}) QUALIFY row_number() OVER ` +
      '(PARTITION BY request_id ORDER BY known_at DESC, known_wall DESC, seq DESC) = 1',
  );
  return labels;
}

/**
 * Ordered by what the caller knows of a request before anything else, so that sums over the rows
 * come out the same whichever of two concurrent requests was answered first.
 */
function joinedSql(requests: string, labels: string | null): string {
  const columns = ['t', ...REQUEST_COLUMNS].map((name) => `r."${name}"`);
  columns[0] = 'CAST(r.t AS DOUBLE)';
  const label = labels === null ? 'NULL, NULL' : 'l.value, CAST(l.occurred AS DOUBLE)';
  const join = labels === null ? '' : `LEFT JOIN ${labels} AS l USING (request_id) `;
  return (
    `SELECT ${columns.join(', ')}, ${label}, r.picked FROM ${requests} AS r ${join}` +
    'ORDER BY r.t, r.key NULLS LAST, r.seq'
  );
}
