import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../base/errors.ts';
import type { Clause } from '../../formats/mlflow/filter.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import { comparison } from '../../platform/db/comparison.ts';
import { insertRows } from '../../platform/db/insert-rows.ts';
import { rawQuery } from '../../platform/db/kysely-builder.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import { inExperiments } from './in-experiments.ts';
import type { LoggedModelMetricsRow, LoggedModelsRow, TrackingTables } from './rows.ts';

export interface StoredLoggedModel extends LoggedModelsRow {
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly metrics: readonly LoggedModelMetricsRow[];
}

export interface LoggedModelOrder {
  readonly entity: 'metric' | 'param' | 'tag' | 'attribute' | 'dataset';
  readonly key: string;
  readonly isAscending: boolean;
  readonly datasetName: string | null;
  readonly datasetDigest: string | null;
}

export interface MetricDataset {
  readonly name: string;
  readonly digest: string | null;
}

const COLUMNS: Readonly<Record<string, string>> = {
  name: 'l.name',
  model_id: 'l.id',
  model_type: 'l.model_type',
  status: 'l.status',
  source_run_id: 'l.source_run_id',
  creation_timestamp: 'l.created_ms',
  last_updated_timestamp: 'l.updated_ms',
};

/** The tables `tracking_logged_models` and its params, tags and metrics. */
export class LoggedModelsStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async insert(
    model: LoggedModelsRow,
    values: { readonly params: readonly KeyValue[]; readonly tags: readonly KeyValue[] },
  ): Promise<void> {
    await this.#db.write([
      { query: this.#builder.insertInto('tracking_logged_models').values(model) },
      ...this.#valueSteps('params', model.id, values.params),
      ...this.#valueSteps('tags', model.id, values.tags),
    ]);
  }

  /** Deleted ones too; null when there is none. */
  async find(id: string): Promise<StoredLoggedModel | null> {
    const rows = await this.#db.read(
      this.#builder.selectFrom('tracking_logged_models').selectAll().where('id', '=', id),
    );
    return (await this.#fill(rows))[0] ?? null;
  }

  async update(
    id: string,
    change: Partial<Pick<LoggedModelsRow, 'status' | 'lifecycle' | 'updated_ms'>>,
    values: { readonly params?: readonly KeyValue[]; readonly tags?: readonly KeyValue[] } = {},
  ): Promise<void> {
    await this.#db.write([
      {
        query: this.#builder
          .updateTable('tracking_logged_models')
          .set(change)
          .where('id', '=', id)
          .where('lifecycle', '=', 'active'),
        expect: { rows: 1, otherwise: loggedModelNotFound(id) },
      },
      ...this.#valueSteps('params', id, values.params ?? []),
      ...this.#valueSteps('tags', id, values.tags ?? []),
    ]);
  }

  async deleteTag(id: string, key: string): Promise<void> {
    await this.#db.write([
      {
        query: this.#builder
          .deleteFrom('tracking_logged_model_tags')
          .where('model', '=', id)
          .where('key', '=', key),
        expect: {
          rows: 1,
          otherwise: new AppError('TAG_NOT_FOUND', `No tag with key '${key}' in model ${id}`),
        },
      },
    ]);
  }

  async search(query: {
    readonly experiments: readonly number[];
    readonly clauses: readonly Clause[];
    readonly datasets: readonly MetricDataset[];
    readonly orders: readonly LoggedModelOrder[];
    readonly offset: number;
    readonly limit: number;
  }): Promise<readonly StoredLoggedModel[]> {
    const { experiments, clauses, datasets, orders, offset, limit } = query;
    if (experiments.length === 0) return [];
    const where = [
      sql<boolean>`l.lifecycle = 'active'`,
      inExperiments(this.#db.dialect, 'l', experiments),
      ...clauses.map((clause) => this.#condition(clause, datasets)),
    ];
    if (datasets.length > 0 && !clauses.some((clause) => clause.entity === 'metric')) {
      where.push(sql`exists (select 1 from tracking_logged_model_metrics x
        where x.model = l.id and ${onDatasets(datasets)})`);
    }
    const statement = sql<LoggedModelsRow>`select l.* from tracking_logged_models l
      where ${sql.join(where, sql` and `)}
      order by ${sql.join([...orders.flatMap(sortKeys), sql`l.created_ms desc`, sql`l.id`])}
      limit ${limit} offset ${offset}`;
    return this.#fill(await this.#db.read(rawQuery(this.#builder, statement)));
  }

  #condition(clause: Clause, datasets: readonly MetricDataset[]): RawBuilder<boolean> {
    const { entity, key, op, value } = clause;
    if (entity === 'attribute') {
      return comparison(this.#db.dialect, sql.ref(COLUMNS[key]!), clause);
    }
    const compares =
      value === null ? sql`true` : comparison(this.#db.dialect, sql`x.value`, clause);
    if (entity === 'metric') {
      return sql`exists (select 1 from tracking_logged_model_metrics x where x.model = l.id
        and x.key = ${key} and x.is_nan = 0 and ${compares} and ${onDatasets(datasets)})`;
    }
    const exists = sql<boolean>`exists (select 1 from
      ${sql.raw(`tracking_logged_model_${entity}s`)} x
      where x.model = l.id and x.key = ${key} and ${compares})`;
    return op === 'IS NULL' ? sql`not ${exists}` : exists;
  }

  #valueSteps(what: 'params' | 'tags', id: string, values: readonly KeyValue[]): readonly Step[] {
    const last = new Map(values.map(({ key, value }) => [key, value]));
    return insertRows(
      this.#db.dialect,
      {
        columns: { model: 'text', key: 'text', value: 'text' },
        sql: (v) => `insert into tracking_logged_model_${what} (model, key, value)
          select v.model, v.key, v.value from ${v} where true
          on conflict (model, key) do update set value = excluded.value`,
      },
      [...last].map(([key, value]) => [id, key, value]),
    );
  }

  async #fill(rows: readonly LoggedModelsRow[]): Promise<readonly StoredLoggedModel[]> {
    if (rows.length === 0) return [];
    const ids = rows.map((row) => row.id);
    const [params, tags, metrics] = await Promise.all([
      this.#db.read(
        this.#builder
          .selectFrom('tracking_logged_model_params')
          .selectAll()
          .where('model', 'in', ids)
          .orderBy('key'),
      ),
      this.#db.read(
        this.#builder
          .selectFrom('tracking_logged_model_tags')
          .selectAll()
          .where('model', 'in', ids)
          .orderBy('key'),
      ),
      this.#db.read(
        this.#builder
          .selectFrom('tracking_logged_model_metrics')
          .selectAll()
          .where('model', 'in', ids)
          .orderBy('key'),
      ),
    ]);
    const of = <Row extends { readonly model: string }>(all: readonly Row[], id: string) =>
      all.filter((row) => row.model === id);
    return rows.map((row) => ({
      ...row,
      params: of(params, row.id),
      tags: of(tags, row.id),
      metrics: of(metrics, row.id),
    }));
  }

  get #builder() {
    return this.#db.queries<TrackingTables>();
  }
}

