import type { TaskHandlers } from '../../platform/engine/port.ts';
import type { TableRef } from '../tables/delta-tables.ts';
import {
  buildTrainingSet,
  TRAINING_SETS,
  type BuildDeps,
  type BuildOutcome,
  type BuildRequest,
} from './build-training-set.ts';

/** What the engine does for definitions and training sets. */
export type FeaturesTasks = {
  /** Pairs of key and value of a table's two columns, at most `limit`. */
  readonly 'features.pairs': {
    readonly input: TableRef & {
      readonly key: string;
      readonly value: string;
      readonly limit: number;
    };
    readonly output: readonly (readonly [string, string])[];
  };
  readonly 'features.build': { readonly input: BuildRequest; readonly output: BuildOutcome };
  /** The one Parquet file of a version of a training set's table, absolute. */
  readonly 'features.training-file': {
    readonly input: { readonly name: string; readonly tableVersion: number };
    readonly output: string;
  };
};

export function featuresTasks(deps: BuildDeps): TaskHandlers<FeaturesTasks> {
  const { tables } = deps;
  return {
    'features.pairs': async ({ key, value, limit, ...ref }, { signal }) => {
      const page = await tables.rows(ref, { columns: [key, value], offset: 0, limit, signal });
      return page.rows.flatMap(([k, v]) =>
        k === null || v === null ? [] : [[String(k), String(v)] as const],
      );
    },
    'features.build': (request, { signal }) => buildTrainingSet(deps, request, signal),
    'features.training-file': async ({ name, tableVersion }) => {
      const found = await tables.files({ namespace: TRAINING_SETS, name }, tableVersion);
      return found.files[0]!.path;
    },
  };
}
