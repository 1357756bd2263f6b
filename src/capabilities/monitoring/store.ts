import { AppError } from '../../base/errors.ts';
import { formatInstant, micros, type Micros } from '../../base/time.ts';
import type { Db, Step } from '../../platform/db/port.ts';
import type { Check, CheckKind, CheckState, Evaluation, QualityReference } from './contract.ts';
import { MonitorSpec } from './contract.ts';

interface MonitorsRow {
  readonly name: string;
  /** JSON of the `MonitorSpec`. */
  readonly spec: string;
  readonly applied_at: Micros;
  readonly applied_by: string;
}

interface EvaluationsRow {
  readonly id: string;
  readonly monitor: string;
  readonly at: Micros;
  readonly wall: Micros;
  readonly state: CheckState;
  readonly seconds: number;
  /** JSON, as is `checks`, those that are not ok, and `quiet`, all others. */
  readonly versions: string;
  readonly checks: string;
  readonly quiet: string;
}

interface ReferencesRow {
  readonly monitor: string;
  readonly version: number;
  readonly measure: string;
  /** JSON of the `QualityReference`. */
  readonly body: string;
}

interface MonitoringTables {
  readonly monitoring_monitors: MonitorsRow;
  readonly monitoring_evaluations: EvaluationsRow;
  readonly monitoring_references: ReferencesRow;
}

export interface StoredMonitor {
  readonly name: string;
  readonly spec: MonitorSpec;
  readonly appliedAt: Micros;
  readonly appliedBy: string;
}

export interface StoredEvaluation extends Omit<Evaluation, 'at'> {
  readonly at: Micros;
}

/** A quality reference, and what it was measured as: `auc over 7d`. */
export interface StoredReference {
  readonly measure: string;
  readonly reference: QualityReference;
}

/** References of one monitor: one a version and measure, so far more than can come to be. */
const REFERENCES_MAX = 10_000;

/** The tables `monitoring_monitors`, `monitoring_evaluations` and `monitoring_references`. */
export class MonitoringStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async monitors(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly StoredMonitor[]> {
    let query = this.#queries().selectFrom('monitoring_monitors').selectAll();
    if (page.after !== null) query = query.where('name', '>', page.after);
    const rows = await this.#db.read(query.orderBy('name').limit(page.limit));
    return rows.map(toMonitor);
  }

  async find(name: string): Promise<StoredMonitor | null> {
    const query = this.#queries()
      .selectFrom('monitoring_monitors')
      .selectAll()
      .where('name', '=', name);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toMonitor(row);
  }

  /** Rejects with `MONITOR_NOT_FOUND`. */
  async require(name: string): Promise<StoredMonitor> {
    const found = await this.find(name);
    if (found !== null) return found;
    throw new AppError('MONITOR_NOT_FOUND', `There is no monitor ${name}.`, {
      hint: 'Declare it in the section monitors of millwright.yaml; see: millwright monitors ls',
    });
  }

  put(monitor: StoredMonitor): Step {
    const { name, spec, appliedAt, appliedBy } = monitor;
    const content = { spec: JSON.stringify(spec), applied_at: appliedAt, applied_by: appliedBy };
    const query = this.#queries()
      .insertInto('monitoring_monitors')
      .values({ name, ...content })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(content));
    return { query };
  }

  /** What was found stays, for whoever asks by the evaluation's id. */
  remove(name: string): Step {
    const query = this.#queries().deleteFrom('monitoring_monitors').where('name', '=', name);
    return { query };
  }

  /** Rejects the transaction with `CONFLICT` when the monitor has one at this time. */
  insertEvaluation(evaluation: StoredEvaluation, wall: Micros): Step {
    const { id, monitor, at, state, seconds, versions, checks } = evaluation;
    const loud = checks.filter((check) => check.state !== 'ok');
    const quiet = checks.filter((check) => check.state === 'ok');
    const query = this.#queries()
      .insertInto('monitoring_evaluations')
      .values({
        id,
        monitor,
        at,
        wall,
        state,
        seconds,
        versions: JSON.stringify(versions),
        checks: JSON.stringify(loud),
        quiet: JSON.stringify(quiet),
      });
    return { query };
  }

  async evaluation(monitor: string, id: string): Promise<StoredEvaluation | null> {
    const query = this.#evaluations(monitor).where('id', '=', id);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toEvaluation(row, null);
  }

  async evaluationAt(monitor: string, at: Micros): Promise<StoredEvaluation | null> {
    const [row] = await this.#db.read(this.#evaluations(monitor).where('at', '=', at));
    return row === undefined ? null : toEvaluation(row, null);
  }

  /** Newest first, in `[from, until)`; with `kind` its checks, else those that are not ok. */
  async evaluations(
    monitor: string,
    page: {
      readonly from: Micros | null;
      readonly until: Micros | null;
      readonly kind: CheckKind | null;
      readonly limit: number;
    },
  ): Promise<readonly StoredEvaluation[]> {
    let query = this.#evaluations(monitor);
    if (page.from !== null) query = query.where('at', '>=', page.from);
    if (page.until !== null) query = query.where('at', '<', page.until);
    const rows = await this.#db.read(query.orderBy('at', 'desc').limit(page.limit));
    const keep = page.kind ?? 'loud';
    return rows.map((row) => toEvaluation(row, keep));
  }

  async references(monitor: string): Promise<readonly StoredReference[]> {
    const query = this.#queries()
      .selectFrom('monitoring_references')
      .select(['measure', 'body'])
      .where('monitor', '=', monitor)
      .orderBy('version')
      .orderBy('measure')
      .limit(REFERENCES_MAX);
    const rows = await this.#db.read(query);
    return rows.map(({ measure, body }) => ({
      measure,
      reference: JSON.parse(body) as QualityReference,
    }));
  }

  /** Replaces the one of the version and measure: it grows with the version's first weeks. */
  putReference(monitor: string, { measure, reference }: StoredReference): Step {
    const { version } = reference;
    const body = JSON.stringify(reference);
    const query = this.#queries()
      .insertInto('monitoring_references')
      .values({ monitor, version, measure, body })
      .onConflict((conflict) =>
        conflict.columns(['monitor', 'version', 'measure']).doUpdateSet({ body }),
      );
    return { query };
  }

  async write(steps: readonly Step[]): Promise<void> {
    await this.#db.write(steps);
  }

  #evaluations(monitor: string) {
    return this.#queries()
      .selectFrom('monitoring_evaluations')
      .selectAll()
      .where('monitor', '=', monitor);
  }

  #queries() {
    return this.#db.queries<MonitoringTables>();
  }
}

/** As it is answered. */
export function toReply(stored: StoredEvaluation): Evaluation {
  return { ...stored, at: formatInstant(stored.at) };
}

function toMonitor(row: MonitorsRow): StoredMonitor {
  const spec = MonitorSpec.parse(JSON.parse(row.spec));
  return { name: row.name, spec, appliedAt: row.applied_at, appliedBy: row.applied_by };
}

function toEvaluation(row: EvaluationsRow, keep: CheckKind | 'loud' | null): StoredEvaluation {
  const { id, monitor, at, state, seconds } = row;
  const loud = JSON.parse(row.checks) as Check[];
  // Most of an evaluation is what is fine; a list does not even parse it.
  const quiet = keep === 'loud' ? [] : (JSON.parse(row.quiet) as Check[]);
  const checks = [...loud, ...quiet].filter(
    ({ kind }) => keep === null || keep === 'loud' || kind === keep,
  );
  const versions = JSON.parse(row.versions) as Evaluation['versions'];
  return { id, monitor, at: micros(at), versions, checks, state, seconds };
}
