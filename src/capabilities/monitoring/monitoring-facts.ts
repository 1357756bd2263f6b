import type { Micros } from '../../base/time.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { Db } from '../../platform/db/port.ts';
import type { Check, EvaluatedVersion } from './contract.ts';
import { spanMicros } from './periods.ts';
import type { MonitoringStore } from './store.ts';

/** Evaluations that are told of: those of every hour of more than evidence counts for. */
const EVALUATIONS = 2500;
/** Read and parsed at once: requests are answered in between. */
const AT_ONCE = 100;

interface Row {
  readonly id: string;
  readonly at: Micros;
  readonly wall: Micros;
  readonly versions: string;
  readonly checks: string;
}

interface EvaluationsTable {
  readonly monitoring_evaluations: Row & { readonly monitor: string };
}

/** Monitors and what their evaluations found. */
export class MonitoringFacts implements Facts {
  readonly #db: Db;
  readonly #store: MonitoringStore;

  constructor(deps: { readonly db: Db; readonly store: MonitoringStore }) {
    this.#db = deps.db;
    this.#store = deps.store;
  }

  async factsOf({ endpoint, since, now }: FactQuestion): Promise<readonly Fact[]> {
    const monitor = await this.#store.find(endpoint);
    const evaluations: Fact[] = [];
    for (let until: Micros | null = null; evaluations.length < EVALUATIONS;) {
      const rows: readonly Row[] = await this.#evaluations(endpoint, { since, until });
      evaluations.push(...rows.map(toFact));
      until = rows.at(-1)?.at ?? null;
      if (rows.length < AT_ONCE) break;
    }
    const [newest, ...older] = evaluations;
    return [
      ...(monitor === null
        ? []
        : [
            {
              kind: 'monitor',
              subject: endpoint,
              at: now,
              wall: monitor.appliedAt,
              data: { isAuto: monitor.spec.auto, everyMicros: spanMicros(monitor.spec.every) },
            },
          ]),
      ...(newest === undefined ? [] : [await this.#withAll(endpoint, newest)]),
      ...older,
    ];
  }

  /** With what was fine, too: what a monitor looks at is the same every time. */
  async #withAll(monitor: string, newest: Fact): Promise<Fact> {
    const full = await this.#store.evaluation(monitor, newest.subject);
    const kinds = full === null ? null : kindsOf(full.checks);
    return { ...newest, data: { ...newest.data, kinds } };
  }

  /** Without what was fine, which is most of an evaluation; newest first. */
  async #evaluations(
    monitor: string,
    { since, until }: { readonly since: Micros; readonly until: Micros | null },
  ): Promise<readonly Row[]> {
    let query = this.#db
      .queries<EvaluationsTable>()
      .selectFrom('monitoring_evaluations')
      .select(['id', 'at', 'wall', 'versions', 'checks'])
      .where('monitor', '=', monitor)
      .where('at', '>=', since)
      .orderBy('at', 'desc')
      .limit(AT_ONCE);
    if (until !== null) query = query.where('at', '<', until);
    return await this.#db.read(query);
  }
}

function toFact({ id, at, wall, versions, checks }: Row): Fact {
  const answered = JSON.parse(versions) as readonly EvaluatedVersion[];
  const data = {
    versions: answered.map(({ model, version, requests }) => ({ model, version, requests })),
    loud: kindsOf(JSON.parse(checks) as readonly Check[]),
    kinds: null,
  };
  return { kind: 'evaluation', subject: id, at, wall, data };
}

/** Each kind with each state that it came out with, once. */
function kindsOf(checks: readonly Check[]): readonly Pick<Check, 'kind' | 'state'>[] {
  const found = new Map(checks.map(({ kind, state }) => [`${kind} ${state}`, { kind, state }]));
  return [...found.values()];
}
