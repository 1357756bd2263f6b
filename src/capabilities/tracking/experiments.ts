import { micros, MICROS_PER_MS, formatInstant, type Clock } from '../../base/time.ts';
import type { Clause } from '../../formats/mlflow/filter.ts';
import {
  checkExperimentName,
  checkKey,
  checkLength,
  invalid,
  LIMITS,
} from '../../formats/mlflow/names.ts';
import type { Order } from '../../formats/mlflow/order-by.ts';
import type { KeyValue, ViewType } from '../../formats/mlflow/scalars.ts';
import { artifactPathOf, artifactUri } from '../../formats/mlflow/uri.ts';
import { AppError } from '../../base/errors.ts';
import { REGISTERED_FOLDER } from './artifact-folders.ts';
import type { Experiment } from './contract.ts';
import {
  experimentNotFound,
  type ExperimentsStore,
  type StoredExperiment,
} from './experiments-store.ts';

/** Stores of others that a client may reach by itself; the server never opens them. */
const FOREIGN = /^(?:s3|gs|wasbs?|abfss?|hdfs|viewfs|sftp|https?):\/\/[^\s#;\\]+$/i;
const LOCATION_LENGTH_MAX = 1000;

/** Experiments: named groups of runs, numbered as MLflow's are. */
export class Experiments {
  readonly #store: ExperimentsStore;
  readonly #clock: Clock;

  constructor(deps: { readonly store: ExperimentsStore; readonly clock: Clock }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  /** Returns its number. */
  async create(request: {
    readonly name: string;
    readonly artifactLocation: string | undefined;
    readonly tags: readonly KeyValue[];
  }): Promise<number> {
    checkExperimentName(request.name);
    for (const tag of request.tags) checkTag(tag);
    const tags = new Map(request.tags.map((tag) => [tag.key, tag]));
    return this.#store.insert({
      name: request.name,
      artifactLocation: readLocation(request.artifactLocation),
      tags: [...tags.values()],
      nowMs: this.#nowMs(),
    });
  }

  /** Rejects with `EXPERIMENT_NOT_FOUND`; deleted ones are found. */
  async get(id: string): Promise<StoredExperiment> {
    const found = await this.#store.find({ id: experimentNumber(id) });
    if (found === null) throw experimentNotFound(id);
    return found;
  }

  async getByName(name: string): Promise<StoredExperiment> {
    const found = await this.#store.find({ name });
    if (found !== null) return found;
    throw new AppError('EXPERIMENT_NOT_FOUND', `Could not find experiment with name '${name}'`);
  }

  async search(query: {
    readonly clauses: readonly Clause[];
    readonly orders: readonly Order[];
    readonly view: ViewType;
    readonly offset: number;
    readonly limit: number;
  }): Promise<readonly StoredExperiment[]> {
    return this.#store.search(query);
  }

  async rename(id: string, name: string): Promise<void> {
    checkExperimentName(name);
    await this.#store.rename(experimentNumber(id), name, this.#nowMs());
  }

  async delete(id: string): Promise<void> {
    await this.#store.setLifecycle(experimentNumber(id), 'deleted', this.#nowMs());
  }

  async restore(id: string): Promise<void> {
    await this.#store.setLifecycle(experimentNumber(id), 'active', this.#nowMs());
  }

  async setTag(id: string, tag: KeyValue): Promise<void> {
    checkTag(tag);
    await this.#store.setTag(experimentNumber(id), tag);
  }

  async deleteTag(id: string, key: string): Promise<void> {
    await this.#store.deleteTag(experimentNumber(id), key);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wall() / MICROS_PER_MS);
  }
}

/** Where an experiment's runs keep their artifacts. */
export function locationOf(experiment: Pick<StoredExperiment, 'id' | 'artifact_location'>): string {
  return experiment.artifact_location ?? artifactUri(String(experiment.id));
}

export function toExperiment(stored: StoredExperiment): Experiment {
  return {
    id: String(stored.id),
    name: stored.name,
    artifactLocation: locationOf(stored),
    createdAt: formatInstant(micros(stored.created_ms * MICROS_PER_MS)),
  };
}

export function experimentNumber(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw invalid(`Invalid experiment ID '${id.slice(0, 100)}'. It must be a whole number.`);
}

function checkTag({ key, value }: KeyValue): void {
  checkKey(key, 'key');
  checkLength(value, 'value', LIMITS.experimentTagValue);
}

/** Null for the default place. */
function readLocation(location: string | undefined): string | null {
  if (location === undefined || location === '') return null;
  checkLength(location, 'artifact_location', LOCATION_LENGTH_MAX);
  const path = artifactPathOf(location);
  if (path !== null) {
    if (path.split('/')[0] === REGISTERED_FOLDER) {
      throw invalid(`${REGISTERED_FOLDER} holds the files of registered versions.`);
    }
    return artifactUri(path);
  }
  const isUpward = location.split(/[/?&=]/).some((part) => decoded(part) === '..');
  if (FOREIGN.test(location) && !isUpward) return location.replace(/\/+$/, '');
  throw invalid(
    `Invalid artifact_location ${JSON.stringify(location.slice(0, 200))}. Leave it out, or use ` +
      'mlflow-artifacts:/PATH or an object store that your clients reach themselves.',
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part).trim();
  } catch {
    return '..';
  }
}
