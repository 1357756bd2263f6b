import type { EngineTrouble } from './trouble.ts';

/** The tasks of one capability: name -> what goes in and what comes out (structured-cloneable). */
export type TaskMap = Readonly<
  Record<string, { readonly input: unknown; readonly output: unknown }>
>;

export interface TaskOptions {
  /**
   * Milliseconds after which the caller gives up with `TIMED_OUT`; the engine may still finish it.
   */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The engine process, seen from main. It holds no truth and may die at any moment; tasks are
 * idempotent, so a task whose engine died is sent again to the next one, a bounded number of times,
 * and then rejects with `ENGINE_UNAVAILABLE`.
 */
export interface Engine<Tasks extends TaskMap> {
  run<Name extends keyof Tasks & string>(
    name: Name,
    input: Tasks[Name]['input'],
    options?: TaskOptions,
  ): Promise<Tasks[Name]['output']>;
}

/** The engine's side of a task: `signal` aborts when the caller gave up or the engine stops. */
export type TaskHandlers<Tasks extends TaskMap> = {
  readonly [Name in keyof Tasks & string]: (
    input: Tasks[Name]['input'],
    context: { readonly signal: AbortSignal },
  ) => Promise<Tasks[Name]['output']>;
};

/** `unresponsive`: it runs and says nothing; killed and started again when that goes on. */
export type EngineState =
  'starting' | 'ready' | 'unresponsive' | 'restarting' | 'broken' | 'stopped';

/** The circuit opened, or an engine has lived long enough to close it. */
export type CircuitChange = 'paused' | 'recovered';

/** An engine with a life of its own, as the composition root holds it. */
export interface RunningEngine extends Engine<TaskMap> {
  readonly state: EngineState;
  /** Null while none runs, or when it runs in this process. */
  readonly pid: number | null;
  readonly restarts: number;
  /** Set from when it has died too often until one has lived for a while. */
  readonly trouble: EngineTrouble | null;
  /** Told of each change, with what led to it. */
  onCircuit(listener: (change: CircuitChange, trouble: EngineTrouble) => void): void;
  stop(): Promise<void>;
}
