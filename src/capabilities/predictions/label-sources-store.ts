import type { Micros } from '../../base/time.ts';
import type { Db } from '../../platform/db/port.ts';

/** The label of an endpoint and how far its source is joined. */
export interface StoredLabelSource {
  readonly endpoint: string;
  readonly label: string;
  /** `<namespace>.<table>`. */
  readonly source_table: string;
  readonly mature_us: number;
  /** Null until it was joined once. */
  readonly table_version: number | null;
  readonly row_count: number;
  readonly matched: number;
  readonly corrected: number;
  readonly orphans: number;
  readonly newest_at: Micros | null;
  /** Why it is not joined further. */
  readonly error: string | null;
  readonly updated_wall: Micros;
}

interface PredictionsTables {
  readonly predictions_label_sources: StoredLabelSource;
}

/** The table `predictions_label_sources`. */
export class LabelSourcesStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async find(endpoint: string): Promise<StoredLabelSource | null> {
    const query = this.#db
      .queries<PredictionsTables>()
      .selectFrom('predictions_label_sources')
      .selectAll()
      .where('endpoint', '=', endpoint);
    const [row] = await this.#db.read(query);
    return row ?? null;
  }

  async put(source: StoredLabelSource): Promise<void> {
    const query = this.#db
      .queries<PredictionsTables>()
      .insertInto('predictions_label_sources')
      .values(source)
      .onConflict((conflict) => conflict.column('endpoint').doUpdateSet(source));
    await this.#db.write([{ query }]);
  }
}
