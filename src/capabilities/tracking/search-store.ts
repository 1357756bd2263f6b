import { sql, type RawBuilder } from 'kysely';
import type { Clause } from '../../formats/mlflow/filter.ts';
import type { Order } from '../../formats/mlflow/order-by.ts';
import type { ViewType } from '../../formats/mlflow/scalars.ts';
import { comparison } from '../../platform/db/comparison.ts';
import { rawQuery } from '../../platform/db/kysely-builder.ts';
import type { Db, Dialect } from '../../platform/db/port.ts';
import { inExperiments } from './in-experiments.ts';
import type { RunsRow, TrackingTables } from './rows.ts';

/** Where the next page begins: in which segment of the order, after how many of its runs. */
export interface SearchPlace {
  readonly segment: number;
  readonly offset: number;
}

export interface RunSearch {
  /** Null for all of them. */
  readonly experiments: readonly number[] | null;
  readonly view: ViewType;
  readonly clauses: readonly Clause[];
  readonly orders: readonly Order[];
  readonly from: SearchPlace;
  readonly limit: number;
}

/**
 * A condition that matches fewer runs than this is where a search starts; with more of them it is
 * cheaper to walk the order and test each run.
 */
const DRIVING_RUNS_MAX = 2000;

type Condition = RawBuilder<boolean>;

/** One stretch of the order; runs without the value come last whatever the direction. */
interface Segment {
  /** Another table the runs of this stretch come from, in its order. */
  readonly source: RawBuilder<unknown> | null;
  /** The field whose values the source holds in `o.value`. */
  readonly field: Order | null;
  readonly where: readonly Condition[];
  readonly orderBy: readonly RawBuilder<unknown>[];
}

const COLUMNS: Readonly<Record<string, RawBuilder<unknown>>> = {
  run_id: sql`substr(r.id, 5)`,
  run_name: sql`r.name`,
  experiment_id: sql`cast(r.experiment as text)`,
  status: sql`r.status`,
  user_id: sql`r.user_id`,
  artifact_uri: sql`r.artifact_uri`,
  start_time: sql`r.start_ms`,
  end_time: sql`r.end_ms`,
};

/** Finds runs over all tables of runs, without reading what they logged. */
export class SearchStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Up to `limit` runs; `next` is null after the last one. */
  async search(
    search: RunSearch,
  ): Promise<{ readonly runs: readonly RunsRow[]; readonly next: SearchPlace | null }> {
    if (search.experiments?.length === 0) return { runs: [], next: null };
    const segments = segmentsOf(this.#db.dialect, search);
    const driver = await this.#driver(search);
    const runs: RunsRow[] = [];
    let { segment, offset } = search.from;
    for (; segment < segments.length; segment += 1) {
      const wanted = search.limit - runs.length + 1;
      const found = await this.#db.read(
        this.#query({ search, segment: segments[segment]!, driver, offset, limit: wanted }),
      );
      if (found.length === wanted) {
        runs.push(...found.slice(0, -1));
        return { runs, next: { segment, offset: offset + wanted - 1 } };
      }
      runs.push(...found);
      offset = 0;
    }
    return { runs, next: null };
  }

  #query(of: {
    readonly search: RunSearch;
    readonly segment: Segment;
    readonly driver: Clause | null;
    readonly offset: number;
    readonly limit: number;
  }) {
    const { search, segment, driver, offset, limit } = of;
    const sources: RawBuilder<unknown>[] = [];
    const where: Condition[] = [
      inExperiments(this.#db.dialect, 'r', search.experiments),
      ...segment.where,
    ];
    if (driver !== null) {
      sources.push(sql`(${this.#matching(driver, search.experiments)}) d`);
      where.push(sql`r.seq = d.run`);
    }
    if (segment.source !== null) {
      sources.push(segment.source);
      where.push(driver === null ? sql`r.seq = o.run` : sql`o.run = d.run`);
    }
    sources.push(sql`tracking_runs r`);
    if (search.view !== 'ALL') {
      where.push(sql`r.lifecycle = ${search.view === 'ACTIVE_ONLY' ? 'active' : 'deleted'}`);
    }
    const rest = search.clauses.filter((clause) => clause !== driver);
    where.push(...rest.map((clause) => this.#condition(clause, segment)));
    // `cross join` keeps SQLite to this order of the tables; its planner has no statistics.
    const statement = sql<RunsRow>`select r.* from ${sql.join(sources, sql` cross join `)}
      where ${sql.join(where, sql` and `)}
      order by ${sql.join([...segment.orderBy, sql`r.start_ms desc`, sql`r.id`])}
      limit ${limit} offset ${offset}`;
    return rawQuery(this.#db.queries<TrackingTables>(), statement);
  }

  /** On the field that is sorted by, a condition bounds the stretch of the index to walk. */
  #condition(clause: Clause, { field }: Segment): Condition {
    const { dialect } = this.#db;
    const isBound =
      field?.entity === clause.entity && field.key === clause.key && clause.value !== null;
    if (!isBound) return runCondition(dialect, clause);
    return comparison(dialect, sql`o.value`, clause);
  }

  /** The condition that leaves the fewest runs, if it leaves few. */
  async #driver({ clauses, experiments }: RunSearch): Promise<Clause | null> {
    const candidates = clauses.filter(canDrive);
    if (candidates.length === 0) return null;
    const counts = candidates.map(
      (clause, index) => sql`(select count(*) from (${this.#matching(clause, experiments)}
        limit ${DRIVING_RUNS_MAX + 1}) t) as ${sql.ref(`c${index}`)}`,
    );
    const [row] = await this.#db.read(
      rawQuery(
        this.#db.queries<TrackingTables>(),
        sql<Record<string, number>>`select ${sql.join(counts)}`,
      ),
    );
    let best: { readonly clause: Clause; readonly count: number } | null = null;
    for (const [index, clause] of candidates.entries()) {
      const count = row?.[`c${index}`] ?? 0;
      if (count <= DRIVING_RUNS_MAX && (best === null || count < best.count)) {
        best = { clause, count };
      }
    }
    return best?.clause ?? null;
  }

  /** `select run` of the runs that match a clause, each once, by the index of its values. */
  #matching(clause: Clause, experiments: RunSearch['experiments']): RawBuilder<unknown> {
    const { entity, key, value } = clause;
    if (entity === 'metric') {
      return sql`select x.run from tracking_series x
        where ${inExperiments(this.#db.dialect, 'x', experiments)}
        and x.key = ${key} and x.is_nan = 0
        and ${comparison(this.#db.dialect, sql`x.value`, clause)}`;
    }
    return sql`select x.run from ${sql.raw(`tracking_${entity}s`)} x where x.key = ${key}
      and substr(x.value, 1, 200) = substr(${value}, 1, 200)
      and x.value = ${value}`;
  }
}

