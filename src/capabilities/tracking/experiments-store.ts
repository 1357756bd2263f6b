import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../base/errors.ts';
import type { Clause } from '../../formats/mlflow/filter.ts';
import type { Order } from '../../formats/mlflow/order-by.ts';
import type { KeyValue, ViewType } from '../../formats/mlflow/scalars.ts';
import { comparison } from '../../platform/db/comparison.ts';
import { insertRows } from '../../platform/db/insert-rows.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { ExperimentsRow, Lifecycle, TrackingTables } from './rows.ts';

export interface StoredExperiment extends ExperimentsRow {
  readonly tags: readonly KeyValue[];
}

const COLUMNS = {
  name: 'e.name',
  creation_time: 'e.created_ms',
  last_update_time: 'e.updated_ms',
  experiment_id: 'e.id',
} as const;

/** Experiments whose tags are read at once: databases bound the length of a list. */
const TAGS_OF = 500;

/** The tables `tracking_experiments`, `tracking_experiment_tags`; the lifecycle of their runs. */
export class ExperimentsStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Returns its number; rejects with `EXPERIMENT_EXISTS`, also for a deleted one's name. */
  async insert(experiment: {
    readonly name: string;
    readonly artifactLocation: string | null;
    readonly tags: readonly KeyValue[];
    readonly nowMs: number;
  }): Promise<number> {
    const { name, artifactLocation, tags, nowMs } = experiment;
    const row = {
      name,
      artifact_location: artifactLocation,
      lifecycle: 'active' as const,
      created_ms: nowMs,
      updated_ms: nowMs,
    };
    const [inserted] = await this.#db.write([
      {
        query: this.#builder
          .insertInto('tracking_experiments')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doNothing())
          .returning('id'),
        expect: { rows: 1, otherwise: experimentExists(name) },
      },
      ...insertRows(
        this.#db.dialect,
        {
          columns: { experiment: 'text', key: 'text', value: 'text' },
          sql: (v) => `insert into tracking_experiment_tags (experiment, key, value)
            select e.id, v.key, v.value from ${v}
            join tracking_experiments e on e.name = v.experiment`,
        },
        tags.map(({ key, value }) => [name, key, value]),
      ),
    ]);
    return (inserted!.rows[0] as { id: number }).id;
  }

  async find(by: { readonly id: number } | { readonly name: string }) {
    const query = this.#builder.selectFrom('tracking_experiments').selectAll();
    const [row] = await this.#db.read(
      'id' in by ? query.where('id', '=', by.id) : query.where('name', '=', by.name),
    );
    return row === undefined ? null : (await this.#withTags([row]))[0]!;
  }

  /** Rows `offset` to `offset + limit`. */
  async search(query: {
    readonly clauses: readonly Clause[];
    readonly orders: readonly Order[];
    readonly view: ViewType;
    readonly offset: number;
    readonly limit: number;
  }): Promise<readonly StoredExperiment[]> {
    const { clauses, orders, view, offset, limit } = query;
    let select = this.#builder.selectFrom('tracking_experiments as e').selectAll('e');
    if (view !== 'ALL') {
      select = select.where('e.lifecycle', '=', view === 'ACTIVE_ONLY' ? 'active' : 'deleted');
    }
    for (const clause of clauses) select = select.where(() => this.#condition(clause));
    for (const { key, isAscending } of orders) {
      const column = COLUMNS[key as keyof typeof COLUMNS];
      select = select.orderBy(column, isAscending ? 'asc' : 'desc');
    }
    if (orders.length === 0) select = select.orderBy('e.created_ms', 'desc').orderBy('e.id');
    else if (!orders.some((order) => order.key === 'experiment_id')) {
      select = select.orderBy('e.id', 'desc');
    }
    return this.#withTags(await this.#db.read(select.offset(offset).limit(limit)));
  }

  async rename(id: number, name: string, nowMs: number): Promise<void> {
    try {
      await this.#db.write([
        {
          query: this.#builder
            .updateTable('tracking_experiments')
            .set({ name, updated_ms: nowMs })
            .where('id', '=', id)
            .where('lifecycle', '=', 'active'),
          expect: { rows: 1, otherwise: experimentNotFound(String(id)) },
        },
      ]);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'CONFLICT') throw experimentExists(name);
      throw thrown;
    }
  }

  /**
   * Moves it from the other state, and its runs with it: back come those that it took along.
   * Rejects with `EXPERIMENT_NOT_FOUND` when it is not in the other state.
   */
  async setLifecycle(id: number, lifecycle: Lifecycle, nowMs: number): Promise<void> {
    const former = lifecycle === 'active' ? 'deleted' : 'active';
    await this.#db.write([
      {
        query: this.#builder
          .updateTable('tracking_experiments')
          .set({ lifecycle, updated_ms: nowMs })
          .where('id', '=', id)
          .where('lifecycle', '=', former),
        expect: { rows: 1, otherwise: experimentNotFound(String(id)) },
      },
      {
        query: this.#builder
          .updateTable('tracking_runs')
          .set({ lifecycle, deleted_with_experiment: lifecycle === 'deleted' ? 1 : 0 })
          .where('experiment', '=', id)
          .where('lifecycle', '=', former)
          .where('deleted_with_experiment', '=', lifecycle === 'deleted' ? 0 : 1),
      },
    ]);
  }

  async setTag(id: number, tag: KeyValue): Promise<void> {
    await this.#db.write([
      this.#requireActive(id),
      {
        query: this.#builder
          .insertInto('tracking_experiment_tags')
          .values({ experiment: id, ...tag })
          .onConflict((conflict) =>
            conflict.columns(['experiment', 'key']).doUpdateSet({ value: tag.value }),
          ),
      },
    ]);
  }

  async deleteTag(id: number, key: string): Promise<void> {
    await this.#db.write([
      this.#requireActive(id),
      {
        query: this.#builder
          .deleteFrom('tracking_experiment_tags')
          .where('experiment', '=', id)
          .where('key', '=', key),
        expect: {
          rows: 1,
          otherwise: new AppError('TAG_NOT_FOUND', `Experiment ${id} has no tag '${key}'.`),
        },
      },
    ]);
  }

  #requireActive(id: number): Step {
    return {
      query: this.#builder
        .selectFrom('tracking_experiments')
        .select('id')
        .where('id', '=', id)
        .where('lifecycle', '=', 'active'),
      expect: { rows: 1, otherwise: experimentNotFound(String(id)) },
    };
  }

  #condition(clause: Clause): RawBuilder<boolean> {
    const { entity, key } = clause;
    const { dialect } = this.#db;
    if (entity !== 'tag') {
      return comparison(dialect, sql.ref(COLUMNS[key as keyof typeof COLUMNS]), clause);
    }
    const isAbsent = clause.op === 'IS NULL';
    const value =
      clause.value === null ? sql`true` : comparison(dialect, sql.ref('t.value'), clause);
    return sql`${isAbsent ? sql`not ` : sql``}exists (select 1 from tracking_experiment_tags t
      where t.experiment = e.id and t.key = ${key} and ${value})`;
  }

  async #withTags(rows: readonly ExperimentsRow[]): Promise<readonly StoredExperiment[]> {
    const found: StoredExperiment[] = [];
    for (let at = 0; at < rows.length; at += TAGS_OF) {
      const some = rows.slice(at, at + TAGS_OF);
      const tags = await this.#db.read(
        this.#builder
          .selectFrom('tracking_experiment_tags')
          .selectAll()
          .where(
            'experiment',
            'in',
            some.map((row) => row.id),
          )
          .orderBy('key'),
      );
      const byExperiment = Map.groupBy(tags, (tag) => tag.experiment);
      for (const row of some) {
        const own = byExperiment.get(row.id) ?? [];
        found.push({ ...row, tags: own.map(({ key, value }) => ({ key, value })) });
      }
    }
    return found;
  }

  get #builder() {
    return this.#db.queries<TrackingTables>();
  }
}

export function experimentNotFound(id: string): AppError {
  return new AppError('EXPERIMENT_NOT_FOUND', `No Experiment with id=${id} exists.`, {
    hint: 'See them with: millwright experiments ls',
  });
}

function experimentExists(name: string): AppError {
  return new AppError('EXPERIMENT_EXISTS', `Experiment(name=${name}) already exists.`, {
    hint: 'Deleted experiments keep their name: restore it, or choose another.',
  });
}
