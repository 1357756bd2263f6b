import type { Generated } from 'kysely';
import type { RunStatus } from '../../formats/mlflow/scalars.ts';
import type { Micros } from '../../base/time.ts';
import type { Digest } from '../../platform/blobs/port.ts';

/** The tables of migration 0005-tracking; `_ms`: milliseconds since 1970, as clients send them. */

export type Lifecycle = 'active' | 'deleted';

export interface ExperimentsRow {
  readonly id: number;
  readonly name: string;
  /** Null for `mlflow-artifacts:/<id>`. */
  readonly artifact_location: string | null;
  readonly lifecycle: Lifecycle;
  readonly created_ms: number;
  readonly updated_ms: number;
}

export interface RunsRow {
  readonly seq: number;
  readonly id: string;
  readonly experiment: number;
  readonly name: string;
  readonly user_id: string;
  readonly status: RunStatus;
  readonly start_ms: number;
  readonly end_ms: number | null;
  readonly lifecycle: Lifecycle;
  readonly artifact_uri: string;
  readonly created_at: Micros;
}

export interface SeriesRow {
  readonly id: number;
  readonly run: number;
  readonly experiment: number;
  readonly key: string;
  /** Of the latest point: the greatest (step, timestamp, value). */
  readonly value: number;
  readonly is_nan: number;
  readonly timestamp_ms: number;
  readonly step: number;
}

export interface PointsRow {
  readonly series: number;
  readonly step: number;
  readonly timestamp_ms: number;
  readonly value: number;
  readonly is_nan: number;
  readonly dataset_name: string | null;
  readonly dataset_digest: string | null;
  readonly model: string | null;
}

export interface KeyValuesRow {
  readonly run: number;
  readonly key: string;
  readonly value: string;
}

export interface DatasetsRow {
  readonly run: number;
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
  /** The value of the tag `mlflow.data.context`: `training`, `eval`. */
  readonly context: string | null;
  /** JSON: `[{key, value}]`. */
  readonly tags: string;
}

export interface RunModelsRow {
  readonly run: number;
  readonly direction: 'input' | 'output';
  readonly model: string;
  readonly step: number;
}

export interface ArtifactsRow {
  readonly parent: string;
  readonly name: string;
  /** Null for a folder. */
  readonly digest: Digest | null;
  readonly size_bytes: number;
  readonly written_at: Micros;
}

export interface LoggedModelsRow {
  readonly id: string;
  readonly experiment: number;
  readonly name: string;
  readonly model_type: string | null;
  /** As MLflow spells it: 32 hex digits. */
  readonly source_run_id: string | null;
  readonly status: string;
  readonly lifecycle: Lifecycle;
  readonly artifact_uri: string;
  readonly created_ms: number;
  readonly updated_ms: number;
}

interface ModelKeyValuesRow {
  readonly model: string;
  readonly key: string;
  readonly value: string;
}

export interface LoggedModelMetricsRow {
  readonly model: string;
  readonly run: string;
  readonly key: string;
  readonly dataset_name: string;
  readonly dataset_digest: string;
  readonly value: number;
  readonly is_nan: number;
  readonly timestamp_ms: number;
  readonly step: number;
}

export interface TrackingTables {
  readonly tracking_experiments: Omit<ExperimentsRow, 'id'> & { readonly id: Generated<number> };
  readonly tracking_experiment_tags: {
    readonly experiment: number;
    readonly key: string;
    readonly value: string;
  };
  readonly tracking_runs: Omit<RunsRow, 'seq'> & {
    readonly seq: Generated<number>;
    /** 1 for a run that comes back with its experiment. */
    readonly deleted_with_experiment: Generated<number>;
  };
  readonly tracking_series: SeriesRow;
  readonly tracking_points: PointsRow;
  readonly tracking_params: KeyValuesRow;
  readonly tracking_tags: KeyValuesRow;
  readonly tracking_datasets: DatasetsRow;
  readonly tracking_run_models: RunModelsRow;
  readonly tracking_artifacts: ArtifactsRow;
  readonly tracking_logged_models: LoggedModelsRow;
  readonly tracking_logged_model_params: ModelKeyValuesRow;
  readonly tracking_logged_model_tags: ModelKeyValuesRow;
  readonly tracking_logged_model_metrics: LoggedModelMetricsRow;
}