function canDrive({ entity, op }: Clause): boolean {
  if (entity === 'metric') return op !== '!=';
  return (entity === 'param' || entity === 'tag') && op === '=';
}

function runCondition(dialect: Dialect, clause: Clause): Condition {
  const { entity, key, op, value } = clause;
  switch (entity) {
    case 'attribute':
      return comparison(dialect, COLUMNS[key]!, clause);
    case 'metric': {
      const compares = comparison(dialect, sql`x.value`, clause);
      const holds =
        op === '!=' ? sql`(x.is_nan = 1 or ${compares})` : sql`x.is_nan = 0 and ${compares}`;
      return sql`exists (select 1 from tracking_series x
        where x.run = r.seq and x.key = ${key} and ${holds})`;
    }
    case 'dataset':
      return sql`exists (select 1 from tracking_datasets x
        where x.run = r.seq and ${comparison(dialect, sql.ref(`x.${key}`), clause)})`;
    case 'param':
    case 'tag': {
      const exists = sql<boolean>`exists (select 1 from ${sql.raw(`tracking_${entity}s`)} x
        where x.run = r.seq and x.key = ${key}
        and ${value === null ? sql`true` : comparison(dialect, sql`x.value`, clause)})`;
      return op === 'IS NULL' ? sql`not ${exists}` : exists;
    }
  }
}

/** The first field decides the segments; the others sort within them. */
function segmentsOf(dialect: Dialect, search: RunSearch): readonly Segment[] {
  const [first, ...others] = search.orders;
  const rest = others.flatMap(sortKeys);
  if (first === undefined || first.entity === 'attribute') {
    const own = first === undefined ? [] : sortKeys(first);
    return [{ source: null, field: null, where: [], orderBy: [...own, ...rest] }];
  }
  const { entity, key } = first;
  const direction = sql.raw(first.isAscending ? 'asc' : 'desc');
  const table = sql.raw(entity === 'metric' ? 'tracking_series' : `tracking_${entity}s`);
  const source = sql`${table} o`;
  const missing: Segment = {
    source: null,
    field: null,
    where: [sql`not exists (select 1 from ${table} x where x.run = r.seq and x.key = ${key})`],
    orderBy: rest,
  };
  if (entity !== 'metric') {
    const values = [sql`substr(o.value, 1, 200) ${direction}`, sql`o.value ${direction}`];
    return [
      { source, field: first, where: [sql`o.key = ${key}`], orderBy: [...values, ...rest] },
      missing,
    ];
  }
  const own: Condition[] = [sql`o.key = ${key}`, inExperiments(dialect, 'o', search.experiments)];
  return [
    {
      source,
      field: first,
      where: [...own, sql`o.is_nan = 0`],
      orderBy: [sql`o.value ${direction}`, ...rest],
    },
    { source, field: null, where: [...own, sql`o.is_nan = 1`], orderBy: rest },
    missing,
  ];
}

/** Expressions that sort by a field with missing values last. */
function sortKeys({ entity, key, isAscending }: Order): readonly RawBuilder<unknown>[] {
  const direction = sql.raw(isAscending ? 'asc' : 'desc');
  if (entity === 'attribute') {
    const column = COLUMNS[key]!;
    if (key !== 'end_time') return [sql`${column} ${direction}`];
    return [sql`case when ${column} is null then 1 else 0 end`, sql`${column} ${direction}`];
  }
  const table = sql.raw(entity === 'metric' ? 'tracking_series' : `tracking_${entity}s`);
  const of = (column: RawBuilder<unknown>) =>
    sql`(select ${column} from ${table} x where x.run = r.seq and x.key = ${key})`;
  const rank = entity === 'metric' ? sql`x.is_nan` : sql`0`;
  return [sql`coalesce(${of(rank)}, 2)`, sql`${of(sql`x.value`)} ${direction}`];
}
