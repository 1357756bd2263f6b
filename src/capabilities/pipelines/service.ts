import { realpath } from 'node:fs/promises';
import { AppError } from '../../base/errors.ts';
import { decodeCursor, nextPage, type Page } from '../../base/cursor.ts';
import type { PageQuery } from '../../base/page.ts';
import type { Log } from '../../platform/log/log.ts';
import {
  LOG_TAILS_MAX,
  QUEUED_RUNS_MAX,
  type PipelineRun,
  type PipelineRunSummary,
  type Plan,
  type StageLog,
} from './contract.ts';
import { Driver } from './driver.ts';
import { FILES_TIMEOUT_MS } from './launcher.ts';
import { toStepView, toSummary } from './run-view.ts';
import { goesBefore, Runner, type RunnerDeps } from './runner.ts';
import { readLog } from './step-log.ts';
import { runNotFound } from './store.ts';
import type { StoredRun } from './stored.ts';
import type { PipelinePlan } from './tasks.ts';

export interface PipelinesDeps extends RunnerDeps {
  readonly log: Log;
}

interface RunWish {
  readonly folder: string;
  readonly targets: readonly string[];
  readonly force: boolean;
}

interface StartWish extends RunWish {
  readonly trainUntil?: string | null;
  readonly key?: string | null;
}

/** Pipelines: runs of the stages of a `dvc.yaml`, advanced while this process listens. */
export class PipelinesService {
  readonly #deps: PipelinesDeps;
  readonly #runner: Runner;
  readonly #driver: Driver;

  constructor(deps: PipelinesDeps) {
    this.#deps = deps;
    this.#runner = new Runner(deps);
    this.#driver = new Driver({ ...deps, runner: this.#runner });
  }

  /**
   * Takes up every run that is not over, adopting the steps that run. Steps call back, so nothing
   * advances before there is a URL.
   */
  async listening(url: string): Promise<void> {
    this.#driver.listening(url);
    for (const { id } of await this.#deps.store.openRuns()) this.#driver.drive(id);
  }

  /** Leaves running steps alone: whoever comes next adopts them. */
  async stop(): Promise<void> {
    await this.#driver.stop();
  }

  /** What a run would do. Rejects with `INVALID_PIPELINE`, `STAGE_NOT_FOUND` and the like. */
  async plan(wish: RunWish): Promise<Plan> {
    const { folder, stages } = await this.#plan(wish);
    return {
      folder,
      stages: stages.map(({ name, action, reasons }) => ({ name, action, reasons: [...reasons] })),
    };
  }

  /** Records the run, which begins as soon as no other one of the folder is under way. */
  async start(wish: StartWish, actor: string): Promise<PipelineRun> {
    const { store, ids, clock } = this.#deps;
    const { trainUntil = null, key = null } = wish;
    const known = key === null ? null : await store.findRunByKey(key);
    if (known !== null) return this.get(known.id);
    const plan = await this.#plan(wish);
    const open = await store.openRuns(plan.folder);
    if (open.length > QUEUED_RUNS_MAX) {
      throw new AppError('OVERLOADED', `${plan.folder} has ${open.length} runs waiting already.`, {
        hint: 'Wait for them, or cancel some: millwright pipelines cancel RUN',
      });
    }
    const run: StoredRun = {
      id: ids.next('prun'),
      folder: plan.folder,
      targets: wish.targets,
      isForced: wish.force,
      state: 'queued',
      isCancelling: false,
      actor,
      environment: plan.environment,
      error: null,
      createdAt: clock.wall(),
      startedAt: null,
      finishedAt: null,
      trainUntil,
      key,
    };
    await store.insertRun(run, plan.stages);
    this.#driver.drive(run.id);
    return this.get(run.id);
  }

  async list(
    query: PageQuery & { folder?: string | undefined },
  ): Promise<Page<PipelineRunSummary>> {
    const before = decodeCursor(query.cursor, 'string');
    const { folder = null, limit } = query;
    const found = await this.#deps.store.listRuns({ before, folder, limit: limit + 1 });
    return nextPage(found.map(toSummary), limit, (last) => last.id);
  }

  async get(id: string): Promise<PipelineRun> {
    const { store } = this.#deps;
    const run = await store.findRun(id);
    if (run === null) throw runNotFound(id);
    const [steps, attempts, open] = await Promise.all([
      store.steps(id),
      store.attempts(id),
      run.state === 'queued' ? store.openRuns(run.folder) : [],
    ]);
    const shown = new Set(attempts.slice(-LOG_TAILS_MAX).map((attempt) => attempt.id));
    const views = steps.map((step) =>
      toStepView(
        step,
        attempts.filter((attempt) => attempt.position === step.position),
        (attempt) => (shown.has(attempt.id) ? this.#runner.folderOf(attempt) : null),
      ),
    );
    return {
      ...toSummary(run),
      steps: await Promise.all(views),
      waitsFor: open.find((other) => goesBefore(other, id))?.id ?? null,
      activity: this.#driver.activityOf(id),
    };
  }

  /** Answers when the run has been told; a run that is over stays as it is. */
  async cancel(id: string): Promise<PipelineRun> {
    const { store } = this.#deps;
    if ((await store.findRun(id)) === null) throw runNotFound(id);
    await store.requestCancel(id);
    this.#driver.interrupt(id);
    return this.get(id);
  }

  async log(
    id: string,
    stage: string,
    page: {
      readonly offset: number;
      readonly limit: number;
      readonly attempt?: number | undefined;
    },
  ): Promise<StageLog> {
    const { store } = this.#deps;
    if ((await store.findRun(id)) === null) throw runNotFound(id);
    const step = (await store.steps(id)).find((it) => it.stage === stage);
    if (step === undefined) {
      throw new AppError('STAGE_NOT_FOUND', `The run ${id} has no stage ${stage}.`, {
        hint: `See its stages with: millwright pipelines show ${id}`,
      });
    }
    const isOver = step.state !== 'waiting' && step.state !== 'running';
    const attempts = await store.attempts(id, step.position);
    const { attempt: number } = page;
    const wanted =
      number === undefined ? attempts.at(-1) : attempts.find((it) => it.number === number);
    if (wanted === undefined) {
      const text = { text: '', nextOffset: page.offset, isCapped: false };
      return { attempt: null, ...text, isComplete: isOver };
    }
    const read = await readLog(this.#runner.folderOf(wanted), page.offset, page.limit);
    // What is over is not written to any more, so an empty answer is the last one.
    const isComplete = wanted.ended_at !== null && read.text === '';
    return { attempt: wanted.number, ...read, isComplete };
  }

  async #plan({ folder, targets, force }: RunWish): Promise<PipelinePlan> {
    const { engine, store } = this.#deps;
    // Runs are recorded by the real folder; one that does not exist is refused by the engine.
    const former = await store.formerRuns(await realpath(folder).catch(() => folder));
    const input = { folder, targets, isForced: force, former };
    return engine.run('pipelines.plan', input, { timeoutMs: FILES_TIMEOUT_MS });
  }
}
