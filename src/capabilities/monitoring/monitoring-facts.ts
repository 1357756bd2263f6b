import type { Micros } from '../../base/time.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { Db } from '../../platform/db/port.ts';
import type { Check, EvaluatedVersion } from './contract.ts';
import { spanMicros } from './periods.ts';
import type { MonitoringStore } from './store.ts';

/** Evaluations that are told of: those of every hour of more than evidence counts for. */
const EVALUATIONS = 2500;

interface EvaluationsTable {
  readonly monitoring_evaluations: {
    readonly id: string;
    readonly monitor: string;
    readonly at: Micros;
    readonly wall: Micros;
    readonly versions: string;
    readonly checks: string;
  };
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
    const evaluations = await this.#evaluations(endpoint, since);
    const [newest] = evaluations;
    const full = newest === undefined ? null : await this.#store.evaluation(endpoint, newest.id);
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
      ...evaluations.map(({ id, at, wall, versions, checks }) => ({
        kind: 'evaluation',
        subject: id,
        at,
        wall,
        data: {
          versions: (JSON.parse(versions) as readonly EvaluatedVersion[]).map(
            ({ model, version, requests }) => ({ model, version, requests }),
          ),
          loud: kindsOf(JSON.parse(checks) as readonly Check[]),
          kinds: id === full?.id ? kindsOf(full.checks) : null,
        },
      })),
    ];
  }

  /** Without what was fine, which is most of an evaluation; newest first. */
  async #evaluations(monitor: string, since: Micros) {
    const query = this.#db
      .queries<EvaluationsTable>()
      .selectFrom('monitoring_evaluations')
      .select(['id', 'at', 'wall', 'versions', 'checks'])
      .where('monitor', '=', monitor)
      .where('at', '>=', since)
      .orderBy('at', 'desc')
      .limit(EVALUATIONS);
    return await this.#db.read(query);
  }
}

/** Each kind with each state that it came out with, once. */
function kindsOf(checks: readonly Check[]): readonly Pick<Check, 'kind' | 'state'>[] {
  const found = new Map(checks.map(({ kind, state }) => [`${kind} ${state}`, { kind, state }]));
  return [...found.values()];
}
