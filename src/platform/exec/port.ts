import type { Env } from '../system.ts';

/**
 * Which process it is, beyond doubt: pids are given out again, but not at the same time since the
 * same start of the machine.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's start and the process's, as `/proc/PID/stat` has it. */
  readonly startTime: string;
  readonly bootId: string;
}

export interface StepLaunch {
  /** A folder of the attempt's own, where its log and its end are written. */
  readonly folder: string;
  /** Run one after the other, until one fails. */
  readonly commands: readonly string[];
  readonly cwd: string;
  readonly env: Env;
}

export type StepState =
  /** Nothing has begun, and now nothing will: the attempt may be made again. */
  | { readonly kind: 'unstarted' }
  | { readonly kind: 'running'; readonly process: ProcessIdentity; readonly ageMs: number }
  /** The commands are done, but something they left behind still holds the log open. */
  | { readonly kind: 'ending'; readonly process: ProcessIdentity; readonly code: number }
  | { readonly kind: 'exited'; readonly code: number }
  /** Gone without a word: killed with all it had, or the machine was restarted. */
  | { readonly kind: 'lost'; readonly reason: string };

/** Bytes of a step's log that are kept; what comes after is dropped, the step goes on. */
export const STEP_LOG_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Processes that outlive this one. Everything about a step is in its folder, so whoever comes next
 * finds it there.
 */
export interface Steps {
  /** Starts it in a session of its own. Rejects when it cannot be started. */
  launch(step: StepLaunch): Promise<ProcessIdentity>;
  /** What has become of it. */
  observe(folder: string): Promise<StepState>;
  /** Ends every process of the step: asked first, after the grace killed. */
  stop(folder: string, graceMs: number): Promise<void>;
}

/** A Python environment that is wanted. */
export interface PythonLock {
  /** The lock's absolute path. */
  readonly requirements: string;
  readonly interpreter: string;
  /** Of the lock's content. */
  readonly sha256: string;
}

/** Python environments, each built once for a lock and an interpreter. */
export interface Environments {
  /**
   * Waits until the environment is there, building it when it is not; `says` hears how far it is.
   * Rejects with `ENVIRONMENT_FAILED`, leaving nothing half-made.
   */
  ensure(
    lock: PythonLock,
    options: { readonly says: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Where it is, once it has been ensured in this process. */
  folderOf(lock: PythonLock): string;
}
