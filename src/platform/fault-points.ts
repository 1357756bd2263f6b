/**
 * Places where a crash would hurt most. test/faults kills the process at each of them; in
 * production `hit` does nothing.
 */
export const FAULT_POINTS = [
  'journal.before-write',
  'journal.after-write',
  'journal.segment-created',
  'journal.segment-sealed',
  'flush.before-append',
  'flush.before-commit',
  'flush.after-commit',
  'flush.before-index',
  'flush.before-unlink',
  'compaction.after-write',
  'compaction.before-commit',
  'compaction.after-commit',
  'labels.before-append',
  'labels.after-append',
  'ingest.before-apply',
  'ingest.after-apply',
  'ingest.filled',
  'ingest.before-promote',
  'route.before-commit',
  'route.after-commit',
  'model.after-blob',
  'model.after-commit',
  'training.after-sweep',
  'training.before-commit',
  'training.after-commit',
  'step.after-attempt',
  'step.before-spawn',
  'step.after-spawn',
  'step.after-running',
  'step.after-exit',
  'step.after-manifest',
  'step.before-transition',
  'step.after-transition',
  'loop.after-start',
  'loop.before-decision',
  'loop.after-decision',
  'loop.after-deploy',
  'loop.after-promote',
  'loop.after-rollback',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

export interface Faults {
  hit(point: FaultPoint): void;
}

export const noFaults: Faults = { hit: () => undefined };

/**
 * Kills this process with SIGKILL on the n-th hit of a point, as `MILLWRIGHT_FAULT=point:n` asks.
 * An unset variable gives `noFaults`.
 */
export function faultsFromEnv(setting: string | undefined): Faults {
  if (setting === undefined || setting === '') return noFaults;
  const [point, nth = '1'] = setting.split(':');
  let left = Number(nth);
  return {
    hit: (reached) => {
      if (reached !== point) return;
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
}
