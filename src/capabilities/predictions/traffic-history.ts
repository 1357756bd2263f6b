import { formatInstant, micros, type Micros } from '../../base/time.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { filesOf } from './files-of.ts';
import { PREDICTIONS } from './tables.ts';
import { TRAFFIC_ROWS_MAX } from './traffic-contract.ts';

export interface TrafficHistoryInput {
  readonly endpoint: string;
  /** Requests answered in `[from, until)`. */
  readonly from: Micros;
  readonly until: Micros;
  /** Length of a stretch; they start at whole multiples of it. */
  readonly everyMicros: number;
}

export interface TrafficStretch {
  readonly from: Micros;
  readonly arm: string;
  readonly modelVersion: number;
  readonly requests: number;
  readonly errors: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface TrafficHistoryFound {
  readonly items: readonly TrafficStretch[];
  readonly isCut: boolean;
}

const NEEDED: ReadonlySet<string> = new Set([
  'answered_at',
  'arm',
  'version',
  'status',
  'total_us',
]);

/** Counts the log where its rows lie; quantiles are t-digests, so that no latency is kept. */
export async function trafficHistory(
  deps: { readonly tables: DeltaTables; readonly analytics: Pick<Analytics, 'scratch'> },
  { endpoint, from, until, everyMicros }: TrafficHistoryInput,
  signal: AbortSignal,
): Promise<TrafficHistoryFound> {
  const found = await filesOf(deps.tables, { namespace: PREDICTIONS, name: endpoint }, [
    { column: 'answered_at', comparison: '>=', value: formatInstant(from) },
    { column: 'answered_at', comparison: '<', value: formatInstant(until) },
  ]);
  if (found === null) return { items: [], isCut: false };
  const columns = found.columns.filter(({ name }) => NEEDED.has(name));
  const rows = await deps.analytics.scratch(
    (scratch) =>
      scratch.rows(
        'SELECT CAST(start AS DOUBLE), arm, CAST(version AS DOUBLE), CAST(count(*) AS DOUBLE), ' +
          'CAST(count(*) FILTER (WHERE status >= 400) AS DOUBLE), ' +
          'CAST(approx_quantile(total_us, 0.5) AS DOUBLE), ' +
          'CAST(approx_quantile(total_us, 0.99) AS DOUBLE) ' +
          `FROM (SELECT (t // ${everyMicros}) * ${everyMicros} AS start, * FROM ` +
          '(SELECT epoch_us(answered_at) AS t, arm, version, status, total_us ' +
          `FROM (${scratch.rowsOf(found.files, columns)})) WHERE t >= ${from} AND t < ${until}) ` +
          `GROUP BY start, arm, version ORDER BY start DESC, version DESC, arm DESC ` +
          `LIMIT ${TRAFFIC_ROWS_MAX + 1}`,
      ),
    signal,
  );
  const kept = rows.slice(0, TRAFFIC_ROWS_MAX);
  return { items: kept.toReversed().map(toStretch), isCut: rows.length > TRAFFIC_ROWS_MAX };
}

function toStretch(row: readonly unknown[]): TrafficStretch {
  const [from, arm, modelVersion, requests, errors, p50Us, p99Us] = row as [
    number,
    string,
    ...number[],
  ];
  return {
    from: micros(from),
    arm,
    modelVersion: modelVersion!,
    requests: requests!,
    errors: errors!,
    p50Us: Math.round(p50Us!),
    p99Us: Math.round(p99Us!),
  };
}
