import { AppError } from '../../base/errors.ts';
import type { Ids } from '../../base/ids.ts';
import { MICROS_PER_MS, type Clock } from '../../base/time.ts';
import { checkKey, checkLength, invalidValue, LIMITS } from '../../formats/mlflow/names.ts';
import type { KeyValue, RunStatus } from '../../formats/mlflow/scalars.ts';
import type { Step } from '../../platform/db/port.ts';
import type { Events } from '../../platform/events/port.ts';
import { locationOf, type Experiments } from './experiments.ts';
import { experimentNotFound } from './experiments-store.ts';
import type { DatasetsRow, RunsRow } from './rows.ts';
import { runName } from './run-names.ts';
import type { FullRun, RunValuesStore } from './run-values-store.ts';
import { mlflowRunId, runNotFound, type RunsStore } from './runs-store.ts';
import type { RunSearch, SearchPlace, SearchStore } from './search-store.ts';

/** Tags that are fields of a run as well: changing one changes the other. */
const NAME_TAG = 'mlflow.runName';
const USER_TAG = 'mlflow.user';
const CONTEXT_TAG = 'mlflow.data.context';

const FINAL: ReadonlySet<RunStatus> = new Set(['FINISHED', 'FAILED', 'KILLED']);
/** The last instant that microseconds hold exactly, in milliseconds. */
const TIME_MS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / MICROS_PER_MS);
const USER_LENGTH_MAX = 256;
/** Runs whose values are read and written at once: bounds memory, and the event loop's hold. */
const FILLED_AT_ONCE = 50;
const FOUND_AT_ONCE = 500;

/** A data set as a client describes it. */
export interface DatasetInput {
  readonly tags: readonly KeyValue[];
  readonly dataset: {
    readonly name: string;
    readonly digest: string;
    readonly sourceType: string;
    readonly source: string;
    readonly schema: string | null;
    readonly profile: string | null;
  };
}

