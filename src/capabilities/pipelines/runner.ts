import { present } from '../../base/assert.ts';
import { AppError, toAppError, type ErrorBody } from '../../base/errors.ts';
import type { Step as DbStep } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import type { AttemptState, StepState } from './contract.ts';
import { FILES_TIMEOUT_MS, Launcher, type LauncherDeps } from './launcher.ts';
import { describeEnd } from './step-log.ts';
import type { Transition } from './store.ts';
import type { StoredAttempt, StoredRun, StoredStep } from './stored.ts';

/** What a stage gets to end by itself when it is cancelled or out of time. */
const STOP_GRACE_MS = 5000;
/** What processes get that a stage has left behind. */
const LEFTOVER_GRACE_MS = 2000;
/** An attempt that no process was made for does not count; so often in a row something is wrong. */
const UNSTARTED_MAX = 10;

export interface RunnerDeps extends LauncherDeps {
  readonly events: Events;
}

/** `again`: there is more to do at once; `wait`: something else has to happen first. */
export type Progress = 'again' | 'wait' | 'done';

/**
 * Moves one run on by one step. Everything it decides on is stored, so it may be called at any time
 * and by any later process, and repeating it changes nothing: what a killed one had begun is found
 * by the attempt's folder.
 */
export class Runner {
  readonly #deps: RunnerDeps;
  /** When leftovers of a stage were first seen, by attempt. */
  readonly #leftSince = new Map<string, number>();