export function loggedModelNotFound(id: string): AppError {
  return new AppError('LOGGED_MODEL_NOT_FOUND', `Logged model with ID '${id}' not found.`);
}

function onDatasets(datasets: readonly MetricDataset[]): RawBuilder<boolean> {
  if (datasets.length === 0) return sql`true`;
  const each = datasets.map(({ name, digest }) =>
    digest === null
      ? sql`x.dataset_name = ${name}`
      : sql`(x.dataset_name = ${name} and x.dataset_digest = ${digest})`,
  );
  return sql`(${sql.join(each, sql` or `)})`;
}

function sortKeys(order: LoggedModelOrder): readonly RawBuilder<unknown>[] {
  const { entity, key, datasetName, datasetDigest } = order;
  const direction = sql.raw(order.isAscending ? 'asc' : 'desc');
  let value: RawBuilder<unknown>;
  if (entity === 'attribute') value = sql.ref(COLUMNS[key]!);
  else {
    const dataset =
      datasetName === null ? [] : [{ name: datasetName, digest: datasetDigest } as const];
    const only = entity === 'metric' ? sql`x.is_nan = 0 and ${onDatasets(dataset)}` : sql`true`;
    value = sql`(select max(x.value) from ${sql.raw(`tracking_logged_model_${entity}s`)} x
      where x.model = l.id and x.key = ${key} and ${only})`;
  }
  return [sql`case when ${value} is null then 1 else 0 end`, sql`${value} ${direction}`];
}
