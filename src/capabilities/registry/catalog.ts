import { AppError } from '../../base/errors.ts';
import type { Clock, Micros } from '../../base/time.ts';
import type { Clause } from '../../formats/mlflow/filter.ts';
import { MLMODEL_BYTES_MAX, MLMODEL_FILE, readMlModel } from '../../formats/mlflow/mlmodel.ts';
import { checkAlias, checkKey, checkLength, invalid, LIMITS } from '../../formats/mlflow/names.ts';
import type { Order } from '../../formats/mlflow/order-by.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import { readModelSource } from '../../formats/mlflow/uri.ts';
import type { Blobs, Digest } from '../../platform/blobs/port.ts';
import type { Step } from '../../platform/db/port.ts';
import type { ModelFile, ModelFolder } from '../tracking/contract.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { CatalogModel, CatalogStore } from './catalog-store.ts';
import { ModelName } from './contract.ts';
import { versionNotFound, type RegistryService } from './service.ts';
import { modelNotFound, type LabelledVersion, type RegistryStore } from './store.ts';

/** Text about a model or version. */
const DESCRIPTION_MAX = 5000;
const SOURCE_MAX = 1000;

export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof STAGES)[number];

interface CatalogDeps {
  readonly registry: RegistryService;
  readonly versions: RegistryStore;
  readonly store: CatalogStore;
  readonly tracking: Pick<TrackingService, 'modelFiles' | 'runs'>;
  readonly blobs: Blobs;
  readonly clock: Clock;
}

interface Found {
  readonly clauses: readonly Clause[];
  readonly orders: readonly Order[];
  readonly offset: number;
  readonly limit: number;
}

/** What MLflow's clients do with registered models beyond reading them. */
export class ModelCatalog {
  readonly #deps: CatalogDeps;

  constructor(deps: CatalogDeps) {
    this.#deps = deps;
  }

  async createModel(model: {
    readonly name: string;
    readonly description: string;
    readonly tags: readonly KeyValue[];
  }): Promise<CatalogModel> {
    checkName(model.name);
    checkDescription(model.description);
    for (const tag of model.tags) checkTag(tag);
    await this.#deps.store.createModel(model, this.#now());
    return this.model(model.name);
  }

  /** Rejects with `MODEL_NOT_FOUND`. */
  async model(name: string): Promise<CatalogModel> {
    const found = await this.#deps.store.findModel(name);
    if (found === null) throw modelNotFound(name);
    return found;
  }

  searchModels(query: Found): Promise<readonly CatalogModel[]> {
    return this.#deps.store.searchModels(query);
  }

  async describeModel(name: string, description: string): Promise<CatalogModel> {
    checkDescription(description);
    await this.#deps.store.describeModel(name, description, this.#now());
    return this.model(name);
  }

  async deleteModel(name: string): Promise<void> {
    await this.#deps.store.deleteModel(name, this.#now());
  }

  async setModelTag(name: string, tag: KeyValue): Promise<void> {
    checkTag(tag);
    await this.#deps.store.setModelTag(name, tag, this.#now());
  }

  async deleteModelTag(name: string, key: string): Promise<void> {
    await this.#deps.store.deleteModelTag(name, key, this.#now());
  }

  async setAlias(model: string, alias: string, version: number): Promise<void> {
    checkAlias(alias);
    await this.#deps.store.setAlias({ model, alias, version }, versionNotFound(model, version));
  }

  async deleteAlias(model: string, alias: string): Promise<void> {
    await this.model(model);
    await this.#deps.store.deleteAlias(model, alias);
  }

  async versionByAlias(name: string, alias: string): Promise<LabelledVersion> {
    const { aliases } = await this.model(name);
    const version = aliases.find((one) => one.alias === alias)?.version;
    if (version !== undefined) return this.version(name, version);
    throw new AppError('ALIAS_NOT_FOUND', `Registered model alias ${alias} not found.`, {
      hint: `Aliases of ${name}: ${aliases.map((one) => one.alias).join(', ') || 'none'}.`,
    });
  }