  readonly #launcher: Launcher;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
    this.#launcher = new Launcher(deps);
  }

  /** Where an attempt keeps its log, its exit status and its manifest. */
  folderOf(attempt: Pick<StoredAttempt, 'id'>): string {
    return this.#launcher.folderOf(attempt);
  }

  /** `url` is where steps find this server; `says` hears what goes on outside of stages. */
  async advance(
    id: string,
    context: {
      readonly url: string;
      readonly signal: AbortSignal;
      readonly says: (activity: string | null) => void;
    },
  ): Promise<Progress> {
    const found = await this.#load(id);
    if (found === null) return 'done';
    const { run, step, attempt } = found;
    if (run.isCancelling) return this.#cancel(run, step, attempt);
    try {
      if (run.state === 'queued') return await this.#begin(run, context);
      if (step === null) return await this.#finish(run, 'succeeded', {});
      if (step.state === 'waiting') return await this.#beginStep(run, step, context);
      return await this.#follow(run, step, present(attempt, 'the attempt of a step'), context);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (PASSING.has(error.code) || context.signal.aborted) throw thrown;
      return await this.#broken(id, error);
    }
  }

  /** Null when the run is over. */
  async #load(id: string) {
    const { store } = this.#deps;
    const run = await store.findRun(id);
    if (run === null || (run.state !== 'queued' && run.state !== 'running')) return null;
    const step = await store.currentStep(id);
    const attempts = step === null ? [] : await store.attempts(id, step.position);
    return { run, step, attempt: attempts.at(-1) ?? null };
  }

  /** Ends the run over an error, in whatever state it got to; nothing of it stays behind. */
  async #broken(id: string, error: AppError): Promise<Progress> {
    const found = await this.#load(id);
    if (found === null) return 'done';
    const { run, step, attempt } = found;
    if (isOpen(attempt)) await this.#end(attempt);
    const reason = error.message;
    return this.#fail(run, step, attempt, error.toBody(), { to: 'failed', reason });
  }

  /** Neither runs nor can start any more when this returns. */
  async #end(attempt: StoredAttempt): Promise<void> {
    const { steps } = this.#deps;
    const folder = this.#launcher.folderOf(attempt);
    if ((await steps.observe(folder)).kind !== 'unstarted') await steps.stop(folder, STOP_GRACE_MS);
  }

  async #begin(
    run: StoredRun,
    { says, signal }: { says: (activity: string | null) => void; signal: AbortSignal },
  ): Promise<Progress> {
    const { store, environments, clock } = this.#deps;
    const open = await store.openRuns(run.folder);
    if (open.some((other) => goesBefore(other, run.id))) return 'wait';
    if (run.environment !== null) {
      await environments.ensure(run.environment, { says, signal });
      says(null);
    }
    const event = this.#event(run, 'pipeline.started', {
      folder: run.folder,
      targets: run.targets,
      stages: (await store.steps(run.id)).map(({ stage }) => stage),
    });
    const change = { from: 'queued', to: 'running', at: clock.wall() } as const;
    await store.move(run.id, { run: change }, [event]);
    return 'again';
  }

  async #beginStep(
    run: StoredRun,
    step: StoredStep,
    { url, signal }: { url: string; signal: AbortSignal },
  ): Promise<Progress> {
    const { store, engine, faults } = this.#deps;
    const prepared = await engine.run(
      'pipelines.prepare',
      {
        folder: run.folder,
        stage: step.stage,
        isForced: run.isForced,
        former: (await store.formerRuns(run.folder))[step.stage] ?? null,
        environment: run.environment?.sha256 ?? null,
      },
      { timeoutMs: FILES_TIMEOUT_MS, signal },
    );
    const { action, reasons } = prepared;
    if (action !== 'run') {
      const to = action === 'restore' ? 'restored' : 'cached';
      const event = this.#stageEvent(run, step, to, null);
      await store.move(run.id, { step: { of: step, to, reasons } }, [event]);
      return 'again';
    }
    const { spec } = prepared;
    const begin = this.#launcher.attempt(run, step, 1);
    const change = { of: step, to: 'running', reasons, spec } as const;
    await store.move(run.id, { step: change, begin }, []);
    faults.hit('step.after-attempt');
    const { timeoutMs } = step;
    await this.#launcher.launch(run, spec, begin, { url, signal, timeoutMs });
    return 'again';
  }

  /** What the attempt's folder says, whoever started it. */
  async #follow(
    run: StoredRun,
    step: StoredStep,
    attempt: StoredAttempt,
    context: { url: string; signal: AbortSignal },
  ): Promise<Progress> {
    const { store, steps } = this.#deps;
    const folder = this.#launcher.folderOf(attempt);
    const state = await steps.observe(folder);
    if (state.kind === 'unstarted') return this.#again(run, step, attempt, context);
    if (state.kind === 'running' || state.kind === 'ending') {
      if (attempt.state === 'starting') await store.attemptRuns(attempt, state.process);
      if (state.kind === 'ending') return this.#awaitLeftovers(attempt);
      if (state.ageMs < step.timeoutMs) return 'wait';
      await steps.stop(folder, STOP_GRACE_MS);
      return this.#retryOrFail(run, step, attempt, {
        to: 'timed_out',
        reason: `it took longer than ${step.timeoutMs / 1000} s`,
        context,
      });
    }
    if (state.kind === 'lost') {
      // The leader is gone, but what it started may live on and write beside the next attempt.
      await steps.stop(folder, STOP_GRACE_MS);
      return this.#retryOrFail(run, step, attempt, { to: 'lost', reason: state.reason, context });
    }
    this.#deps.faults.hit('step.after-exit');
    if (state.code === 0) return this.#complete(run, step, attempt, context.signal);
    const { code } = state;
    return this.#retryOrFail(run, step, attempt, { to: 'failed', exitCode: code, context });
  }

  async #awaitLeftovers(attempt: StoredAttempt): Promise<Progress> {
    const { clock, steps } = this.#deps;
    const since = this.#leftSince.get(attempt.id) ?? clock.elapsed();
    this.#leftSince.set(attempt.id, since);
    if (clock.elapsed() - since < LEFTOVER_GRACE_MS) return 'wait';
    await steps.stop(this.#launcher.folderOf(attempt), 0);
    this.#leftSince.delete(attempt.id);
    return 'again';
  }

  /** Done only when the manifest of its outputs is in place: the commit task writes it. */
  async #complete(
    run: StoredRun,
    step: StoredStep,
    attempt: StoredAttempt,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { store, engine, clock, faults } = this.#deps;
    const { manifest, lockHash } = await engine.run(
      'pipelines.commit',
      {
        folder: run.folder,
        spec: present(step.spec, 'the spec of a running step'),
        attemptFolder: this.#launcher.folderOf(attempt),
      },
      { timeoutMs: FILES_TIMEOUT_MS, signal },
    );
    faults.hit('step.before-transition');
    const { outputs } = manifest;
    const end = { of: attempt, to: 'succeeded', at: clock.wall(), exitCode: 0 } as const;
    await store.move(
      run.id,
      { step: { of: step, to: 'succeeded' }, end: { ...end, lockHash, outputs } },
      [this.#stageEvent(run, step, 'succeeded', attempt)],
    );
    faults.hit('step.after-transition');
    return 'again';
  }

  /** No process was ever made for the attempt: another one takes its place. */
  async #again(
    run: StoredRun,
    step: StoredStep,
    attempt: StoredAttempt,
    context: { url: string; signal: AbortSignal },
  ): Promise<Progress> {
    if (attempt.number > step.retries + UNSTARTED_MAX) {
      throw new AppError('STAGE_FAILED', `Stage ${step.stage} could not be started.`);
    }
    const reason = 'the server stopped before it was started';
    return this.#replace(run, step, attempt, { to: 'lost', reason, context });
  }

  async #retryOrFail(
    run: StoredRun,
    step: StoredStep,
    attempt: StoredAttempt,
    ended: Ended,
  ): Promise<Progress> {
    const { store } = this.#deps;
    const made = await store.attempts(run.id, step.position);
    const counted = made.filter(({ pid }) => pid !== null).length;
    if (counted <= step.retries) return this.#replace(run, step, attempt, ended);
    const { stage } = step;
    const error = await describeEnd(stage, ended, {
      attemptFolder: this.#launcher.folderOf(attempt),
      projectFolder: run.folder,
    });
    return this.#fail(run, step, attempt, error, ended);
  }

  async #replace(
    run: StoredRun,
    step: StoredStep,
    attempt: StoredAttempt,
    ended: Ended,
  ): Promise<Progress> {
    const { store, clock } = this.#deps;
    const { context, ...rest } = ended;
    const begin = this.#launcher.attempt(run, step, attempt.number + 1);
    await store.move(run.id, { end: { of: attempt, at: clock.wall(), ...rest }, begin }, []);
    const spec = present(step.spec, 'the spec of a running step');
    await this.#launcher.launch(run, spec, begin, { ...context, timeoutMs: step.timeoutMs });
    return 'again';
  }

  async #fail(
    run: StoredRun,
    step: StoredStep | null,
    attempt: StoredAttempt | null,
    error: ErrorBody,
    ended: Pick<Ended, 'to' | 'exitCode' | 'reason'>,
  ): Promise<Progress> {
    const { clock } = this.#deps;
    // An error before the run began is not of the stage that would have been first.
    const failed = run.state === 'running' ? step : null;
    const { to, exitCode, reason } = ended;
    const about = {
      at: clock.wall(),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(reason === undefined ? {} : { reason }),
    };
    return this.#finish(
      run,
      'failed',
      {
        ...(failed === null ? {} : { step: { of: failed, to: 'failed', error } }),
        ...(isOpen(attempt) ? { end: { of: attempt, to, ...about } } : {}),
        skipRest: true,
      },
      { error, events: failed === null ? [] : [this.#stageEvent(run, failed, 'failed', attempt)] },
    );
  }

  async #cancel(
    run: StoredRun,
    step: StoredStep | null,
    attempt: StoredAttempt | null,
  ): Promise<Progress> {
    const { clock } = this.#deps;
    const running = step?.state === 'running' ? step : null;
    if (running === null || !isOpen(attempt)) {
      return this.#finish(run, 'cancelled', { skipRest: true });
    }
    await this.#end(attempt);
    const end = { of: attempt, to: 'cancelled', at: clock.wall() } as const;
    return this.#finish(
      run,
      'cancelled',
      { step: { of: running, to: 'cancelled' }, end, skipRest: true },
      { error: null, events: [this.#stageEvent(run, running, 'cancelled', attempt)] },
    );
  }

  async #finish(
    run: StoredRun,
    to: 'succeeded' | 'failed' | 'cancelled',
    transition: Transition,
    also: { readonly error: ErrorBody | null; readonly events: readonly DbStep[] } = {
      error: null,
      events: [],
    },
  ): Promise<Progress> {
    const { store, clock } = this.#deps;
    const change = { from: run.state, to, at: clock.wall(), error: also.error };
    const event = this.#event(run, 'pipeline.finished', {
      state: to,
      error: also.error?.message ?? null,
    });
    await store.move(run.id, { ...transition, run: change }, [...also.events, event]);
    return 'done';
  }

  #stageEvent(
    run: StoredRun,
    step: StoredStep,
    state: StepState,
    attempt: StoredAttempt | null,
  ): DbStep {
    const { stage } = step;
    return this.#event(run, 'stage.finished', { stage, state, attempt: attempt?.id ?? null });
  }

  #event(run: StoredRun, kind: string, data: Readonly<Record<string, unknown>>): DbStep {
    return this.#deps.events.step({
      actor: run.actor,
      kind,
      subject: `pipeline/${run.id}`,
      data,
    });
  }
}

/** Whether a run of the same folder has to end first: an older one, or one that runs already. */
export function goesBefore(other: StoredRun, run: string): boolean {
  return other.id < run || (other.id !== run && other.state === 'running');
}

function isOpen(attempt: StoredAttempt | null): attempt is StoredAttempt {
  return attempt?.state === 'starting' || attempt?.state === 'running';
}

interface Ended {
  readonly to: AttemptState;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly context: { readonly url: string; readonly signal: AbortSignal };
}

/** Errors that say nothing about the run: it is moved on later. */
const PASSING: ReadonlySet<string> = new Set([
  'STOPPING',
  'ENGINE_UNAVAILABLE',
  'OVERLOADED',
  'TIMED_OUT',
  'CONFLICT',
  'DATABASE_UNREACHABLE',
]);
