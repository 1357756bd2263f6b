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
  /** Hashes of the git tree and commit, and of the environment's lock; the command that ran. */
  readonly codeTree: string | null;
  readonly codeCommit: string | null;
  readonly environment: string | null;
  readonly command: string | null;
  /** Versions of tables that the run read, `<namespace>.<table>`. */
  readonly tables: readonly { readonly table: string; readonly version: number }[];
  /** The run's artifact `golden.json`, parsed; null when there is none. */
  golden(): Promise<unknown>;
}