  /** Finds the files of a source and makes them the next version of the model. */
  async createVersion(request: {
    readonly name: string;
    readonly source: string;
    readonly runId: string | null;
    readonly loggedModel: string | null;
    readonly runLink: string | null;
    readonly description: string;
    readonly tags: readonly KeyValue[];
    readonly actor: string;
  }): Promise<LabelledVersion> {
    const { name, source, description, tags } = request;
    checkName(name);
    checkDescription(description);
    checkLength(source, 'source', SOURCE_MAX);
    for (const tag of tags) checkTag(tag);
    await this.model(name);
    const run = request.runId === null ? null : await this.#deps.tracking.runs.get(request.runId);
    const folder = await this.#folder(source);
    const { version } = await this.#deps.registry.registerFolder({
      model: name,
      description,
      runId: run?.id ?? folder.runId,
      actor: request.actor,
      files: folder.files,
      onnx: await this.#onnxFile(folder.files),
      source,
      loggedModel: request.loggedModel ?? folder.loggedModel,
      runLink: request.runLink,
      steps: (number) => tags.map((tag) => this.#deps.store.versionTagStep(name, number, tag)),
    });
    return this.version(name, version);
  }

  /** Rejects with `MODEL_VERSION_NOT_FOUND`, also for a deleted one. */
  async version(name: string, version: number): Promise<LabelledVersion> {
    const found = await this.#deps.versions.findVersion(name, version);
    if (found !== null && found.deleted_at === null) return found;
    await this.model(name);
    throw versionNotFound(name, version);
  }

  searchVersions(query: Found): Promise<readonly LabelledVersion[]> {
    return this.#deps.store.searchVersions(query);
  }

  async latestVersions(
    name: string,
    stages: readonly Stage[],
  ): Promise<readonly LabelledVersion[]> {
    await this.model(name);
    const latest = await this.#deps.store.latestByStage(name);
    return stages.length === 0
      ? latest
      : latest.filter(({ stage }) => stages.includes(stage as Stage));
  }

  async describeVersion(
    name: string,
    version: number,
    description: string,
  ): Promise<LabelledVersion> {
    checkDescription(description);
    return this.#change(name, version, { description });
  }

  /** Stages are MLflow's former aliases: one label of four for each version. */
  async transition(
    at: { readonly name: string; readonly version: number },
    to: { readonly stage: Stage; readonly archiveOthers: boolean },
  ): Promise<LabelledVersion> {
    const { name, version } = at;
    const { stage, archiveOthers } = to;
    if (archiveOthers && stage !== 'Staging' && stage !== 'Production') {
      throw invalid(`Model version transition cannot archive existing versions of '${stage}'.`);
    }
    return this.#change(name, version, { stage }, (store) =>
      archiveOthers ? [store.archiveStep({ model: name, version, stage, now: this.#now() })] : [],
    );
  }

  /** It leaves the lists; its number is not given again, and what serves it goes on. */
  async deleteVersion(name: string, version: number): Promise<void> {
    await this.version(name, version);
    const now = this.#now();
    const { store } = this.#deps;
    await store.changeVersion({ model: name, version }, { deleted_at: now, updated_at: now }, [
      store.forgetAliasesStep(name, version),
    ]);
  }

  async setVersionTag(name: string, version: number, tag: KeyValue): Promise<void> {
    checkTag(tag);
    await this.#change(name, version, {}, (store) => [store.versionTagStep(name, version, tag)]);
  }

  async deleteVersionTag(name: string, version: number, key: string): Promise<void> {
    await this.#change(name, version, {}, (store) => [store.forgetTagStep(name, version, key)]);
  }

  async #change(
    name: string,
    version: number,
    change: { readonly description?: string; readonly stage?: Stage },
    steps: (store: CatalogStore) => readonly Step[] = () => [],
  ): Promise<LabelledVersion> {
    await this.version(name, version);
    const { store } = this.#deps;
    const at = { model: name, version };
    await store.changeVersion(at, { ...change, updated_at: this.#now() }, steps(store));
    return this.version(name, version);
  }

  async #folder(source: string): Promise<ModelFolder> {
    const read = readModelSource(source);
    const { modelFiles } = this.#deps.tracking;
    if (read.kind !== 'version') return modelFiles.folder(read);
    const { run_id: runId, logged_model: loggedModel } = await this.version(
      read.model,
      Number(read.version),
    );
    const files = await modelFiles.ofVersion(read.model, Number(read.version));
    if (files.length > 0) return { files, runId, loggedModel };
    throw invalid(`${read.model}@${read.version} was registered as a file: register that again.`);
  }

  /** The file that the model's own description names, else the only ONNX file there is. */
  async #onnxFile(files: readonly ModelFile[]): Promise<ModelFile | null> {
    const description = files.find(({ path }) => path === MLMODEL_FILE);
    if (description !== undefined && description.sizeBytes <= MLMODEL_BYTES_MAX) {
      const bytes = await this.#deps.blobs.read(description.digest as Digest);
      const named = readMlModel(new TextDecoder().decode(bytes))?.onnxFile;
      return files.find(({ path }) => path === named) ?? null;
    }
    const candidates = files.filter(({ path }) => path.endsWith('.onnx'));
    return candidates.length === 1 ? candidates[0]! : null;
  }

  #now(): Micros {
    return this.#deps.clock.wall();
  }
}

export function checkName(name: string): void {
  if (name.trim() === '') throw invalid("Missing value for required parameter 'name'.");
  if (ModelName.safeParse(name).success) return;
  throw invalid(
    `Invalid model name '${name.slice(0, 200)}'. Names have letters, digits and . _ - only, ` +
      'start with a letter or digit, and have at most 128 characters: they are part of URLs.',
  );
}

function checkDescription(description: string): void {
  checkLength(description, 'description', DESCRIPTION_MAX);
}

function checkTag({ key, value }: KeyValue): void {
  checkKey(key, 'key');
  checkLength(value, 'value', LIMITS.registryTagValue);
}
