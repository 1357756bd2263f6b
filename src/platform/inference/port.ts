import type { Tensor, TensorSpec } from '../../formats/oip/tensor.ts';

export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** A model held ready to answer. */
export interface LoadedModel {
  readonly signature: ModelSignature;
  /** Where it runs: proven-cheap models on the main thread, others in a worker thread. */
  readonly placement: 'main' | 'worker';
  /** 99th percentile of one calibrated run, batch 1, microseconds. */
  readonly runP99Us: number;
  readonly loadMs: number;
  /** Name and version of the runtime, for the prediction log. */
  readonly runtime: string;
  /** `inputs` in the order of the signature; answers the named outputs, all when empty. */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]>;
  /** Frees it once the runs under way are done. */
  release(): Promise<void>;
}

export interface Inference {
  /** Loads the file off the main thread, refuses what cannot be served, and tells its signature. */
  inspect(file: string): Promise<ModelSignature>;
  /** Loads, warms up and calibrates off the main thread; then decides the placement. */
  load(file: string): Promise<LoadedModel>;
  close(): Promise<void>;
}
