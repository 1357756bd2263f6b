import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { MICROS_PER_MS, type Clock } from '../../base/time.ts';
import type { Clause } from '../../formats/mlflow/filter.ts';
import { checkKey, checkLength, invalid, LIMITS } from '../../formats/mlflow/names.ts';
import type { KeyValue } from '../../formats/mlflow/scalars.ts';
import { experimentNumber, locationOf, type Experiments } from './experiments.ts';
import { experimentNotFound } from './experiments-store.ts';
import {
  loggedModelNotFound,
  type LoggedModelOrder,
  type LoggedModelsStore,
  type MetricDataset,
  type StoredLoggedModel,
} from './logged-models-store.ts';
import { toRunId } from './runs.ts';
import { mlflowRunId } from './runs-store.ts';

/** The parameters of one request; clients split longer lists. */
const PARAMS_MAX = 100;
const NAME_MAX = 500;

/** Logged models: a model file that a run made, before anybody registers it. */
export class LoggedModels {
  readonly #store: LoggedModelsStore;
  readonly #experiments: Experiments;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(deps: {
    readonly store: LoggedModelsStore;
    readonly experiments: Experiments;
    readonly clock: Clock;
    readonly ids: Ids;
  }) {
    this.#store = deps.store;
    this.#experiments = deps.experiments;
    this.#clock = deps.clock;
    this.#ids = deps.ids;
  }

  async create(request: {
    readonly experiment: string;
    readonly name: string | undefined;
    readonly modelType: string | undefined;
    readonly sourceRunId: string | undefined;
    readonly params: readonly KeyValue[];
    readonly tags: readonly KeyValue[];
  }): Promise<StoredLoggedModel> {
    const experiment = await this.#experiments.get(request.experiment);
    if (experiment.lifecycle === 'deleted') throw experimentNotFound(request.experiment);
    const id = `m-${this.#ids.next('lm').slice('lm_'.length)}`;
    const name = request.name || `model-${id.slice(-8)}`;
    checkName(name);
    const nowMs = this.#nowMs();
    await this.#store.insert(
      {
        id,
        experiment: experiment.id,
        name,
        model_type: request.modelType ?? null,
        source_run_id: request.sourceRunId ? mlflowRunId(toRunId(request.sourceRunId)) : null,
        status: 'LOGGED_MODEL_PENDING',
        lifecycle: 'active',
        artifact_uri: `${locationOf(experiment)}/models/${id}/artifacts`,
        created_ms: nowMs,
        updated_ms: nowMs,
      },
      { params: readParams(request.params), tags: readTags(request.tags) },
    );
    return this.get(id);
  }

  async get(id: string, allowDeleted = false): Promise<StoredLoggedModel> {
    const found = await this.#store.find(id);
    if (found === null || (found.lifecycle === 'deleted' && !allowDeleted)) {
      throw loggedModelNotFound(id.slice(0, 300));
    }
    return found;
  }

  /** `LOGGED_MODEL_READY` or `LOGGED_MODEL_UPLOAD_FAILED`. */
  async finalize(id: string, status: string): Promise<StoredLoggedModel> {
    await this.#store.update(id, { status, updated_ms: this.#nowMs() });
    return this.get(id);
  }

  async delete(id: string): Promise<void> {
    await this.#store.update(id, { lifecycle: 'deleted', updated_ms: this.#nowMs() });
  }

  async setTags(id: string, tags: readonly KeyValue[]): Promise<StoredLoggedModel> {
    await this.#store.update(id, { updated_ms: this.#nowMs() }, { tags: readTags(tags) });
    return this.get(id);
  }

  async deleteTag(id: string, key: string): Promise<void> {
    await this.get(id);
    await this.#store.deleteTag(id, key);
  }

  async logParams(id: string, params: readonly KeyValue[]): Promise<void> {
    await this.#store.update(id, { updated_ms: this.#nowMs() }, { params: readParams(params) });
  }

  async search(query: {
    readonly experiments: readonly string[];
    readonly clauses: readonly Clause[];
    readonly datasets: readonly MetricDataset[];
    readonly orders: readonly LoggedModelOrder[];
    readonly offset: number;
    readonly limit: number;
  }): Promise<readonly StoredLoggedModel[]> {
    return this.#store.search({ ...query, experiments: query.experiments.map(experimentNumber) });
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wall() / MICROS_PER_MS);
  }
}

function checkName(name: string): void {
  checkLength(name, 'name', NAME_MAX);
  if (!/[/:.%"']/.test(name)) return;
  throw invalid(
    `Invalid model name (${name.slice(0, 100)}) provided. Model name must be a non-empty string ` +
      `and cannot contain the following characters: / : . % " '`,
  );
}

function readParams(params: readonly KeyValue[]): readonly KeyValue[] {
  if (params.length > PARAMS_MAX) {
    throw new AppError('INVALID_INPUT', `At most ${PARAMS_MAX} params can be logged at once.`);
  }
  return params.map(({ key, value }, index) => {
    checkKey(key, `params[${index}].key`);
    return { key, value: value.slice(0, LIMITS.paramValue) };
  });
}

function readTags(tags: readonly KeyValue[]): readonly KeyValue[] {
  return tags.map(({ key, value }, index) => {
    checkKey(key, `tags[${index}].key`);
    return { key, value: value.slice(0, LIMITS.tagValue) };
  });
}
