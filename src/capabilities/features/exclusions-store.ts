import type { Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';

export interface ExclusionRow {
  readonly id: string;
  readonly key: string | null;
  readonly source: string | null;
  readonly from_at: Micros;
  readonly until_at: Micros | null;
  readonly reason: string;
  readonly actor: string;
  readonly recorded_at: Micros;
  readonly withdrawn_at: Micros | null;
}

interface ExclusionTables {
  readonly features_exclusions: ExclusionRow;
}

/** Exclusions of one build: more are not windows any more, but a condition to be written. */
export const EXCLUSIONS_MAX = 1000;

/** The table `features_exclusions`. */
export class ExclusionsStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Adds nothing when there is one with this key. */
  async insert(row: ExclusionRow, events: readonly Step[]): Promise<void> {
    const query = this.#queries().insertInto('features_exclusions').values(row);
    await this.#db.write([{ query }, ...events]);
  }

  async find(id: string): Promise<ExclusionRow | null> {
    const [row] = await this.#db.read(this.#all().where('id', '=', id));
    return row ?? null;
  }

  async findByKey(key: string): Promise<ExclusionRow | null> {
    const [row] = await this.#db.read(this.#all().where('key', '=', key));
    return row ?? null;
  }

  async change(
    id: string,
    set: Partial<Pick<ExclusionRow, 'until_at' | 'withdrawn_at'>>,
    events: readonly Step[],
  ): Promise<void> {
    const query = this.#queries().updateTable('features_exclusions').set(set).where('id', '=', id);
    await this.#db.write([{ query }, ...events]);
  }

  /** Newest first, those with an id below `before`. */
  async list(page: {
    readonly before: string | null;
    readonly limit: number;
  }): Promise<readonly ExclusionRow[]> {
    let query = this.#all();
    if (page.before !== null) query = query.where('id', '<', page.before);
    return await this.#db.read(query.orderBy('id', 'desc').limit(page.limit));
  }

  /** Those in force for a source that touch `[from, until)`, by time. */
  async inForce(
    source: string,
    range: { readonly from: Micros; readonly until: Micros },
  ): Promise<readonly ExclusionRow[]> {
    const query = this.#all()
      .where('withdrawn_at', 'is', null)
      .where('from_at', '<', range.until)
      .where((eb) => eb.or([eb('source', 'is', null), eb('source', '=', source)]))
      .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', range.from)]))
      .orderBy('from_at')
      .orderBy('id')
      .limit(EXCLUSIONS_MAX + 1);
    return await this.#db.read(query);
  }

  #all() {
    return this.#queries().selectFrom('features_exclusions').selectAll();
  }

  #queries() {
    return this.#db.queries<ExclusionTables>();
  }
}
