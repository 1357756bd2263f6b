import { micros, type Micros } from '../../base/time.ts';
import type { Scratch } from '../../platform/analytics/port.ts';
import { filesWithin, type LogDeps } from './label-events.ts';
import { DAY_MICROS, type Period } from './periods.ts';

export interface RequestsInput extends Period {
  readonly endpoint: string;
  readonly version: number | null;
  readonly answered: 'ok' | 'failed' | null;
  readonly offset: number;
  readonly limit: number;
}

export interface RequestFound {
  readonly requestId: string;
  readonly at: Micros;
  readonly key: string | null;
  readonly version: number;
  readonly status: number;
  readonly errorCode: string | null;
  readonly label: string | null;
}

const COLUMNS = ['request_id', 'answered_at', 'key', 'version', 'status', 'error_code', 'seq'];

/** Logged requests of a time in its order, each with the newest label that was told of it. */
export async function requestsBetween(
  { tables, analytics }: LogDeps,
  of: RequestsInput,
  signal: AbortSignal,
): Promise<readonly RequestFound[]> {
  const ref = { namespace: 'predictions', name: of.endpoint };
  const found = await filesWithin(tables, ref, 'answered_at', of);
  if (found === null) return [];
  const rows = await analytics.scratch(async (scratch) => {
    const columns = found.columns.filter(({ name }) => COLUMNS.includes(name));
    const requests = scratch.table('requests');
    await scratch.run(
      `CREATE TABLE ${requests} AS SELECT request_id, epoch_us(answered_at) AS t, key, version, ` +
        `status, error_code FROM (${scratch.rowsOf(found.files, columns)}) ` +
        `WHERE ${conditionsOf(of)} ORDER BY t, key, seq LIMIT ${of.limit} OFFSET ${of.offset}`,
    );
    const label = await labelsSql({ scratch, tables, requests }, of);
    return await scratch.rows(
      'SELECT r.request_id, CAST(r.t AS DOUBLE), r.key, CAST(r.version AS DOUBLE), ' +
        `CAST(r.status AS DOUBLE), r.error_code, ${label} FROM ${requests} AS r ORDER BY r.rowid`,
    );
  }, signal);
  return (
    rows as [string, number, string | null, number, number, string | null, string | null][]
  ).map(([requestId, at, key, version, status, errorCode, value]) => ({
    requestId,
    at: micros(at),
    key,
    version,
    status,
    errorCode,
    label: value,
  }));
}

function conditionsOf({ from, until, version, answered }: RequestsInput): string {
  const time = `epoch_us(answered_at) >= ${from} AND epoch_us(answered_at) < ${until}`;
  const own = version === null ? '' : ` AND version = ${version}`;
  const status = { ok: ' AND status < 400', failed: ' AND status >= 400', any: '' };
  return time + own + status[answered ?? 'any'];
}

/** What gives the newest label of the request `r`. */
async function labelsSql(
  on: {
    readonly scratch: Scratch;
    readonly tables: LogDeps['tables'];
    readonly requests: string;
  },
  { endpoint, from }: RequestsInput,
): Promise<string> {
  const { scratch, tables, requests } = on;
  // An outcome follows what it is of, but for clocks that differ.
  const since = { from: micros(from - DAY_MICROS), until: FAR };
  const ref = { namespace: 'labels', name: endpoint };
  const found = await filesWithin(tables, ref, 'occurred_at', since);
  if (found === null) return 'NULL';
  const labels = scratch.table('labels');
  await scratch.run(
    `CREATE TABLE ${labels} AS SELECT request_id, value FROM ` +
      `(${scratch.rowsOf(found.files, found.columns)}) ` +
      `WHERE request_id IN (SELECT request_id FROM ${requests}) QUALIFY row_number() OVER ` +
      '(PARTITION BY request_id ORDER BY known_at DESC, known_wall DESC, seq DESC) = 1',
  );
  return `(SELECT l.value FROM ${labels} AS l WHERE l.request_id = r.request_id)`;
}

/** The end of what RFC 3339 can write. */
const FAR = micros(Date.UTC(9999, 11, 31) * 1000);
