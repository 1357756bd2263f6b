import { AppError } from '../../base/errors.ts';
import type { ModelSource } from '../../formats/mlflow/uri.ts';
import type { Step } from '../../platform/db/port.ts';
import { versionFolder, type Artifacts } from './artifacts.ts';
import type { ModelFile, ModelFolder } from './contract.ts';
import type { LoggedModels } from './logged-models.ts';
import { ownPath } from './mlflow-artifacts.ts';
import { toRunId, type Runs } from './runs.ts';

/** Model folders among the artifacts, for the registry. */
export class ModelFiles {
  readonly #runs: Runs;
  readonly #artifacts: Artifacts;
  readonly #loggedModels: LoggedModels;

  constructor(deps: {
    readonly runs: Runs;
    readonly artifacts: Artifacts;
    readonly loggedModels: LoggedModels;
  }) {
    this.#runs = deps.runs;
    this.#artifacts = deps.artifacts;
    this.#loggedModels = deps.loggedModels;
  }

  /** Every file of a source; rejects when it has none, or is where only clients reach. */
  async folder(source: Exclude<ModelSource, { kind: 'version' }>): Promise<ModelFolder> {
    switch (source.kind) {
      case 'logged-model':
        return this.#loggedModel(source.modelId);
      case 'artifacts':
        return { files: await this.#files(source.path), runId: null, loggedModel: null };
      case 'run':
        return this.#ofRun(source.runId, source.path);
    }
  }

  /** The files kept for a registered version. */
  async ofVersion(model: string, version: number): Promise<readonly ModelFile[]> {
    return this.#artifacts.filesBelow(versionFolder(model, version));
  }

  /** Keeps files for a version, in the registry's own transaction. */
  keepSteps(model: string, version: number, files: readonly ModelFile[]): readonly Step[] {
    return this.#artifacts.snapshotSteps(versionFolder(model, version), files);
  }

  /** Path below the artifact root that clients download a version from. */
  pathOf(model: string, version: number): string {
    return versionFolder(model, version);
  }

  async #ofRun(written: string, path: string): Promise<ModelFolder> {
    const run = await this.#runs.get(toRunId(written));
    const folder = `${ownPath(run.artifact_uri)}/${path}`;
    const files = await this.#artifacts.filesBelow(folder);
    if (files.length > 0) return { files, runId: run.id, loggedModel: null };
    // Since MLflow 3 a model that a run logs is a folder of its own, named by the path.
    for (const { direction, model } of run.models) {
      if (direction !== 'output') continue;
      const { name } = await this.#loggedModels.get(model, true);
      if (name === path) return { ...(await this.#loggedModel(model)), runId: run.id };
    }
    throw noFiles(`runs:/${written}/${path}`);
  }

  async #loggedModel(id: string): Promise<ModelFolder> {
    const model = await this.#loggedModels.get(id);
    const { source_run_id: run } = model;
    return {
      files: await this.#files(ownPath(model.artifact_uri)),
      runId: run === null ? null : toRunId(run),
      loggedModel: id,
    };
  }

  async #files(path: string): Promise<readonly ModelFile[]> {
    const files = await this.#artifacts.filesBelow(path);
    if (files.length === 0) throw noFiles(path);
    return files;
  }
}

function noFiles(where: string): AppError {
  return new AppError('INVALID_INPUT', `There are no model files at ${where.slice(0, 300)}.`, {
    hint: 'Log the model first: the server reads only what was uploaded to it.',
  });
}
