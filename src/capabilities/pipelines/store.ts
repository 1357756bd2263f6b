import { AppError, type ErrorBody } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Db, Step as DbStep } from '../../platform/db/port.ts';
import type { ProcessIdentity } from '../../platform/exec/port.ts';
import type { AttemptState, RunState, StepState } from './contract.ts';
import type { FormerRun } from './inspect-stage.ts';
import type { ManifestOutput, StageSpec } from './stage-spec.ts';
import {
  toAttempt,
  toRun,
  toStep,
  type AttemptsRow,
  type PipelinesTables,
  type RunsRow,
  type StepsRow,
  type StoredAttempt,
  type StoredRun,
  type StoredStep,
} from './stored.ts';
import type { PlannedStage } from './tasks.ts';

/** What a run's next move changes; all of it at once, or nothing. */
export interface Transition {
  readonly run?: {
    readonly from: RunState;
    readonly to: RunState;
    readonly at: Micros;
    readonly error?: ErrorBody | null;
  };
  readonly step?: {
    readonly of: StoredStep;
    readonly to: StepState;
    readonly reasons?: readonly string[];
    readonly spec?: StageSpec;
    readonly error?: ErrorBody;
  };
  /** Every step that has not begun. */
  readonly skipRest?: boolean;
  readonly begin?: StoredAttempt;
  readonly end?: {
    readonly of: StoredAttempt;
    readonly to: AttemptState;
    readonly at: Micros;
    readonly exitCode?: number;
    readonly reason?: string;
    readonly lockHash?: string;
    readonly outputs?: readonly ManifestOutput[];
  };
}

const OPEN_STATES: readonly RunState[] = ['queued', 'running'];

