import { formatInstant, micros, type Micros } from '../../base/time.ts';
import { AppError } from '../../base/errors.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import type { LabelEvents } from './judge-labels.ts';
import type { Period } from './periods.ts';

export interface LogDeps {
  readonly tables: Pick<DeltaTables, 'files'>;
  readonly analytics: Pick<Analytics, 'scratch'>;
}

/** Outcomes that occurred in the period, and the longest time between two of them. */
export async function labelEvents(
  { tables, analytics }: LogDeps,
  of: Period & { readonly endpoint: string },
  signal: AbortSignal,
): Promise<LabelEvents> {
  const { endpoint, from, until } = of;
  const none = { from, until, count: 0, first: null, last: null, longestGap: 0 };
  const files = await within(tables, { namespace: 'labels', name: endpoint }, 'occurred_at', of);
  if (files === null) return none;
  const [row] = await analytics.scratch(
    (scratch) =>
      scratch.rows(
        'SELECT CAST(count(*) AS DOUBLE), CAST(min(t) AS DOUBLE), CAST(max(t) AS DOUBLE), ' +
          'CAST(max(gap) AS DOUBLE) FROM (SELECT t, t - lag(t) OVER (ORDER BY t) AS gap FROM ' +
          '(SELECT epoch_us(occurred_at) AS t FROM ' +
          `(${scratch.rowsOf(files.files, files.columns)})) ` +
          `WHERE t >= ${from} AND t < ${until})`,
      ),
    signal,
  );
  const [count, first, last, gap] = row as (number | null)[];
  if (!count) return none;
  return { from, until, count, first: micros(first!), last: micros(last!), longestGap: gap ?? 0 };
}

/** A version that answered, with the definition of the features it got. */
export interface Answered {
  readonly model: string;
  readonly version: number;
  readonly definition: string | null;
}

/** Which versions answered in the period, on which definitions. */
export async function answeredBy(
  { tables, analytics }: LogDeps,
  of: Period & { readonly endpoint: string },
  signal: AbortSignal,
): Promise<readonly Answered[]> {
  const { endpoint, from, until } = of;
  const ref = { namespace: 'predictions', name: endpoint };
  const found = await within(tables, ref, 'answered_at', of);
  if (found === null) return [];
  const needed = new Set(['answered_at', 'model', 'version', 'definition']);
  const columns = found.columns.filter(({ name }) => needed.has(name));
  const definition = columns.some(({ name }) => name === 'definition') ? 'definition' : 'NULL';
  const rows = await analytics.scratch(
    (scratch) =>
      scratch.rows(
        `SELECT DISTINCT model, CAST(version AS DOUBLE), ${definition} FROM ` +
          `(${scratch.rowsOf(found.files, columns)}) WHERE epoch_us(answered_at) >= ${from} ` +
          `AND epoch_us(answered_at) < ${until} ORDER BY ALL`,
      ),
    signal,
  );
  return (rows as [string, number, string | null][]).map(([model, version, hash]) => ({
    model,
    version,
    definition: hash,
  }));
}

type Files = Awaited<ReturnType<DeltaTables['files']>>;

/** Files that may hold rows of the period; null when there are none. */
async function within(
  tables: LogDeps['tables'],
  ref: Parameters<DeltaTables['files']>[0],
  column: string,
  { from, until }: { readonly from: Micros; readonly until: Micros },
): Promise<Files | null> {
  try {
    const found = await tables.files(ref, undefined, [
      { column, comparison: '>=', value: formatInstant(from) },
      { column, comparison: '<', value: formatInstant(until) },
    ]);
    return found.files.length === 0 ? null : found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TABLE_NOT_FOUND') return null;
    throw thrown;
  }
}
