import { formatInstant, type Micros } from '../../base/time.ts';
import { filesOf } from './files-of.ts';
import { earliestLabel, type LabelledDeps } from './labelled-requests.ts';
import { LABELS, PREDICTIONS } from './tables.ts';

export interface StatesInput {
  readonly endpoint: string;
  /** Requests answered in `[from, until)`. */
  readonly from: Micros;
  readonly until: Micros;
  /** Only those that this version of the endpoint's model answered. */
  readonly version?: number;
  /** Labels count that had occurred by then. */
  readonly at: Micros;
  /** Null without a declared label: then nothing ever expires. */
  readonly matureMicros: number | null;
}

/** What became of the labels of some requests. */
export interface StateCounts {
  /** Answered without an error: the others have no outcome to wait for. */
  readonly requests: number;
  readonly failed: number;
  readonly matched: number;
  /** Without a label, and not mature. */
  readonly pending: number;
  /** Without a label, and mature. */
  readonly expired: number;
  /** Requests that are mature, and those of them with a label. */
  readonly mature: number;
  readonly matureMatched: number;
  /** Mature requests whose first label had occurred within a part of the time to mature. */
  readonly delays: readonly { readonly micros: number; readonly known: number }[];
}

/** Points of the delay curve: with 12 hours to mature, one an hour. */
const DELAY_POINTS = 12;

/** Counts the label states of a cohort where its rows lie; nothing is read into memory. */
export async function labelStates(
  { tables, analytics }: LabelledDeps,
  input: StatesInput,
  signal: AbortSignal,
): Promise<StateCounts> {
  const { endpoint, from, until, at, matureMicros, version } = input;
  const earliest = earliestLabel(from);
  const requests = await filesOf(tables, { namespace: PREDICTIONS, name: endpoint }, [
    { column: 'answered_at', comparison: '>=', value: formatInstant(from) },
    { column: 'answered_at', comparison: '<', value: formatInstant(until) },
  ]);
  const labels = await filesOf(tables, { namespace: LABELS, name: endpoint }, [
    { column: 'occurred_at', comparison: '<=', value: formatInstant(at) },
    { column: 'occurred_at', comparison: '>=', value: formatInstant(earliest) },
  ]);
  const ends = Array.from(
    { length: matureMicros === null ? 0 : DELAY_POINTS },
    (_, index) => (matureMicros! * (index + 1)) / DELAY_POINTS,
  );
  const none = ends.map((micros) => ({ micros, known: 0 }));
  const nothing = { requests: 0, failed: 0, matched: 0, pending: 0, expired: 0 };
  if (requests === null) return { ...nothing, mature: 0, matureMatched: 0, delays: none };
  const isMature = matureMicros === null ? 'false' : `r.t + ${matureMicros} <= ${at}`;
  const counted = [
    `status < 400`,
    `status >= 400`,
    `status < 400 AND l.first IS NOT NULL`,
    `status < 400 AND l.first IS NULL AND NOT (${isMature})`,
    `status < 400 AND l.first IS NULL AND ${isMature}`,
    `status < 400 AND ${isMature}`,
    `status < 400 AND ${isMature} AND l.first IS NOT NULL`,
    ...ends.map((end) => `status < 400 AND ${isMature} AND l.first - r.t <= ${end}`),
  ].map((condition) => `CAST(count(*) FILTER (WHERE ${condition}) AS DOUBLE)`);
  const [row] = await analytics.scratch(async (scratch) => {
    const first =
      labels === null
        ? 'SELECT NULL AS request_id, NULL AS first WHERE false'
        : `SELECT request_id, min(epoch_us(occurred_at)) AS first FROM ` +
          `(${scratch.rowsOf(labels.files, labels.columns)}) ` +
          `WHERE epoch_us(occurred_at) BETWEEN ${earliest} AND ${at} GROUP BY 1`;
    const columns = requests.columns.filter(({ name }) => NEEDED.has(name));
    return await scratch.rows(
      `SELECT ${counted.join(', ')} FROM (SELECT request_id, status, version, ` +
        `epoch_us(answered_at) AS t FROM (${scratch.rowsOf(requests.files, columns)})) AS r ` +
        `LEFT JOIN (${first}) AS l ` +
        `ON l.request_id = r.request_id WHERE r.t >= ${from} AND r.t < ${until}` +
        (version === undefined ? '' : ` AND r.version = ${version}`),
    );
  }, signal);
  const [answered, failed, matched, pending, expired, mature, matureMatched, ...known] =
    row as number[];
  return {
    requests: answered!,
    failed: failed!,
    matched: matched!,
    pending: pending!,
    expired: expired!,
    mature: mature!,
    matureMatched: matureMatched!,
    delays: none.map(({ micros }, index) => ({ micros, known: known[index]! })),
  };
}

const NEEDED: ReadonlySet<string> = new Set(['request_id', 'status', 'version', 'answered_at']);
