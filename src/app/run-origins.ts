import { AppError } from '../base/errors.ts';
import {
  MLMODEL_BYTES_MAX,
  MLMODEL_FILE,
  readSignatureColumns,
} from '../formats/mlflow/mlmodel.ts';
import { artifactPathOf } from '../formats/mlflow/uri.ts';
import type { RegistryStore } from '../capabilities/registry/store.ts';
import type { VersionOrigin, VersionOrigins } from '../capabilities/serving/version-origin.ts';
import { versionFolder } from '../capabilities/tracking/artifacts.ts';
import { parsePins } from '../capabilities/tracking/pins.ts';
import type { TrackingService } from '../capabilities/tracking/service.ts';

/** A thousand requests of hundreds of features are a few megabytes. */
const GOLDEN_BYTES_MAX = 16 * 1024 * 1024;
const GOLDEN_FILE = 'golden.json';

interface RunOriginsDeps {
  readonly versions: Pick<RegistryStore, 'findVersion'>;
  readonly tracking: TrackingService;
}

/** Where versions come from, as the runs that made them pinned it. */
export class RunOrigins implements VersionOrigins {
  readonly #deps: RunOriginsDeps;

  constructor(deps: RunOriginsDeps) {
    this.#deps = deps;
  }

  async originOf(model: string, version: number): Promise<VersionOrigin | null> {
    const { versions, tracking } = this.#deps;
    const runId = (await versions.findVersion(model, version))?.run_id ?? null;
    if (runId === null) return null;
    const run = await orNull(tracking.runs.get(runId));
    if (run === null) return null;
    const pins = parsePins(run.tags);
    return {
      run: run.id,
      definition: pins?.definition ?? null,
      trainingSet: pins?.trainingSet ?? null,
      codeTree: pins?.codeTree ?? null,
      codeCommit: pins?.codeCommit ?? null,
      environment: pins?.environment ?? null,
      command: pins?.command ?? null,
      tables: pins?.tables ?? [],
      columns: await this.#columns(model, version),
      golden: () => this.#golden(run.artifact_uri),
    };
  }

  async #columns(model: string, version: number): Promise<readonly string[] | null> {
    const path = `${versionFolder(model, version)}/${MLMODEL_FILE}`;
    const text = await this.#deps.tracking.artifacts.readText(path, MLMODEL_BYTES_MAX);
    return text === null ? null : readSignatureColumns(text);
  }

  async #golden(uri: string): Promise<unknown> {
    const root = artifactPathOf(uri);
    if (root === null) return null;
    const path = `${root}/${GOLDEN_FILE}`;
    const text = await this.#deps.tracking.artifacts.readText(path, GOLDEN_BYTES_MAX);
    if (text === null) return null;
    try {
      return JSON.parse(text);
    } catch {
      // The check that reads it says what is wrong with it.
      return text;
    }
  }
}

/** A run that was deleted for good leaves its versions without an origin. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'RUN_NOT_FOUND') return null;
    throw thrown;
  }
}
