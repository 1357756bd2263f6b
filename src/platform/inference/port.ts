import type { AppError } from '../../base/errors.ts';
import type { RequestHead } from '../../formats/oip/read-request.ts';
import type { Tensor, TensorSpec } from '../../formats/oip/tensor.ts';

export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** What an answer says around the JSON array of its outputs. */
export interface AnswerFrame {
  readonly before: string;
  readonly after: string;
}

/** A whole answer as JSON text: bytes (UTF-8) when it is long and another thread wrote it. */
export type AnswerJson = string | Uint8Array;

/**
 * A request body that the worker thread has read and keeps: parsing megabytes would hold the event
 * loop for as long as hundreds of requests take.
 */
export interface ParkedBody {
  readonly isJson: boolean;
  /** Null when the body is no request: then `error` says why. */
  readonly envelope: RequestHead | null;
  readonly error: AppError | null;
  /** Lets the worker forget it, answered or not; more than once does no harm. */
  release(): void;
}

/** A model held ready to answer. */
export interface LoadedModel {
  readonly signature: ModelSignature;
  /**
   * Where it runs: proven-cheap models on the main thread, as long as the batch is cheap as well;
   * others in a worker thread.
   */
  readonly placement: 'main' | 'worker';
  /** The longest open dimension (the batch, as a rule) of what main runs; 0: it runs nothing. */
  readonly mainLengthMax: number;
  /** Median and 99th percentile of the calibrated runs, batch 1, microseconds. */
  readonly runP50Us: number;
  readonly runP99Us: number;
  readonly loadMs: number;
  /** Name and version of the runtime, for the prediction log. */
  readonly runtime: string;
  /** `inputs` in the order of the signature; answers the named outputs, all when empty. */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]>;
  /** As `run`, and writes the answer where it ran. `INVALID_OUTPUT` when JSON cannot carry it. */
  answer(
    request: { readonly inputs: readonly Tensor[]; readonly outputs: readonly string[] },
    frame: AnswerFrame,
  ): Promise<AnswerJson>;
  /** Reads the tensors of a parked body, runs and writes, all in the worker. */
  answerParked(body: ParkedBody, frame: AnswerFrame): Promise<AnswerJson>;
  /** Frees it once the runs under way are done. */
  release(): Promise<void>;
}

export interface Inference {
  /** Loads the file off the main thread, refuses what cannot be served, and tells its signature. */
  inspect(file: string): Promise<ModelSignature>;
  /** Loads, warms up and calibrates off the main thread; then decides the placement. */
  load(file: string): Promise<LoadedModel>;
  /**
   * Has a body (UTF-8) read off the main thread; `bytes` are the worker's from then on. Rejects
   * with `OVERLOADED` while too much is parked.
   */
  park(bytes: Uint8Array): Promise<ParkedBody>;
  close(): Promise<void>;
}
