import { AppError } from '../../base/errors.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import { insertRows } from '../../platform/db/insert-rows.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import { experimentNotFound } from './experiments-store.ts';
import type { DatasetsRow, Lifecycle, RunModelsRow, RunsRow, TrackingTables } from './rows.ts';

/** Runs whose number is remembered: numbers never change, and most calls are about few runs. */
const REMEMBERED_MAX = 10_000;

/** What a run is to the tables of its values. */
export interface RunKey {
  readonly id: string;
  readonly seq: number;
  readonly experiment: number;
}

/** The tables `tracking_runs`, `tracking_tags`, `tracking_datasets` and `tracking_run_models`. */
export class RunsStore {
  readonly #db: Db;
  readonly #keys = new Map<string, RunKey>();

  constructor(db: Db) {
    this.#db = db;
  }

  async insert(
    run: Omit<RunsRow, 'seq'>,
    tags: readonly KeyValue[],
    events: readonly Step[],
  ): Promise<void> {
    await this.#db.write([
      {
        query: this.#builder
          .selectFrom('tracking_experiments')
          .select('id')
          .where('id', '=', run.experiment)
          .where('lifecycle', '=', 'active'),
        expect: { rows: 1, otherwise: experimentNotFound(String(run.experiment)) },
      },
      { query: this.#builder.insertInto('tracking_runs').values(run) },
      ...insertRows(
        this.#db.dialect,
        {
          columns: { run: 'text', key: 'text', value: 'text' },
          sql: (v) => `insert into tracking_tags (run, key, value)
            select r.seq, v.key, v.value from ${v} join tracking_runs r on r.id = v.run`,
        },
        tags.map(({ key, value }) => [run.id, key, value]),
      ),
      ...events,
    ]);
  }

  async find(id: string): Promise<RunsRow | null> {
    const [row] = await this.#db.read(
      this.#builder.selectFrom('tracking_runs').selectAll().where('id', '=', id),
    );
    return row ?? null;
  }

  /** Rejects with `RUN_NOT_FOUND`. */
  async require(id: string): Promise<RunsRow> {
    const run = await this.find(id);
    if (run === null) throw runNotFound(id);
    this.#remember(run);
    return run;
  }

  async key(id: string): Promise<RunKey> {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const { seq, experiment } = await this.require(id);
    return { id, seq, experiment };
  }

  /** Fails the transaction unless the run may be changed. */
  requireActive(id: string): Step {
    return {
      query: this.#builder
        .selectFrom('tracking_runs')
        .select('seq')
        .where('id', '=', id)
        .where('lifecycle', '=', 'active'),
      expect: { rows: 1, otherwise: runDeleted(id) },
    };
  }

  async update(
    id: string,
    change: Partial<Pick<RunsRow, 'status' | 'end_ms' | 'name' | 'user_id'>>,
    steps: readonly Step[],
  ): Promise<void> {
    const changes = Object.keys(change).length === 0 ? [] : [this.changeStep(id, change)];
    await this.#db.write([this.requireActive(id), ...changes, ...steps]);
  }

  changeStep(id: string, change: Partial<RunsRow>): Step {
    const query = this.#builder.updateTable('tracking_runs').set(change).where('id', '=', id);
    return { query };
  }

  /** In that state already it stays as it is: clients send a call again when no answer came. */
  async setLifecycle(id: string, lifecycle: Lifecycle): Promise<void> {
    await this.#db.write([
      {
        query: this.#builder
          .updateTable('tracking_runs')
          .set({ lifecycle, deleted_with_experiment: 0 })
          .where('id', '=', id)
          .where('lifecycle', '!=', lifecycle),
      },
    ]);
  }

  tagSteps(run: RunKey, tags: readonly KeyValue[]): readonly Step[] {
    const last = new Map(tags.map(({ key, value }) => [key, value]));
    return insertRows(
      this.#db.dialect,
      {
        columns: { run: 'integer', key: 'text', value: 'text' },
        sql: (v) => `insert into tracking_tags (run, key, value)
          select v.run, v.key, v.value from ${v} where true
          on conflict (run, key) do update set value = excluded.value`,
      },
      [...last].map(([key, value]) => [run.seq, key, value]),
    );
  }

  deleteTagStep(run: RunKey, key: string): Step {
    return {
      query: this.#builder
        .deleteFrom('tracking_tags')
        .where('run', '=', run.seq)
        .where('key', '=', key),
      expect: {
        rows: 1,
        otherwise: new AppError(
          'TAG_NOT_FOUND',
          `No tag with name: ${key} in run with id ${mlflowRunId(run.id)}`,
        ),
      },
    };
  }

  /** Data that a run read; the same name and digest once more changes nothing. */
  datasetSteps(rows: readonly DatasetsRow[]): readonly Step[] {
    return rows.map((row) => ({
      query: this.#builder
        .insertInto('tracking_datasets')
        .values(row)
        .onConflict((conflict) => conflict.doNothing()),
    }));
  }

  modelSteps(rows: readonly RunModelsRow[]): readonly Step[] {
    return rows.map((row) => ({
      query: this.#builder
        .insertInto('tracking_run_models')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['run', 'direction', 'model']).doUpdateSet({ step: row.step }),
        ),
    }));
  }

  async write(steps: readonly Step[]): Promise<void> {
    await this.#db.write(steps);
  }

  #remember({ id, seq, experiment }: RunKey): void {
    if (this.#keys.size >= REMEMBERED_MAX) this.#keys.clear();
    this.#keys.set(id, { id, seq, experiment });
  }

  get #builder() {
    return this.#db.queries<TrackingTables>();
  }
}

/** `run_0192...` as MLflow spells it: 32 hex digits. */
export function mlflowRunId(id: string): string {
  return id.slice('run_'.length);
}

export function runNotFound(id: string): AppError {
  return new AppError('RUN_NOT_FOUND', `Run with id=${mlflowRunId(id)} not found`, {
    hint: 'See them with: millwright runs ls',
  });
}

function runDeleted(id: string): AppError {
  return new AppError(
    'RUN_DELETED',
    `The run ${mlflowRunId(id)} must be in the 'active' state. Current state is deleted.`,
    { hint: 'Restore it first.' },
  );
}
