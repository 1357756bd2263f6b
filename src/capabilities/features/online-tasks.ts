import type { Clock } from '../../base/time.ts';
import type { Analytics } from '../../platform/analytics/port.ts';
import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { Faults } from '../../platform/fault-points.ts';
import type { KvWriter } from '../../platform/kv/port.ts';
import type { DeltaTables } from '../tables/delta-tables.ts';
import { FeatureIngest, type IngestInput, type IngestOutcome } from './ingest.ts';
import type { VerifyReport } from './online-contract.ts';
import { verifyVectors, type VerifyInput } from './verify.ts';

/** What the engine does for features that are read online. */
export type OnlineFeaturesTasks = {
  /** One slice of bringing tiles up to their tables; asked for again until it is done. */
  readonly 'features.ingest': { readonly input: IngestInput; readonly output: IngestOutcome };
  /** Recomputes logged vectors from the tables. */
  readonly 'features.verify': { readonly input: VerifyInput; readonly output: VerifyReport };
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
  };
}