export interface RunsDeps {
  readonly store: RunsStore;
  readonly values: RunValuesStore;
  readonly search: SearchStore;
  readonly experiments: Experiments;
  readonly events: Pick<Events, 'step'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Runs: what was executed, from its start to its end, and what belongs to it. */
export class Runs {
  readonly #deps: RunsDeps;

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  async create(request: {
    readonly experiment: string;
    readonly name: string | undefined;
    readonly user: string | undefined;
    readonly startMs: number | undefined;
    readonly tags: readonly KeyValue[];
    readonly actor: string;
  }): Promise<FullRun> {
    const { store, experiments, events, clock, ids } = this.#deps;
    const experiment = await experiments.get(request.experiment);
    if (experiment.lifecycle === 'deleted') throw experimentNotFound(request.experiment);
    const tags = new Map(readTags(request.tags).map((tag) => [tag.key, tag]));
    const id = ids.next('run');
    const tagged = tags.get(NAME_TAG)?.value;
    if (request.name && tagged !== undefined && tagged !== request.name) {
      throw invalidValue('run_name', request.name, `the tag ${NAME_TAG} says '${tagged}'`);
    }
    const name = readName(request.name || tagged || runName(id));
    tags.set(NAME_TAG, { key: NAME_TAG, value: name });
    const run = {
      id,
      experiment: experiment.id,
      name,
      user_id: (tags.get(USER_TAG)?.value ?? request.user ?? '').slice(0, USER_LENGTH_MAX),
      status: 'RUNNING' as const,
      start_ms: readTime('start_time', request.startMs ?? this.#nowMs()),
      end_ms: null,
      lifecycle: 'active' as const,
      artifact_uri: `${locationOf(experiment)}/${mlflowRunId(id)}/artifacts`,
      created_at: clock.wall(),
    };
    const event = events.step({
      actor: request.actor,
      kind: 'run.created',
      subject: `run/${id}`,
      data: { experiment: experiment.name, name },
    });
    await store.insert(run, [...tags.values()], [event]);
    return this.get(id);
  }

  async get(id: string): Promise<FullRun> {
    const run = await this.#deps.store.require(id);
    const [full] = await this.#deps.values.read([run]);
    if (full === undefined) throw runNotFound(id);
    return full;
  }

  /**
   * Changes what is given of status, end and name, and nothing else: another client may be changing
   * the rest. A run that ends tells so in the same transaction.
   */
  async update(
    id: string,
    change: {
      readonly status: RunStatus | undefined;
      readonly endMs: number | undefined;
      readonly name: string | undefined;
      readonly actor: string;
    },
  ): Promise<RunsRow> {
    const { store, events } = this.#deps;
    const { status, endMs, name, actor } = change;
    const run = await store.require(id);
    const steps: Step[] = [];
    if (name) steps.push(...store.tagSteps(run, [{ key: NAME_TAG, value: readName(name) }]));
    if (status !== undefined && FINAL.has(status) && status !== run.status) {
      const data = { status, name: name || run.name };
      steps.push(events.step({ actor, kind: 'run.finished', subject: `run/${id}`, data }));
    }
    const fields = {
      ...(status === undefined ? {} : { status }),
      ...(endMs === undefined ? {} : { end_ms: readTime('end_time', endMs) }),
      ...(name ? { name: readName(name) } : {}),
    };
    await store.update(id, fields, steps);
    return store.require(id);
  }

  async delete(id: string): Promise<void> {
    await this.#deps.store.require(id);
    await this.#deps.store.setLifecycle(id, 'deleted');
  }

  async restore(id: string): Promise<void> {
    await this.#deps.store.require(id);
    await this.#deps.store.setLifecycle(id, 'active');
  }

  async setTags(id: string, tags: readonly KeyValue[]): Promise<void> {
    const { store } = this.#deps;
    await store.write([store.requireActive(id), ...(await this.tagSteps(id, tags))]);
  }

  /** Steps that set tags, and what two of them mean: the run's name and user. */
  async tagSteps(id: string, tags: readonly KeyValue[]): Promise<readonly Step[]> {
    const { store } = this.#deps;
    if (tags.length === 0) return [];
    const read = readTags(tags);
    const last = (key: string) => read.findLast((tag) => tag.key === key)?.value;
    const name = last(NAME_TAG);
    const user = last(USER_TAG)?.slice(0, USER_LENGTH_MAX);
    return [
      ...store.tagSteps(await store.key(id), read),
      ...(name === undefined ? [] : [store.changeStep(id, { name: readName(name) })]),
      ...(user === undefined ? [] : [store.changeStep(id, { user_id: user })]),
    ];
  }

  async deleteTag(id: string, key: string): Promise<void> {
    const { store } = this.#deps;
    const run = await store.key(id);
    await store.write([store.requireActive(id), store.deleteTagStep(run, key)]);
  }

  async logInputs(
    id: string,
    inputs: { readonly datasets: readonly DatasetInput[]; readonly models: readonly string[] },
  ): Promise<void> {
    const { store } = this.#deps;
    const { seq } = await store.key(id);
    const rows = inputs.datasets.map((input, index) =>
      datasetRow(seq, input, `datasets[${index}]`),
    );
    const models = inputs.models.map((model) => ({
      run: seq,
      direction: 'input' as const,
      model,
      step: 0,
    }));
    await store.write([
      store.requireActive(id),
      ...store.datasetSteps(rows),
      ...store.modelSteps(models),
    ]);
  }

  async logOutputs(
    id: string,
    outputs: readonly { readonly model: string; readonly step: number }[],
  ): Promise<void> {
    const { store } = this.#deps;
    const { seq } = await store.key(id);
    const rows = outputs.map((output) => ({ run: seq, direction: 'output' as const, ...output }));
    await store.write([store.requireActive(id), ...store.modelSteps(rows)]);
  }

  /** One page of runs with their values. */
  async page(
    search: RunSearch,
  ): Promise<{ readonly runs: readonly FullRun[]; readonly next: SearchPlace | null }> {
    const { runs, next } = await this.#deps.search.search(search);
    const full: FullRun[] = [];
    for (let at = 0; at < runs.length; at += FILLED_AT_ONCE) {
      full.push(...(await this.#deps.values.read(runs.slice(at, at + FILLED_AT_ONCE))));
    }
    return { runs: full, next };
  }

  /** The same, a few runs at a time; what it returns at the end is where the next page begins. */
  async *stream(search: RunSearch): AsyncGenerator<readonly FullRun[], SearchPlace | null> {
    let from = search.from;
    for (let left = search.limit; left > 0;) {
      const limit = Math.min(left, FOUND_AT_ONCE);
      const { runs, next } = await this.#deps.search.search({ ...search, from, limit });
      for (let at = 0; at < runs.length; at += FILLED_AT_ONCE) {
        yield await this.#deps.values.read(runs.slice(at, at + FILLED_AT_ONCE));
      }
      if (next === null) return null;
      left -= runs.length;
      from = next;
    }
    return from;
  }

  #nowMs(): number {
    return Math.floor(this.#deps.clock.wall() / MICROS_PER_MS);
  }
}

/** `0192...` or `run_0192...` as our id; rejects with `RUN_NOT_FOUND` what cannot be one. */
export function toRunId(written: string): string {
  const digits = written.replace(/^run_/, '');
  if (/^[0-9a-f]{32}$/.test(digits)) return `run_${digits}`;
  if (/^[a-zA-Z0-9][\w-]{0,255}$/.test(written)) {
    throw new AppError('RUN_NOT_FOUND', `Run with id=${written} not found`);
  }
  throw invalidValue('run_id', written.slice(0, 300));
}

/** Long values are cut, as MLflow's server does, so that a long description loses no run. */
function readTags(tags: readonly KeyValue[]): readonly KeyValue[] {
  return tags.map(({ key, value }, index) => {
    checkKey(key, `tags[${index}].key`);
    return { key, value: value.slice(0, LIMITS.tagValue) };
  });
}

function readName(name: string): string {
  return name.slice(0, LIMITS.tagValue);
}

function readTime(field: string, ms: number): number {
  if (ms >= 0 && ms <= TIME_MS_MAX) return ms;
  throw invalidValue(field, ms, 'expected milliseconds since 1970, up to the year 2255');
}

function datasetRow(run: number, input: DatasetInput, path: string): DatasetsRow {
  const { tags, dataset } = input;
  const { name, digest, sourceType, source, schema, profile } = dataset;
  checkLength(name, `${path}.dataset.name`, LIMITS.datasetName);
  checkLength(digest, `${path}.dataset.digest`, LIMITS.datasetDigest);
  checkLength(source, `${path}.dataset.source`, LIMITS.datasetSource);
  checkLength(schema ?? '', `${path}.dataset.schema`, LIMITS.datasetSchema);
  checkLength(profile ?? '', `${path}.dataset.profile`, LIMITS.datasetProfile);
  for (const { key, value } of tags) {
    checkLength(key, `${path}.tags.key`, LIMITS.inputTagKey);
    checkLength(value, `${path}.tags.value`, LIMITS.inputTagValue);
  }
  return {
    run,
    name,
    digest,
    source_type: sourceType,
    source,
    schema,
    profile,
    context: tags.find((tag) => tag.key === CONTEXT_TAG)?.value ?? null,
    tags: JSON.stringify(tags),
  };
}
