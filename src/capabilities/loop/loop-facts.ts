import { parseInstant, type Micros } from '../../base/time.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import { spanMicros } from './loop-policy.ts';
import type { LoopStore } from './store.ts';
import type { DecisionsRow, StoredInstance, StoredLoop } from './stored.ts';

/** Loops of a workspace that are looked through for the endpoint's. */
const LOOPS = 200;
/** Told of, the newest ones: a loop decides a few times a week. */
const INSTANCES = 100;
const DECISIONS = 500;

/** Loops with their instances and decisions. */
export class LoopFacts implements Facts {
  readonly #store: LoopStore;

  constructor(store: LoopStore) {
    this.#store = store;
  }

  async factsOf({ endpoint, now }: FactQuestion): Promise<readonly Fact[]> {
    const loops = await this.#store.listLoops({ after: null, limit: LOOPS });
    const own = loops.filter(({ name, spec }) => (spec.endpoint ?? name) === endpoint);
    return (await Promise.all(own.map((loop) => this.#ofLoop(loop, now)))).flat();
  }

  async #ofLoop(loop: StoredLoop, now: Micros): Promise<readonly Fact[]> {
    const [instances, decisions] = await Promise.all([
      this.#store.listInstances(loop.name, { before: null, limit: INSTANCES }),
      this.#store.listDecisions(loop.name, { before: null, instance: null, limit: DECISIONS }),
    ]);
    const { autonomy, budget, min_rows: minRows } = loop.spec;
    const perMicros = spanMicros(budget.per);
    const declared = { autonomy, retrains: budget.retrains, perMicros, minRows };
    return [
      { kind: 'loop', subject: loop.name, at: now, wall: now, data: declared },
      ...instances.map((instance) => toInstanceFact(instance)),
      ...decisions.map((decision) => toDecisionFact(loop, decision)),
    ];
  }
}

function toInstanceFact(instance: StoredInstance): Fact {
  const { id, loop, state, isManual, champion, challenger, startedAt, endedAt, course } = instance;
  return {
    kind: 'instance',
    subject: id,
    at: endedAt ?? startedAt,
    wall: startedAt,
    data: {
      loop,
      state,
      isManual,
      isTraining: course.stage !== null,
      causes: instance.causes.map(({ kind }) => kind),
      champion,
      challenger,
      startedAt,
      deployedAt: course.deployed?.at ?? null,
      pipelineRun: course.pipelineRun,
    },
  };
}

/** What decisions of the kinds that matter here keep beside their reason. */
interface Inputs {
  readonly champion?: number;
  readonly challenger?: number;
  readonly evaluation?: unknown;
  readonly comparison?: { readonly rows: number } | null;
  readonly release?: unknown;
  readonly causes?: readonly { readonly doubt: string | null }[];
  readonly past?: { readonly cooldownUntil: Micros | null; readonly retrains: number };
  readonly maturedRows?: number;
  readonly exclusions?: readonly unknown[];
  readonly incidents?: readonly unknown[];
}

function toDecisionFact(loop: StoredLoop, row: DecisionsRow): Fact {
  const inputs = JSON.parse(row.inputs) as Inputs;
  return {
    kind: 'decision',
    subject: `${loop.name}/${row.id}`,
    at: row.at,
    wall: row.wall,
    data: {
      number: row.id,
      decision: row.kind,
      actor: row.actor,
      reason: row.reason,
      instance: row.instance,
      blockedBy: row.kind === 'suppressed' ? limitsOf(loop, row.at, inputs) : [],
      compared: comparedOf(inputs),
    },
  };
}

/** Limits that stood in the way, unless something else stood there before them (`admit`). */
function limitsOf(loop: StoredLoop, at: Micros, inputs: Inputs): readonly string[] {
  const { past, maturedRows, release, causes = [], exclusions = [], incidents = [] } = inputs;
  if (past === undefined || release === null) return [];
  if (exclusions.length > 0 || incidents.length > 0) return [];
  if (causes.every(({ doubt }) => doubt !== null)) return [];
  const { budget, min_rows: minRows } = loop.spec;
  return [
    ...(past.cooldownUntil !== null && past.cooldownUntil > at ? ['cooldown'] : []),
    ...(past.retrains >= budget.retrains ? ['budget'] : []),
    ...(maturedRows !== undefined && maturedRows < minRows ? ['rows'] : []),
  ];
}

function comparedOf({ champion, challenger, comparison, evaluation }: Inputs) {
  if (champion === undefined || challenger === undefined || comparison == null) return null;
  const { from, until } = (evaluation ?? {}) as {
    readonly from?: unknown;
    readonly until?: unknown;
  };
  const [start, end] = [instantOf(from), instantOf(until)];
  if (start === null || end === null) return null;
  return { champion, challenger, rows: comparison.rows, from: start, until: end };
}

function instantOf(value: unknown): Micros | null {
  if (typeof value === 'number') return value as Micros;
  return typeof value === 'string' ? parseInstant(value) : null;
}
