import type { ErrorBody } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { AttemptState, RunState, StepState } from './contract.ts';
import type { ManifestOutput, StageSpec } from './stage-spec.ts';
import type { EnvironmentWish } from './tasks.ts';

/** What the tables of pipelines hold, as rows and as the rest of the capability sees them. */

export interface RunsRow {
  readonly id: string;
  readonly folder: string;
  readonly targets: string;
  readonly is_forced: 0 | 1;
  readonly state: RunState;
  readonly is_cancelling: 0 | 1;
  readonly actor: string;
  readonly environment: string | null;
  readonly error: string | null;
  readonly created_at: Micros;
  readonly started_at: Micros | null;
  readonly finished_at: Micros | null;
  /** JSON of what it was started for, unless that is nothing special. */
  readonly context: string | null;
  readonly key: string | null;
}

/** The column `context`. */
export interface RunContext {
  readonly trainUntil: string;
}

export interface StepsRow {
  readonly run: string;
  readonly position: number;
  readonly stage: string;
  readonly state: StepState;
  readonly reasons: string;
  readonly timeout_ms: number;
  readonly retries: number;
  readonly spec: string | null;
  readonly error: string | null;
}

export interface AttemptsRow {
  readonly id: string;
  readonly run: string;
  readonly position: number;
  readonly folder: string;
  readonly stage: string;
  readonly number: number;
  readonly state: AttemptState;
  readonly pid: number | null;
  readonly start_time: string | null;
  readonly boot_id: string | null;
  readonly started_at: Micros;
  readonly ended_at: Micros | null;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly environment: string | null;
  readonly lock_hash: string | null;
  readonly outputs: string | null;
}

export interface PipelinesTables {
  readonly pipelines_runs: RunsRow;
  readonly pipelines_steps: StepsRow;
  readonly pipelines_attempts: AttemptsRow;
}

export interface StoredRun {
  readonly id: string;
  readonly folder: string;
  readonly targets: readonly string[];
  readonly isForced: boolean;
  readonly state: RunState;
  readonly isCancelling: boolean;
  readonly actor: string;
  readonly environment: EnvironmentWish | null;
  readonly error: ErrorBody | null;
  readonly createdAt: Micros;
  readonly startedAt: Micros | null;
  readonly finishedAt: Micros | null;
  /** Where training sets end; null: as they are declared. */
  readonly trainUntil: string | null;
  readonly key: string | null;
}

export interface StoredStep {
  readonly run: string;
  readonly position: number;
  readonly stage: string;
  readonly state: StepState;
  readonly reasons: readonly string[];
  readonly timeoutMs: number;
  readonly retries: number;
  readonly spec: StageSpec | null;
  readonly error: ErrorBody | null;
}

export interface StoredAttempt extends Omit<AttemptsRow, 'outputs'> {
  readonly outputs: readonly ManifestOutput[];
}

export function toRun(row: RunsRow): StoredRun {
  return {
    id: row.id,
    folder: row.folder,
    targets: JSON.parse(row.targets) as string[],
    isForced: row.is_forced === 1,
    state: row.state,
    isCancelling: row.is_cancelling === 1,
    actor: row.actor,
    environment: row.environment === null ? null : (JSON.parse(row.environment) as EnvironmentWish),
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorBody),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    trainUntil: row.context === null ? null : (JSON.parse(row.context) as RunContext).trainUntil,
    key: row.key,
  };
}

export function toStep(row: StepsRow): StoredStep {
  const { run, position, stage, state, retries } = row;
  return {
    run,
    position,
    stage,
    state,
    retries,
    reasons: JSON.parse(row.reasons) as string[],
    timeoutMs: row.timeout_ms,
    spec: row.spec === null ? null : (JSON.parse(row.spec) as StageSpec),
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorBody),
  };
}

export function toAttempt(row: AttemptsRow): StoredAttempt {
  const outputs = row.outputs === null ? [] : (JSON.parse(row.outputs) as ManifestOutput[]);
  return { ...row, outputs };
}
