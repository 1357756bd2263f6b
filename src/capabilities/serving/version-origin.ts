import type { TrainingSetVersion } from './served-features.ts';

/** What serving asks of the registry: where a model version comes from. */
export interface VersionOrigins {
  /** Null for a version that no run made. */
  originOf(model: string, version: number): Promise<VersionOrigin | null>;
}

export interface VersionOrigin {
  readonly run: string;
  /** Hash of the feature definition that the run was given; null when it pins none. */
  readonly definition: string | null;
  readonly trainingSet: TrainingSetVersion | null;
  /** Names of the model's columns in their order, where its client recorded them. */
  readonly columns: readonly string[] | null;
  /** The run's artifact `golden.json`, parsed; null when there is none. */
  golden(): Promise<unknown>;
}
