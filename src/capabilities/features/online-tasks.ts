import type { Clock } from '../../base/time.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { KvWriter } from '../../platform/kv/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { FeatureIngest, type IngestInput, type IngestOutcome } from './ingest.ts';
import type { VerifyReport } from './online-contract.ts';
import { trainingRows, type TrainingRow, type TrainingSource } from './training-rows.ts';
import {
  recomputeVectors,
  verifyVectors,
  type RecomputeInput,
  type VerifyInput,
} from './verify.ts';

/** What the engine does for features that are read online. */
export type OnlineFeaturesTasks = {
  /** One slice of bringing tiles up to their tables; asked for again until it is done. */
  readonly 'features.ingest': { readonly input: IngestInput; readonly output: IngestOutcome };
  /** Recomputes logged vectors from the tables. */
  readonly 'features.verify': { readonly input: VerifyInput; readonly output: VerifyReport };
  /** Vectors from the tables, in the order of the rows. */
  readonly 'features.recompute': {
    readonly input: RecomputeInput;
    readonly output: readonly (readonly (number | null)[])[];
  };
  readonly 'features.training-rows': {
    readonly input: { readonly of: TrainingSource; readonly limit: number };
    readonly output: readonly TrainingRow[];
  };
};

export interface OnlineFeaturesTaskDeps {
  readonly tables: DeltaTables;
  readonly analytics: Analytics;
  readonly kv: KvWriter;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly faults: Faults;
}

export function onlineFeaturesTasks(
  deps: OnlineFeaturesTaskDeps,
): TaskHandlers<OnlineFeaturesTasks> {
  const ingest = new FeatureIngest(deps);
  return {
    'features.ingest': (input, { signal }) => ingest.run(input, signal),
    'features.verify': (input, { signal }) => verifyVectors(deps, input, signal),
    'features.recompute': (input, { signal }) => recomputeVectors(deps, input, signal),
    'features.training-rows': ({ of, limit }, { signal }) => trainingRows(deps, of, limit, signal),
  };
}
