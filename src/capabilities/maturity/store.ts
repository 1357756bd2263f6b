import type { Generated } from 'kysely';
import { formatInstant, type Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { CheckState, Evidence, MaturityChange } from './contract.ts';

interface CurrentRow {
  readonly endpoint: string;
  readonly level: number;
  readonly states: string;
  readonly at: Micros;
}

interface ChangesRow {
  readonly id: Generated<number>;
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly subject: string;
  readonly former: string | null;
  readonly state: string;
  readonly why: string;
  readonly evidence: string;
  readonly at: Micros;
  readonly wall: Micros;
}

interface MaturityTables {
  readonly maturity_current: CurrentRow;
  readonly maturity_changes: ChangesRow;
}

/** What the newest review found. */
export interface Reviewed {
  readonly endpoint: string;
  readonly level: number;
  readonly states: Readonly<Record<string, CheckState>>;
  readonly at: Micros;
}

export interface NewChange {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly subject: string;
  readonly former: string | null;
  readonly state: string;
  readonly why: string;
  readonly evidence: readonly Evidence[];
  readonly at: Micros;
  readonly wall: Micros;
}

/** The tables `maturity_current` and `maturity_changes`. */
export class MaturityStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async find(endpoint: string): Promise<Reviewed | null> {
    const query = this.#queries()
      .selectFrom('maturity_current')
      .selectAll()
      .where('endpoint', '=', endpoint);
    const [row] = await this.#db.read(query);
    return row === undefined
      ? null
      : { ...row, states: JSON.parse(row.states) as Reviewed['states'] };
  }

  /** Keeps what a review found, with what is new about it, in one transaction with the steps. */
  async put(
    reviewed: Reviewed,
    changes: readonly NewChange[],
    steps: readonly Step[] = [],
  ): Promise<void> {
    const { endpoint, level, at } = reviewed;
    const content = { level, at, states: JSON.stringify(reviewed.states) };
    const current = this.#queries()
      .insertInto('maturity_current')
      .values({ endpoint, ...content })
      .onConflict((conflict) => conflict.column('endpoint').doUpdateSet(content));
    await this.#db.write([
      { query: current },
      ...changes.map((change) => ({
        query: this.#queries()
          .insertInto('maturity_changes')
          .values({ ...change, evidence: JSON.stringify(change.evidence) }),
      })),
      ...steps,
    ]);
  }

  /** Newest first, those with an id below `before`. */
  async changes(
    endpoint: string,
    page: {
      readonly before: number | null;
      readonly subject: string | null;
      readonly limit: number;
    },
  ): Promise<readonly MaturityChange[]> {
    let query = this.#queries()
      .selectFrom('maturity_changes')
      .selectAll()
      .where('endpoint', '=', endpoint)
      .orderBy('id', 'desc');
    if (page.before !== null) query = query.where('id', '<', page.before);
    if (page.subject !== null) query = query.where('subject', '=', page.subject);
    const rows = await this.#db.read(query.limit(page.limit));
    return rows.map(({ id, model, version, subject, former, state, why, evidence, at, wall }) => ({
      id,
      at: formatInstant(at),
      wall: formatInstant(wall),
      model,
      version,
      subject,
      from: former,
      to: state,
      why,
      evidence: JSON.parse(evidence) as Evidence[],
    }));
  }

  #queries() {
    return this.#db.queries<MaturityTables>();
  }
}
