import { duckDbName } from '../../formats/expression/print-duckdb.ts';
import type { Scratch } from '../../platform/analytics/port.ts';
import type { CompiledService, CompiledView } from './compiled.ts';
import { keySql, NUMBER, TIME } from './scratch-events.ts';
import { Sweep } from './sweep.ts';

/** Rows to compute vectors for: numbered from 0, with their time and keys by name. */
export interface SpineTable {
  readonly table: string;
  readonly rowCount: number;
}

/**
 * Computes a view's features at every row of the spine; `results` has a column for each feature of
 * the service and is filled where the view's features are. NaN stands for null. Nothing after `now`
 * is seen.
 */
export async function sweepView(
  scratch: Scratch,
  view: CompiledView,
  on: {
    readonly service: CompiledService;
    readonly events: string;
    readonly spine: SpineTable;
    readonly now: number;
    readonly results: readonly Float64Array[];
  },
): Promise<void> {
  const targets = targetsOf(view, on.service, on.results);
  const sweep = new Sweep({
    windows: view.windows.map(({ micros }) => micros),
    aggregates: view.aggregates.map((aggregate) => aggregate.function),
    targets,
  });
  for await (const batch of scratch.doubles(await sortedRows(scratch, view, on))) sweep.add(batch);
}

/** Where each window of each aggregate goes; a row without a full key sees no event. */
function targetsOf(
  view: CompiledView,
  service: CompiledService,
  results: readonly Float64Array[],
): (Float64Array | null)[][] {
  return view.aggregates.map((aggregate) =>
    view.windows.map((window) => {
      const at = service.features.findIndex(
        (feature) =>
          feature.kind === 'window' &&
          feature.view === view.name &&
          feature.aggregate === aggregate.name &&
          feature.window === window.name,
      );
      const target = results[at] ?? null;
      target?.fill(aggregate.function === 'count' ? 0 : Number.NaN);
      return target;
    }),
  );
}

/** Statement of the rows as `Sweep` takes them. */
async function sortedRows(
  scratch: Scratch,
  view: CompiledView,
  { events, spine, now }: Parameters<typeof sweepView>[2],
): Promise<string> {
  const keys = scratch.table(`keys of ${view.name}`);
  const named = view.keys.map((key, index) => `${keySql(key, 's')} AS k${index}`);
  const isFull = view.keys.map(({ name }) => `s.${duckDbName(name)} IS NOT NULL`).join(' AND ');
  await scratch.run(
    `CREATE TABLE ${keys} AS SELECT row_number() OVER () AS code, * FROM ` +
      `(SELECT DISTINCT ${named.join(', ')} FROM ${spine.table} AS s WHERE ${isFull})`,
  );
  const matches = (of: string): string =>
    view.keys.map((key, index) => `${keySql(key, of)} = k.k${index}`).join(' AND ');
  const values = view.aggregates.map(({ sql }, index) =>
    sql === null ? '' : `, coalesce(${sql}, 'nan'::DOUBLE) AS v${index}`,
  );
  const longest = Math.max(...view.windows.map(({ micros }) => micros));
  const [[first, last]] = (await scratch.rows(
    `SELECT min(${TIME}), max(${TIME}) FROM ${spine.table}`,
  )) as [[bigint, bigint]];
  const end = last <= BigInt(now) ? last : BigInt(now) + 1n;
  const columns = view.aggregates.map((_, index) => `v${index}`);
  const nulls = columns.map((column) => `'nan'::DOUBLE AS ${column}`);
  const counted = view.aggregates.map(({ sql }, index) =>
    sql === null ? `'nan'::DOUBLE AS v${index}` : `v${index}`,
  );
  return (
    `SELECT code, t, n, ${columns.join(', ')} FROM (` +
    `SELECT k.code::DOUBLE AS code, e.${TIME}::DOUBLE AS t, -1::DOUBLE AS n, ` +
    `${counted.join(', ')} FROM (SELECT *${values.join('')} FROM ${events} ` +
    `WHERE ${TIME} >= ${first - BigInt(longest)} AND ${TIME} < ${end}) AS e ` +
    `JOIN ${keys} AS k ON ${matches('e')} UNION ALL ` +
    `SELECT k.code::DOUBLE, s.${TIME}::DOUBLE, s.${NUMBER}::DOUBLE, ${nulls.join(', ')} ` +
    `FROM ${spine.table} AS s JOIN ${keys} AS k ON ${matches('s')}` +
    ') ORDER BY code, t, n DESC'
  );
}
