import type { Db } from '../../platform/db/port.ts';
import type {
  DatasetsRow,
  KeyValuesRow,
  RunModelsRow,
  RunsRow,
  SeriesRow,
  TrackingTables,
} from './rows.ts';

/** A run with everything it logged, histories and files apart. */
export interface FullRun extends RunsRow {
  readonly metrics: readonly SeriesRow[];
  readonly params: readonly KeyValuesRow[];
  readonly tags: readonly KeyValuesRow[];
  readonly datasets: readonly DatasetsRow[];
  readonly models: readonly RunModelsRow[];
}

/** Rows of one statement; runs with more values take several. */
const ROWS_AT_ONCE = 20_000;

/** Reads what runs logged, a few dozen runs at a time. */
export class RunValuesStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async read(runs: readonly RunsRow[]): Promise<readonly FullRun[]> {
    if (runs.length === 0) return [];
    const seqs = runs.map((run) => run.seq);
    const [metrics, params, tags, datasets, models] = await Promise.all([
      this.#all<SeriesRow>('tracking_series', seqs),
      this.#all<KeyValuesRow>('tracking_params', seqs),
      this.#all<KeyValuesRow>('tracking_tags', seqs),
      this.#datasets(seqs),
      this.#models(seqs),
    ]);
    return runs.map((run) => ({
      ...run,
      metrics: metrics.get(run.seq) ?? [],
      params: params.get(run.seq) ?? [],
      tags: tags.get(run.seq) ?? [],
      datasets: datasets.get(run.seq) ?? [],
      models: models.get(run.seq) ?? [],
    }));
  }

  async #all<Row extends { readonly run: number; readonly key: string }>(
    table: 'tracking_series' | 'tracking_params' | 'tracking_tags',
    seqs: readonly number[],
  ): Promise<Map<number, Row[]>> {
    const rows: Row[] = [];
    for (;;) {
      const last = rows.at(-1);
      let select = this.#builder
        .selectFrom(table)
        .selectAll()
        .where('run', 'in', seqs)
        .orderBy('run')
        .orderBy('key')
        .limit(ROWS_AT_ONCE);
      if (last !== undefined) {
        select = select.where((eb) =>
          eb.or([
            eb('run', '>', last.run),
            eb.and([eb('run', '=', last.run), eb('key', '>', last.key)]),
          ]),
        );
      }
      const found = (await this.#db.read(select)) as unknown as readonly Row[];
      rows.push(...found);
      if (found.length < ROWS_AT_ONCE) return Map.groupBy(rows, (row) => row.run);
    }
  }

  async #datasets(seqs: readonly number[]): Promise<Map<number, DatasetsRow[]>> {
    const rows = await this.#db.read(
      this.#builder
        .selectFrom('tracking_datasets')
        .selectAll()
        .where('run', 'in', seqs)
        .orderBy('name')
        .orderBy('digest'),
    );
    return Map.groupBy(rows, (row) => row.run);
  }

  async #models(seqs: readonly number[]): Promise<Map<number, RunModelsRow[]>> {
    const rows = await this.#db.read(
      this.#builder
        .selectFrom('tracking_run_models')
        .selectAll()
        .where('run', 'in', seqs)
        .orderBy('step')
        .orderBy('model'),
    );
    return Map.groupBy(rows, (row) => row.run);
  }

  get #builder() {
    return this.#db.queries<TrackingTables>();
  }
}
