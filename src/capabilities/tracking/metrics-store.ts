import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../base/errors.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import { insertRows, type ColumnType } from '../../platform/db/insert-rows.ts';
import { rawQuery } from '../../platform/db/kysely-builder.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { PointsRow, TrackingTables } from './rows.ts';
import type { RunKey } from './runs-store.ts';

/** One measured value. */
export interface Point {
  readonly key: string;
  /** May be NaN. */
  readonly value: number;
  readonly timestampMs: number;
  readonly step: number;
  readonly modelId: string | null;
  readonly datasetName: string | null;
  readonly datasetDigest: string | null;
}

/** A place in a history: the point that came before. */
export type PointAfter = Pick<PointsRow, 'step' | 'timestamp_ms' | 'value' | 'is_nan'>;

const VALUE = {
  value: 'real',
  is_nan: 'integer',
  timestamp_ms: 'integer',
  step: 'integer',
} as const satisfies Record<string, ColumnType>;

/** The tables `tracking_series`, `tracking_points`, `tracking_params`, model metrics. */
export class MetricsStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Steps that add points to their series; a point that is there already changes nothing. */
  pointSteps(run: RunKey, points: readonly Point[]): readonly Step[] {
    return [
      ...this.#seriesSteps(run, points),
      ...this.#historySteps(run, points),
      ...this.#modelSteps(run, points),
    ];
  }

  /** Parameters never change: the transaction fails with `changed` when one of them would. */
  paramSteps(run: RunKey, params: readonly KeyValue[], changed: AppError): readonly Step[] {
    return insertRows(
      this.#db.dialect,
      {
        columns: { run: 'integer', key: 'text', value: 'text' },
        sql: (v) => `insert into tracking_params (run, key, value)
          select v.run, v.key, v.value from ${v} where true
          on conflict (run, key) do update set value = excluded.value
          where tracking_params.value = excluded.value`,
        otherwise: changed,
      },
      params.map(({ key, value }) => [run.seq, key, value]),
    );
  }

  async params(run: RunKey, keys: readonly string[]): Promise<readonly KeyValue[]> {
    return this.#db.read(
      this.#builder
        .selectFrom('tracking_params')
        .select(['key', 'value'])
        .where('run', '=', run.seq)
        .where('key', 'in', keys),
    );
  }

  /** In the order (step, timestamp, value), those after `after`. */
  async history(query: {
    readonly run: RunKey;
    readonly key: string;
    readonly after: PointAfter | null;
    readonly limit: number;
  }): Promise<readonly PointsRow[]> {
    const { run, key, after, limit } = query;
    let select = this.#builder
      .selectFrom('tracking_series as s')
      .innerJoin('tracking_points as p', 'p.series', 's.id')
      .selectAll('p')
      .where('s.run', '=', run.seq)
      .where('s.key', '=', key)
      .orderBy('p.series')
      .orderBy('p.step')
      .orderBy('p.timestamp_ms')
      .orderBy('p.value')
      .orderBy('p.is_nan')
      .limit(limit);
    if (after !== null) {
      const { step, timestamp_ms, value, is_nan } = after;
      select = select.where(
        sql<boolean>`(p.step, p.timestamp_ms, p.value, p.is_nan)
          > (${step}, ${timestamp_ms}, ${value}, ${is_nan})`,
      );
    }
    return this.#db.read(select);
  }

  /**
   * Steps of one metric over several runs, ascending: every n-th of all of theirs within bounds, so
   * that at most `limit` remain.
   */
  async sampledSteps(query: {
    readonly runs: readonly RunKey[];
    readonly key: string;
    readonly from: number | null;
    readonly to: number | null;
    readonly limit: number;
  }): Promise<readonly number[]> {
    const { runs, key, from, to, limit } = query;
    const statement = sql<{ readonly step: number }>`with steps as (select distinct p.step
        from tracking_series s join tracking_points p on p.series = s.id
        where s.run in (${sql.join(runs.map(({ seq }) => seq))}) and s.key = ${key}
        and ${within(from, to)}),
      numbered as (select step, row_number() over (order by step) - 1 as place,
        count(*) over () as total from steps)
      select step from numbered
      where place % ((total + ${sql.lit(limit - 1)}) / ${sql.lit(limit)}) = 0 order by step`;
    return (await this.#db.read(rawQuery(this.#builder, statement))).map((row) => row.step);
  }

  /** The first and the last step of one run within bounds; none without a point there. */
  async endSteps(query: {
    readonly run: RunKey;
    readonly key: string;
    readonly from: number | null;
    readonly to: number | null;
  }): Promise<readonly number[]> {
    const { run, key, from, to } = query;
    const [row] = await this.#db.read(
      this.#builder
        .selectFrom('tracking_series as s')
        .innerJoin('tracking_points as p', 'p.series', 's.id')
        .select((eb) => [eb.fn.min('p.step').as('first'), eb.fn.max('p.step').as('last')])
        .where('s.run', '=', run.seq)
        .where('s.key', '=', key)
        .where(within(from, to)),
    );
    const { first, last } = (row ?? {}) as { first?: number | null; last?: number | null };
    return first == null || last == null ? [] : [first, last];
  }

  /** The points at the given steps; of each step the last ones, at most `perStep`. */
  async pointsAt(query: {
    readonly run: RunKey;
    readonly key: string;
    readonly steps: readonly number[];
    readonly perStep: number;
  }): Promise<readonly PointsRow[]> {
    const { run, key, steps, perStep } = query;
    if (steps.length === 0) return [];
    const statement = sql<PointsRow>`select * from (select p.*, row_number() over
        (partition by p.step order by p.timestamp_ms desc, p.value desc, p.is_nan desc) as place
        from tracking_series s join tracking_points p on p.series = s.id
        where s.run = ${run.seq} and s.key = ${key} and p.step in (${sql.join(steps)})) q
      where q.place <= ${sql.lit(perStep)}
      order by q.timestamp_ms, q.step, q.value`;
    return this.#db.read(rawQuery(this.#builder, statement));
  }

  #seriesSteps(run: RunKey, points: readonly Point[]): readonly Step[] {
    const latest = new Map<string, Point>();
    for (const point of points) {
      const former = latest.get(point.key);
      if (former === undefined || isLater(point, former)) latest.set(point.key, point);
    }
    return insertRows(
      this.#db.dialect,
      {
        columns: { run: 'integer', experiment: 'integer', key: 'text', ...VALUE },
        sql: (v) => `insert into tracking_series
          (run, experiment, key, value, is_nan, timestamp_ms, step)
          select v.run, v.experiment, v.key, v.value, v.is_nan, v.timestamp_ms, v.step from ${v}
          where true on conflict (run, key) do update set value = excluded.value,
          is_nan = excluded.is_nan, timestamp_ms = excluded.timestamp_ms, step = excluded.step
          where (excluded.step, excluded.timestamp_ms, excluded.value)
          > (tracking_series.step, tracking_series.timestamp_ms, tracking_series.value)`,
      },
      [...latest.values()].map((point) => [run.seq, run.experiment, point.key, ...cells(point)]),
    );
  }

  #historySteps(run: RunKey, points: readonly Point[]): readonly Step[] {
    return insertRows(
      this.#db.dialect,
      {
        columns: {
          run: 'integer',
          key: 'text',
          ...VALUE,
          dataset: 'text',
          digest: 'text',
          model: 'text',
        },
        sql: (v) => `insert into tracking_points
          (series, step, timestamp_ms, value, is_nan, dataset_name, dataset_digest, model)
          select s.id, v.step, v.timestamp_ms, v.value, v.is_nan, v.dataset, v.digest, v.model
          from ${v} join tracking_series s on s.run = v.run and s.key = v.key
          where true on conflict do nothing`,
      },
      points.map((point) => [
        run.seq,
        point.key,
        ...cells(point),
        point.datasetName,
        point.datasetDigest,
        point.modelId,
      ]),
    );
  }

  /** What was measured of a model stays with the model, per run and dataset. */
  #modelSteps(run: RunKey, points: readonly Point[]): readonly Step[] {
    const latest = new Map<string, Point>();
    for (const point of points) {
      if (point.modelId === null) continue;
      const identity = [point.modelId, point.key, point.datasetName, point.datasetDigest];
      const name = JSON.stringify(identity);
      const former = latest.get(name);
      if (former === undefined || isLater(point, former)) latest.set(name, point);
    }
    return insertRows(
      this.#db.dialect,
      {
        columns: {
          model: 'text',
          run: 'text',
          key: 'text',
          dataset_name: 'text',
          dataset_digest: 'text',
          ...VALUE,
        },
        sql: (v) => `insert into tracking_logged_model_metrics as m
          (model, run, key, dataset_name, dataset_digest, value, is_nan, timestamp_ms, step)
          select v.model, v.run, v.key, v.dataset_name, v.dataset_digest,
          v.value, v.is_nan, v.timestamp_ms, v.step from ${v} where true
          on conflict (model, run, key, dataset_name, dataset_digest) do update set
          value = excluded.value, is_nan = excluded.is_nan,
          timestamp_ms = excluded.timestamp_ms, step = excluded.step
          where (excluded.step, excluded.timestamp_ms, excluded.value)
          >= (m.step, m.timestamp_ms, m.value)`,
      },
      [...latest.values()].map((point) => [
        point.modelId,
        run.id,
        point.key,
        point.datasetName ?? '',
        point.datasetDigest ?? '',
        ...cells(point),
      ]),
    );
  }

  get #builder() {
    return this.#db.queries<TrackingTables>();
  }
}

function within(from: number | null, to: number | null): RawBuilder<boolean> {
  return from === null || to === null ? sql`true` : sql`p.step between ${from} and ${to}`;
}

/** Neither database keeps NaN as a value that compares: it is a zero with a mark. */
function cells({ value, timestampMs, step }: Point): readonly number[] {
  return Number.isNaN(value) ? [0, 1, timestampMs, step] : [value, 0, timestampMs, step];
}

function isLater(point: Point, than: Point): boolean {
  const order = [point.step - than.step, point.timestampMs - than.timestampMs];
  const [first = 0] = order.filter((difference) => difference !== 0);
  const valueOf = ({ value }: Point): number => (Number.isNaN(value) ? 0 : value);
  return first === 0 ? valueOf(point) > valueOf(than) : first > 0;
}