/** The tables `pipelines_runs`, `pipelines_steps` and `pipelines_attempts`. */
export class PipelinesStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async insertRun(run: StoredRun, stages: readonly PlannedStage[]): Promise<void> {
    const builder = this.#db.queries<PipelinesTables>();
    const row: RunsRow = {
      id: run.id,
      folder: run.folder,
      targets: JSON.stringify(run.targets),
      is_forced: run.isForced ? 1 : 0,
      state: run.state,
      is_cancelling: 0,
      actor: run.actor,
      environment: run.environment === null ? null : JSON.stringify(run.environment),
      error: null,
      created_at: run.createdAt,
      started_at: null,
      finished_at: null,
      context: run.trainUntil === null ? null : JSON.stringify({ trainUntil: run.trainUntil }),
      key: run.key,
    };
    const steps = stages.map(({ name, reasons, timeoutMs, retries }, position): StepsRow => ({
      run: run.id,
      position,
      stage: name,
      state: 'waiting',
      reasons: JSON.stringify(reasons),
      timeout_ms: timeoutMs,
      retries,
      spec: null,
      error: null,
    }));
    await this.#db.write([
      { query: builder.insertInto('pipelines_runs').values(row) },
      ...steps.map((step) => ({ query: builder.insertInto('pipelines_steps').values(step) })),
    ]);
  }

  async findRun(id: string): Promise<StoredRun | null> {
    const builder = this.#db.queries<PipelinesTables>();
    const query = builder.selectFrom('pipelines_runs').selectAll().where('id', '=', id);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toRun(row);
  }

  async findRunByKey(key: string): Promise<StoredRun | null> {
    const builder = this.#db.queries<PipelinesTables>();
    const query = builder.selectFrom('pipelines_runs').selectAll().where('key', '=', key);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toRun(row);
  }

  /** Newest first, those before `before`. */
  async listRuns(page: {
    readonly before: string | null;
    readonly folder: string | null;
    readonly limit: number;
  }): Promise<readonly StoredRun[]> {
    const { before, folder, limit } = page;
    let query = this.#db
      .queries<PipelinesTables>()
      .selectFrom('pipelines_runs')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit);
    if (before !== null) query = query.where('id', '<', before);
    if (folder !== null) query = query.where('folder', '=', folder);
    return (await this.#db.read(query)).map(toRun);
  }

  /** Runs that are not over, oldest first; of one folder or of all. */
  async openRuns(folder: string | null = null): Promise<readonly StoredRun[]> {
    let query = this.#db
      .queries<PipelinesTables>()
      .selectFrom('pipelines_runs')
      .selectAll()
      .where('state', 'in', OPEN_STATES)
      .orderBy('id')
      .limit(OPEN_RUNS_MAX);
    if (folder !== null) query = query.where('folder', '=', folder);
    return (await this.#db.read(query)).map(toRun);
  }

  async steps(run: string): Promise<readonly StoredStep[]> {
    const query = this.#db
      .queries<PipelinesTables>()
      .selectFrom('pipelines_steps')
      .selectAll()
      .where('run', '=', run)
      .orderBy('position');
    return (await this.#db.read(query)).map(toStep);
  }

  /** The first step that is not over; null when all are. */
  async currentStep(run: string): Promise<StoredStep | null> {
    const query = this.#db
      .queries<PipelinesTables>()
      .selectFrom('pipelines_steps')
      .selectAll()
      .where('run', '=', run)
      .where('state', 'in', ['waiting', 'running'])
      .orderBy('position')
      .limit(1);
    const [row] = await this.#db.read(query);
    return row === undefined ? null : toStep(row);
  }

  /** In the order they were made; of one step or of all. */
  async attempts(run: string, position: number | null = null): Promise<readonly StoredAttempt[]> {
    let query = this.#db
      .queries<PipelinesTables>()
      .selectFrom('pipelines_attempts')
      .selectAll()
      .where('run', '=', run)
      .orderBy('position')
      .orderBy('number');
    if (position !== null) query = query.where('position', '=', position);
    return (await this.#db.read(query)).map(toAttempt);
  }

  /** What the newest successful attempt at each stage of a folder left, whichever run it was of. */
  async formerRuns(folder: string): Promise<Readonly<Record<string, FormerRun>>> {
    const builder = this.#db.queries<PipelinesTables>();
    const newest = builder
      .selectFrom('pipelines_attempts')
      .select((eb) => eb.fn.max('id').as('id'))
      .where('folder', '=', folder)
      .where('state', '=', 'succeeded')
      .groupBy('stage');
    const query = builder
      .selectFrom('pipelines_attempts')
      .select(['stage', 'lock_hash', 'environment'])
      .where('id', 'in', newest);
    const found = await this.#db.read(query);
    return Object.fromEntries(
      found.map(({ stage, lock_hash: lockHash, environment }) => [
        stage,
        { lockHash: lockHash ?? '', environment },
      ]),
    );
  }

  async requestCancel(id: string): Promise<void> {
    const query = this.#db
      .queries<PipelinesTables>()
      .updateTable('pipelines_runs')
      .set({ is_cancelling: 1 })
      .where('id', '=', id)
      .where('state', 'in', OPEN_STATES);
    await this.#db.write([{ query }]);
  }

  /** The attempt's process is known; repeating it changes nothing. */
  async attemptRuns(attempt: StoredAttempt, identity: ProcessIdentity): Promise<void> {
    const query = this.#db
      .queries<PipelinesTables>()
      .updateTable('pipelines_attempts')
      .set({
        state: 'running',
        pid: identity.pid,
        start_time: identity.startTime,
        boot_id: identity.bootId,
      })
      .where('id', '=', attempt.id)
      .where('state', '=', 'starting');
    await this.#db.write([{ query }]);
  }

  /**
   * Rejects with `CONFLICT` when the run has moved on meanwhile, or is to begin while another one
   * runs in its folder.
   */
  async move(run: string, transition: Transition, events: readonly DbStep[]): Promise<void> {
    await this.#db.write([...this.#steps(run, transition), ...events]);
  }

  #steps(run: string, transition: Transition): readonly DbStep[] {
    const builder = this.#db.queries<PipelinesTables>();
    const steps: DbStep[] = [];
    const add = (query: DbStep['query']): void => {
      steps.push({ query, expect: { rows: 1, otherwise: movedOn(run) } });
    };
    const { run: state, step, begin, end, skipRest = false } = transition;
    if (state !== undefined) {
      const { from, to, at, error } = state;
      add(
        builder
          .updateTable('pipelines_runs')
          .set(to === 'running' ? { state: to, started_at: at } : { state: to, finished_at: at })
          .$if(error !== undefined, (query) => query.set({ error: toText(error ?? null) }))
          .where('id', '=', run)
          .where('state', '=', from)
          .$if(to === 'running', (query) =>
            query.where((eb) => eb.not(eb.exists(this.#runsBeside(run)))),
          ),
      );
    }
    if (step !== undefined) add(this.#stepQuery(step));
    if (end !== undefined) add(this.#endQuery(end));
    if (begin !== undefined) {
      const row: AttemptsRow = { ...begin, outputs: null };
      steps.push({ query: builder.insertInto('pipelines_attempts').values(row) });
    }
    if (skipRest) {
      const query = builder
        .updateTable('pipelines_steps')
        .set({ state: 'skipped' })
        .where('run', '=', run)
        .where('state', '=', 'waiting');
      steps.push({ query });
    }
    return steps;
  }

  /** Other runs under way in the folder of the run: their stages write the same files. */
  #runsBeside(run: string) {
    return this.#db
      .queries<PipelinesTables>()
      .selectFrom('pipelines_runs as other')
      .innerJoin('pipelines_runs as own', 'own.folder', 'other.folder')
      .select('other.id')
      .where('own.id', '=', run)
      .where('other.id', '!=', run)
      .where('other.state', '=', 'running');
  }

  #stepQuery({ of, to, reasons, spec, error }: NonNullable<Transition['step']>) {
    return this.#db
      .queries<PipelinesTables>()
      .updateTable('pipelines_steps')
      .set({ state: to })
      .$if(reasons !== undefined, (query) => query.set({ reasons: JSON.stringify(reasons) }))
      .$if(spec !== undefined, (query) => query.set({ spec: JSON.stringify(spec) }))
      .$if(error !== undefined, (query) => query.set({ error: toText(error ?? null) }))
      .where('run', '=', of.run)
      .where('position', '=', of.position)
      .where('state', '=', of.state);
  }

  #endQuery({ of, to, at, ...rest }: NonNullable<Transition['end']>) {
    return this.#db
      .queries<PipelinesTables>()
      .updateTable('pipelines_attempts')
      .set({
        state: to,
        ended_at: at,
        exit_code: rest.exitCode ?? null,
        reason: rest.reason ?? null,
        lock_hash: rest.lockHash ?? null,
        outputs: rest.outputs === undefined ? null : JSON.stringify(rest.outputs),
      })
      .where('id', '=', of.id)
      .where('state', '=', of.state);
  }
}

/** Far more than wait at once: each folder has a limit of its own. */
const OPEN_RUNS_MAX = 10_000;

function movedOn(run: string): AppError {
  return new AppError('CONFLICT', `The pipeline run ${run} has moved on meanwhile.`);
}

export function runNotFound(id: string): AppError {
  return new AppError('PIPELINE_RUN_NOT_FOUND', `There is no pipeline run ${id}.`, {
    hint: 'See them with: millwright pipelines ls',
  });
}

function toText(error: ErrorBody | null): string | null {
  return error === null ? null : JSON.stringify(error);
}
