import { writeDouble, type KeyValue } from '../../formats/mlflow/scalars.ts';
import { locationOf } from './experiments.ts';
import type { StoredExperiment } from './experiments-store.ts';
import type { FullRun } from './run-values-store.ts';
import type { PointsRow, RunsRow } from './rows.ts';
import { mlflowRunId } from './runs-store.ts';

/** Our rows as MLflow's messages: integers as numbers, what is empty left out. */

export function writeExperiment(experiment: StoredExperiment): object {
  return {
    experiment_id: String(experiment.id),
    name: experiment.name,
    artifact_location: locationOf(experiment),
    lifecycle_stage: experiment.lifecycle,
    last_update_time: experiment.updated_ms,
    creation_time: experiment.created_ms,
    ...list('tags', experiment.tags),
  };
}

export function writeRunInfo(run: RunsRow): object {
  const id = mlflowRunId(run.id);
  return {
    run_id: id,
    run_uuid: id,
    run_name: run.name,
    experiment_id: String(run.experiment),
    user_id: run.user_id,
    status: run.status,
    start_time: run.start_ms,
    ...(run.end_ms === null ? {} : { end_time: run.end_ms }),
    artifact_uri: run.artifact_uri,
    lifecycle_stage: run.lifecycle,
  };
}

export function writeRun(run: FullRun): object {
  const inputs = run.models.filter((model) => model.direction === 'input');
  const outputs = run.models.filter((model) => model.direction === 'output');
  const datasets = run.datasets.map((row) => ({
    ...list('tags', JSON.parse(row.tags) as readonly KeyValue[]),
    dataset: {
      name: row.name,
      digest: row.digest,
      source_type: row.source_type,
      source: row.source,
      ...(row.schema === null ? {} : { schema: row.schema }),
      ...(row.profile === null ? {} : { profile: row.profile }),
    },
  }));
  return {
    info: writeRunInfo(run),
    data: {
      ...list(
        'metrics',
        run.metrics.map((row) => writePoint(row.key, row)),
      ),
      ...list('params', run.params.map(pair)),
      ...list('tags', run.tags.map(pair)),
    },
    inputs: {
      ...list('dataset_inputs', datasets),
      ...list(
        'model_inputs',
        inputs.map(({ model }) => ({ model_id: model })),
      ),
    },
    outputs: list(
      'model_outputs',
      outputs.map(({ model, step }) => ({ model_id: model, step })),
    ),
  };
}

export function writePoint(
  key: string,
  point: Pick<PointsRow, 'value' | 'is_nan' | 'timestamp_ms' | 'step'> & Partial<PointsRow>,
): object {
  const { dataset_name: name, dataset_digest: digest, model } = point;
  return {
    key,
    value: writeDouble(point.is_nan === 1 ? Number.NaN : point.value),
    timestamp: point.timestamp_ms,
    step: point.step,
    ...(name ? { dataset_name: name } : {}),
    ...(digest ? { dataset_digest: digest } : {}),
    ...(model ? { model_id: model } : {}),
  };
}

/** `{name: items}`, or nothing when there are none. */
export function list<Item>(name: string, items: readonly Item[]): Record<string, readonly Item[]> {
  return items.length === 0 ? {} : { [name]: items };
}

function pair({ key, value }: KeyValue): KeyValue {
  return { key, value };
}
