import type { Stage } from '../../formats/dvc/stage.ts';
import type { CodeVersion } from './code-tree.ts';
import type { Pinned } from './pin-file.ts';

/** Everything a stage was started with; plain JSON, kept with the run. */
export interface StageSpec {
  readonly stage: Stage;
  /** Lock entry without outputs, as text of a lock file: what the stage saw when it began. */
  readonly inputs: string;
  readonly pinned: Pinned;
  readonly code: CodeVersion;
}

/** One output of a finished stage. */
export interface ManifestOutput {
  readonly path: string;
  readonly md5: string;
  /** Of a folder: over its files' paths and SHA-256, each on a line. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Files in it; null for a single file. */
  readonly files: number | null;
}

/** `manifest.json` of an attempt: a step is done when it is in place, and not before. */
export interface Manifest {
  readonly version: 1;
  readonly stage: string;
  readonly outputs: readonly ManifestOutput[];
  /** The whole lock entry, as text of a lock file. */
  readonly lock: string;
}
