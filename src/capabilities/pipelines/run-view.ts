import { formatInstant, type Micros } from '../../base/time.ts';
import type { PipelineRunSummary, PipelineStep } from './contract.ts';
import { logTail } from './step-log.ts';
import type { StoredAttempt, StoredRun, StoredStep } from './stored.ts';

export function toSummary(run: StoredRun): PipelineRunSummary {
  return {
    id: run.id,
    folder: run.folder,
    targets: [...run.targets],
    force: run.isForced,
    trainUntil: run.trainUntil,
    state: run.state,
    actor: run.actor,
    createdAt: formatInstant(run.createdAt),
    startedAt: orNull(run.startedAt),
    finishedAt: orNull(run.finishedAt),
    environment: run.environment?.sha256 ?? null,
    error: run.error,
  };
}

/** `attempts` are those of the step, in order. */
export async function toStepView(
  step: StoredStep,
  attempts: readonly StoredAttempt[],
  /** Where an attempt's log is; null for one that is not shown. */
  folderOf: (attempt: StoredAttempt) => string | null,
): Promise<PipelineStep> {
  const last = attempts.at(-1);
  const folder = last === undefined ? null : folderOf(last);
  return {
    stage: step.stage,
    state: step.state,
    reasons: [...step.reasons],
    error: step.error,
    attempts: attempts.map((attempt) => ({
      id: attempt.id,
      number: attempt.number,
      state: attempt.state,
      pid: attempt.pid,
      startTime: attempt.start_time,
      startedAt: formatInstant(attempt.started_at),
      endedAt: orNull(attempt.ended_at),
      exitCode: attempt.exit_code,
      reason: attempt.reason,
    })),
    outputs: [...(last?.outputs ?? [])],
    logTail: folder === null ? '' : await logTail(folder),
  };
}

function orNull(instant: Micros | null): string | null {
  return instant === null ? null : formatInstant(instant);
}
