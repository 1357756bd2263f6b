import { AppError } from '../../base/errors.ts';
import { micros, MICROS_PER_MS, type Micros } from '../../base/time.ts';
import type { Fact, FactQuestion, Facts } from '../../platform/capability.ts';
import type { Events } from '../../platform/events/port.ts';
import { parsePins } from './pins.ts';
import type { FullRun } from './run-values-store.ts';
import type { TrackingService } from './service.ts';

/** Runs that are told of, the newest ones of the experiments that versions came from. */
const RUNS = 100;
/** Runs that made versions, the newest ones. */
const MAKERS = 50;
/** Events of one run: it is created and it ends. */
const EVENTS = 10;

const COMMIT_TAG = 'mlflow.source.git.commit';
/** Contexts of data sets that a client says it was evaluated on. */
const EVALUATION = /^(?:eval|valid|test|held.?out)/i;

export interface TrackingFactsDeps {
  readonly tracking: Pick<TrackingService, 'runs'>;
  readonly events: Pick<Events, 'list'>;
  /** Ids of runs that made versions of the model, the newest first. */
  readonly makersOf: (model: string, limit: number) => Promise<readonly string[]>;
}

/** Runs that made a model's versions, and those beside them. */
export class TrackingFacts implements Facts {
  readonly #deps: TrackingFactsDeps;

  constructor(deps: TrackingFactsDeps) {
    this.#deps = deps;
  }

  async factsOf({ model, since }: FactQuestion): Promise<readonly Fact[]> {
    const { tracking, makersOf } = this.#deps;
    const ids = new Set(await makersOf(model, MAKERS));
    if (ids.size === 0) return [];
    const made = (await Promise.all([...ids].map((id) => orNone(tracking.runs.get(id))))).flat();
    const { runs } = await tracking.runs.page({
      experiments: [...new Set(made.map(({ experiment }) => experiment))],
      view: 'ACTIVE_ONLY',
      clauses: [],
      orders: [],
      from: { segment: 0, offset: 0 },
      limit: RUNS,
    });
    const all = [...made, ...runs.filter(({ id }) => !ids.has(id))];
    return await Promise.all(all.map((run) => this.#toFact(run, since)));
  }

  /** A run's own times are its client's; the domain time is that of the event that tells of it. */
  async #toFact(run: FullRun, since: Micros): Promise<Fact> {
    const told = await this.#deps.events.list({ subject: `run/${run.id}`, limit: EVENTS });
    const { now: at } = told.at(-1) ?? { now: since };
    const pins = parsePins(run.tags);
    const tag = (key: string) => run.tags.find((one) => one.key === key)?.value ?? null;
    const set = pins?.trainingSet ?? null;
    const trainingSet = set === null ? null : `${set.name}@${set.version}`;
    const evaluated = run.datasets.filter(({ context }) => EVALUATION.test(context ?? ''));
    const read = run.datasets.filter((one) => !evaluated.includes(one));
    return {
      kind: 'run',
      subject: run.id,
      at,
      wall: micros(run.start_ms * MICROS_PER_MS),
      data: {
        owner: run.user_id,
        status: run.status,
        commit: pins?.codeCommit ?? tag(COMMIT_TAG),
        codeTree: pins?.codeTree ?? null,
        params: run.params.length,
        metrics: run.metrics.length,
        data: [
          ...(trainingSet === null ? [] : [trainingSet]),
          ...(pins?.tables ?? []).map(({ table, version }) => `${table}@${version}`),
          ...read.map(({ name, digest }) => `${name} ${digest}`),
        ],
        evaluatedOn: evaluated.map(({ name, digest }) => `${name} ${digest}`),
        environment: pins?.environment ?? null,
        definition: pins?.definition ?? null,
        command: pins?.command ?? null,
        pipelineRun: pins?.pipelineRun ?? null,
        trainingSet,
      },
    };
  }
}

/** A run that was deleted for good leaves its versions without an origin. */
async function orNone(run: Promise<FullRun>): Promise<readonly FullRun[]> {
  try {
    return [await run];
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'RUN_NOT_FOUND') return [];
    throw thrown;
  }
}
