import path from 'node:path';
import type { Ids } from '../../base/ids.ts';
import type { Clock } from '../../base/time.ts';
import { commandsOf, projectPath } from '../../formats/dvc/stage.ts';
import type { Engine } from '../../platform/engine/port.ts';
import type { Environments, Steps } from '../../platform/exec/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { Env } from '../../platform/system.ts';
import type { StageSpec } from './stage-spec.ts';
import { stepEnvironment, writeShim, type OwnProgram } from './step-environment.ts';
import type { PipelinesStore } from './store.ts';
import type { StoredAttempt, StoredRun, StoredStep } from './stored.ts';
import type { PipelineTasks } from './tasks.ts';

/** Hashing what a stage reads and makes takes as long as reading it. */
export const FILES_TIMEOUT_MS = 12 * 3600 * 1000;

/** What an attempt calls the server with, as long as it may run. */
export type StepPass = (attempt: string, lifetimeMs: number) => string;

/** Ending a step that ran too long takes its time, in which it may still tell of it. */
const PASS_GRACE_MS = 3600 * 1000;

export interface LauncherDeps {
  readonly store: PipelinesStore;
  readonly engine: Engine<PipelineTasks>;
  readonly steps: Steps;
  readonly environments: Environments;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly faults: Faults;
  readonly env: Env;
  readonly stepPass: StepPass;
  readonly stateFolder: string;
  readonly attemptsFolder: string;
  readonly program: OwnProgram;
}

/** Starts the process of an attempt that is recorded already. */
export class Launcher {
  readonly #deps: LauncherDeps;

  constructor(deps: LauncherDeps) {
    this.#deps = deps;
  }

  folderOf(attempt: Pick<StoredAttempt, 'id'>): string {
    return path.join(this.#deps.attemptsFolder, attempt.id);
  }

  /** An attempt to be recorded. */
  attempt(run: StoredRun, step: StoredStep, number: number): StoredAttempt {
    const { ids, clock } = this.#deps;
    return {
      id: ids.next('att'),
      run: run.id,
      position: step.position,
      folder: run.folder,
      stage: step.stage,
      number,
      state: 'starting',
      pid: null,
      start_time: null,
      boot_id: null,
      started_at: clock.wall(),
      ended_at: null,
      exit_code: null,
      reason: null,
      environment: run.environment?.sha256 ?? null,
      lock_hash: null,
      outputs: [],
    };
  }

  async launch(
    run: StoredRun,
    spec: StageSpec,
    attempt: StoredAttempt,
    options: { readonly url: string; readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<void> {
    const { store, engine, steps, environments, faults } = this.#deps;
    const { env, stepPass, stateFolder, program } = this.#deps;
    const { url, signal, timeoutMs } = options;
    const shimFolder = path.join(stateFolder, 'bin');
    await writeShim(shimFolder, program);
    await engine.run(
      'pipelines.clear',
      { folder: run.folder, spec },
      { timeoutMs: FILES_TIMEOUT_MS, signal },
    );
    const wish = run.environment;
    // The environment may have been built by a server before this one.
    if (wish !== null) await environments.ensure(wish, { says: () => undefined, signal });
    faults.hit('step.before-spawn');
    const { stage } = spec;
    const identity = await steps.launch({
      folder: this.folderOf(attempt),
      commands: commandsOf(stage),
      cwd: path.join(run.folder, projectPath(stage, '.') ?? ''),
      env: stepEnvironment({
        base: env,
        url,
        pass: stepPass(attempt.id, timeoutMs + PASS_GRACE_MS),
        stateFolder,
        shimFolder,
        pythonFolder: wish === null ? null : environments.folderOf(wish),
        environment: wish?.sha256 ?? null,
        folder: run.folder,
        run: run.id,
        trainUntil: run.trainUntil,
        attempt: attempt.id,
        spec,
      }),
    });
    faults.hit('step.after-spawn');
    await store.attemptRuns(attempt, identity);
    faults.hit('step.after-running');
  }
}
